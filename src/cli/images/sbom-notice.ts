/** What is said whenever SBOMs are put where `attach sbom` puts them, or are looked for there. */

/** cosign's words. */
export const sbomDeprecation =
  'SBOM attachments are deprecated and support will be removed in a Cosign release soon after 2024-02-22 (see https://github.com/sigstore/cosign/issues/2755). Instead, please use SBOM attestations.'
