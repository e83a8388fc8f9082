/** `verify-attestation`: statements about a container image. */
import { defineCommand } from '../command.ts'
import { certificateExclusions } from '../flag-groups.ts'
import { verifyAttestationFlags } from '../images/flags.ts'
import { atLeast } from '../positional.ts'

export const command = defineCommand({
  synopsis: 'IMAGE...',
  long: `Verify the attestations of container images and everything else in a registry: provenance, bills of materials, scans.

Of the attestations of this --type, one that holds is enough. They are printed as DSSE envelopes, one a line; the statement is the
payload in base64. The exit code is 1 for whatever is not verified, as cosign's; 130 and 143 where it was interrupted.`,
  examples: `  # Provenance by a GitHub workflow
  countersign verify-attestation ghcr.io/org/app:v1 --type slsaprovenance1 \\
    --certificate-identity-regexp '^https://github.com/org/' \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com

  # What is in the image, said with a key
  countersign verify-attestation ghcr.io/org/app:v1 --type cyclonedx --key cosign.pub | jq -r .payload | base64 -d`,
  flags: verifyAttestationFlags,
  positional: atLeast(1),
  exclusive: certificateExclusions,
  async run(context, flags, images) {
    const { verifyAttestations } = await import('../images/verify-attestations.ts')
    await verifyAttestations(context, flags, images)
  },
})
