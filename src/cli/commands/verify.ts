/** `verify`: the signature on a container image, or on anything else in a registry. */
import { defineCommand } from '../command.ts'
import { certificateExclusions } from '../flag-groups.ts'
import { verifyFlags } from '../images/flags.ts'
import { verifySignatures } from '../images/verify-signatures.ts'
import { atLeast } from '../positional.ts'

export const command = defineCommand({
  synopsis: 'IMAGE...',
  long: `Verify the signatures of container images, charts and everything else in a registry.

Signatures are looked for wherever any version of cosign has put them: beside the image as OCI referrers, under the tag that stands in
for them on older registries, and under the .sig tag. COSIGN_REPOSITORY names another repository that holds them. One signature that
holds is enough; attestations do not count as signatures.

What was verified is printed as JSON: what was signed, and the evidence of who signed it, when, and in which log it is recorded.
Exit codes: 0 verified, 10 no signature, 11 no such image, 12 no signature that holds, 13 signatures with a key only where a certificate is
asked for, 1 anything else: what is there is not known then. 130 and 143 where it was interrupted.`,
  examples: `  # Signed by a GitHub workflow
  countersign verify ghcr.io/org/app:v1 \\
    --certificate-identity https://github.com/org/app/.github/workflows/release.yml@refs/heads/main \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com

  # Signed with a key, with an annotation
  countersign verify ghcr.io/org/app@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae --key cosign.pub -a env=prod

  # An index with everything that it names, and one image of it
  countersign verify --recursive ghcr.io/org/app:v1 --key cosign.pub
  countersign verify --platform linux/arm64 ghcr.io/org/app:v1 --key cosign.pub`,
  flags: verifyFlags,
  positional: atLeast(1),
  exclusive: certificateExclusions,
  run: verifySignatures,
})
