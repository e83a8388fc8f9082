/** `attach`: what was made elsewhere, put beside an image. */
import { defineCommand, defineGroup } from '../command.ts'
import { registryFlags } from '../flag-groups.ts'
import { standIn, stringArrayFlag, stringFlag } from '../flags.ts'
import { referrersModeFlag } from '../images/signing-flags.ts'
import { exactly } from '../positional.ts'

const FILE = { placeholder: 'file', completion: 'file' } as const

const attestation = defineCommand({
  synopsis: 'IMAGE',
  long: `Put attestations that were signed elsewhere beside an image: DSSE envelopes under the .att tag, any number in a file, and
Sigstore bundles as OCI referrers. They must be about the image; their signatures are not verified.`,
  examples: '  countersign attach attestation --attestation provenance.intoto.jsonl ghcr.io/org/app:v1',
  flags: { ...registryFlags, attestation: stringArrayFlag('file with envelopes or bundles; may be repeated', FILE) },
  positional: exactly(1),
  async run(context, flags, [image = '']) {
    const { attachAttestations } = await import('../images/attach-signature.ts')
    await attachAttestations(context, flags, image)
  },
})

const sbom = defineCommand({
  synopsis: 'IMAGE',
  long: `Put a bill of materials beside an image, unsigned, under the .sbom tag. "attest" puts it there signed, and every verifier of
attestations finds that one.`,
  examples: '  countersign attach sbom --sbom app.spdx.json ghcr.io/org/app:v1',
  flags: {
    ...registryFlags,
    'input-format': stringFlag('format of the file: json, xml or text', { completion: ['json', 'xml', 'text'] }),
    'registry-referrers-mode': referrersModeFlag,
    sbom: stringFlag('the bill of materials: a file, or - for standard input', FILE),
    type: stringFlag('kind of the bill of materials: spdx, cyclonedx or syft', {
      default: 'spdx',
      completion: ['spdx', 'cyclonedx', 'syft'],
    }),
  },
  positional: exactly(1),
  async run(context, flags, [image = '']) {
    const { attachSbom } = await import('../images/attach-sbom.ts')
    await attachSbom(context, flags, image)
  },
})

const signature = defineCommand({
  synopsis: 'IMAGE',
  long: `Put a signature that was made elsewhere beside an image: that of a payload of "generate" under the .sig tag, with its
certificate, log entry and timestamp where it has them, or a Sigstore bundle as an OCI referrer. It must be about the image; the
signature itself is not verified.`,
  examples: `  countersign attach signature --payload payload.json --signature payload.sig ghcr.io/org/app:v1
  countersign attach signature --bundle app.sigstore.json ghcr.io/org/app:v1`,
  flags: {
    ...registryFlags,
    bundle: standIn({ flag: 'payload' }, stringFlag('Sigstore bundle that holds the signature; otherwise the same as --payload', FILE)),
    certificate: stringFlag('certificate of the signer, in PEM', FILE),
    'certificate-chain': stringFlag('certificate authorities in PEM, from the issuer of that certificate to the root', FILE),
    payload: stringFlag('what was signed', FILE),
    'rekor-response': stringFlag('entry of the transparency log: its answer, or what cosign keeps of it', FILE),
    signature: stringFlag('the signature, in base64: a file, or - for standard input', FILE),
    tsr: stringFlag('timestamp of the signature: the answer of the authority', FILE),
  },
  positional: exactly(1),
  async run(context, flags, [image = '']) {
    const { attachSignature } = await import('../images/attach-signature.ts')
    await attachSignature(context, flags, image)
  },
})

export const command = defineGroup({
  long: 'Put signatures, attestations and bills of materials that were made elsewhere beside an image.',
  subcommands: [
    {
      name: 'attestation',
      short: 'Put attestations that were signed elsewhere beside an image',
      load: () => Promise.resolve({ command: attestation }),
    },
    { name: 'sbom', short: 'Put a bill of materials beside an image, unsigned', load: () => Promise.resolve({ command: sbom }) },
    {
      name: 'signature',
      short: 'Put a signature that was made elsewhere beside an image',
      load: () => Promise.resolve({ command: signature }),
    },
  ],
})
