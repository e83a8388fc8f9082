/** `sign`: a signature on a container image, or on anything else in a registry. */
import { defineCommand } from '../command.ts'
import { signFlags } from '../images/signing-flags.ts'
import { atLeast } from '../positional.ts'

export const command = defineCommand({
  synopsis: 'IMAGE...',
  long: `Sign container images, charts and everything else in a registry.

Without --key the signature is made with a certificate for an identity: of the CI job or workload that this runs in, of
--identity-token, or of whoever signs in. The services are those that the signing config names, which TUF distributes
("initialize" chooses another instance than the public one) or --signing-config holds. A signature is verified before it is stored.

It is stored beside the image as a Sigstore bundle that refers to it. With --new-bundle-format=false it goes under the .sig tag, where
cosign 1 and 2 look. COSIGN_REPOSITORY names another repository for signatures. Of several images in one call, all are signed by one
identity after one sign-in.`,
  examples: `  # Keyless
  countersign sign ghcr.io/org/app@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae

  # With a key and an annotation, and a copy of the bundle as a file
  countersign sign --key cosign.key -a env=prod --bundle app.sigstore.json ghcr.io/org/app:v1

  # An index with every image that it names
  countersign sign --recursive ghcr.io/org/app:v1

  # An image layout, before it is pushed: "load" takes its signatures along
  countersign sign --key cosign.key --local-image build/app

  # For verifiers that know cosign 1 and 2 only
  countersign sign --key cosign.key --new-bundle-format=false ghcr.io/org/app:v1

  # Into a file only
  countersign sign --key cosign.key --upload=false --bundle app.sigstore.json ghcr.io/org/app:v1`,
  flags: signFlags,
  positional: atLeast(1),
  exclusive: [['use-signing-config', 'signing-config']],
  async run(context, flags, images, { values }) {
    const { signImages } = await import('../images/sign-images.ts')
    await signImages(context, flags, images, (flag) => values.has(flag))
  },
})
