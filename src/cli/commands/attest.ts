/** `attest`: a signed statement about a container image, or about anything else in a registry. */
import { defineCommand } from '../command.ts'
import { attestFlags } from '../images/signing-flags.ts'
import { atLeast } from '../positional.ts'

export const command = defineCommand({
  synopsis: 'IMAGE...',
  long: `Sign a statement about container images: their provenance, their bill of materials, what is known of their vulnerabilities.

--predicate is what is said and --type what kind of thing that is; a predicate of a kind that has a specification is checked
against it. Each image gets an in-toto statement of its own. --statement signs a finished statement as it is, to the byte; the
images must be among its subjects.

The attestation is stored beside the image as a Sigstore bundle that refers to it. With --new-bundle-format=false it goes under the
.att tag, where cosign 1 and 2 look. COSIGN_REPOSITORY names another repository for attestations. Without --key it is signed with a
certificate for an identity, as by sign. It is verified before it is stored.`,
  examples: `  # Provenance of an image
  countersign attest --predicate provenance.json --type slsaprovenance1 \\
    ghcr.io/org/app@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae

  # A bill of materials from another program, with a key
  syft ghcr.io/org/app:v1 -o cyclonedx-json | countersign attest --predicate - --type cyclonedx --key cosign.key ghcr.io/org/app:v1

  # Into a file only
  countersign attest --predicate vex.json --type openvex --no-upload --bundle app.vex.sigstore.json ghcr.io/org/app:v1

  # For verifiers that know cosign 1 and 2 only, in the place of the last one
  countersign attest --predicate sbom.json --type spdxjson --replace --new-bundle-format=false ghcr.io/org/app:v1`,
  flags: attestFlags,
  positional: atLeast(1),
  exclusive: [['use-signing-config', 'signing-config']],
  oneRequired: [['predicate', 'statement']],
  async run(context, flags, images, { values }) {
    const { attestImages } = await import('../images/attest-images.ts')
    await attestImages(context, flags, images, (flag) => values.has(flag))
  },
})
