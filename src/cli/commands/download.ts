/** `download`: what lies beside an image, on standard output. */
import { defineGroup } from '../command.ts'

export const command = defineGroup({
  long: 'Print what lies beside an image as it is stored. Nothing of it is verified.',
  subcommands: [
    {
      name: 'attestation',
      short: 'Print the attestations about an image, a bundle or an envelope a line',
      load: () => import('../images/download-attestation-command.ts'),
    },
    {
      name: 'sbom',
      short: 'Print the SBOM that is attached to an image',
      load: () => import('../images/download-sbom-command.ts'),
    },
    {
      name: 'signature',
      short: 'Print the signatures of an image, one a line',
      load: () => import('../images/download-signature-command.ts'),
    },
  ],
})
