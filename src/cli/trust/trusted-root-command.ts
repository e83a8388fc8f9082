/** `trusted-root create`. */
import { defineCommand } from '../command.ts'
import { noArguments } from '../positional.ts'
import { trustedRootFlags } from './trusted-root-flags.ts'

export const command = defineCommand({
  long: `Makes a trusted root: the file that says which authorities and logs a verifier believes.

Each service is a flag of its own, which can be repeated, with keys and values separated by commas. Times are RFC 3339. An
authority is trusted from the beginning of its certificate unless start-time says otherwise. certificate-chain begins at
the signer's side and ends with the root; that of a timestamp authority begins with the certificate that signs timestamps.`,
  examples: `  # An instance of your own
  countersign trusted-root create \\
    --fulcio url=https://fulcio.example.com,certificate-chain=fulcio.pem \\
    --ctfe url=https://ct.example.com,public-key=ct.pub,start-time=2025-01-01T00:00:00Z \\
    --rekor url=https://rekor.example.com,public-key=rekor.pub,start-time=2025-01-01T00:00:00Z \\
    --tsa url=https://tsa.example.com/api/v1/timestamp,certificate-chain=tsa.pem \\
    --out trusted_root.json

  # A Rekor v2 log: its checkpoints are signed in the name of its host
  countersign trusted-root create \\
    --rekor url=https://log1.example.com,public-key=log1.pub,start-time=2025-01-01T00:00:00Z,origin=log1.example.com

  # The public instance, with a timestamp authority of your own
  countersign trusted-root create --with-default-services --no-default-tsa \\
    --tsa url=https://tsa.example.com/api/v1/timestamp,certificate-chain=tsa.pem --out trusted_root.json`,
  flags: trustedRootFlags,
  positional: noArguments,
  async run(context, flags) {
    const { createTrustedRootFile } = await import('./create-trusted-root.ts')
    await createTrustedRootFile(context, flags)
  },
})
