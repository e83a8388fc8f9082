/** `bundle create`. */
import { defineCommand } from '../command.ts'
import { noArguments } from '../positional.ts'
import { bundleCreateFlags } from './bundle-flags.ts'

export const command = defineCommand({
  long: `Makes a Sigstore bundle of what cosign 1 and 2 wrote: signature and certificate or key in files of their own, an attestation, or
a local bundle, perhaps with a timestamp. The entry of the transparency log is fetched from it.

That the signature was made over the artifact, with the key of the certificate or --key, and that the log entry is about it, is
checked before anything is written. Whether the certificate, the log and the timestamp are to be trusted is not: verify the bundle
with verify-blob or verify-blob-attestation.`,
  examples: `  # A signature and its certificate
  countersign bundle create --artifact app.tar.gz --signature app.sig --certificate app.pem --out app.tar.gz.sigstore.json

  # A local bundle of a signature with a key
  countersign bundle create --artifact app.tar.gz --bundle app.bundle --key cosign.pub --out app.tar.gz.sigstore.json

  # An attestation
  countersign bundle create --artifact app.tar.gz --attestation app.att --certificate app.pem --out app.att.sigstore.json

  # A signature that was never recorded in a log
  countersign bundle create --artifact app.tar.gz --signature app.sig --key cosign.pub --ignore-tlog --out app.tar.gz.sigstore.json`,
  flags: bundleCreateFlags,
  positional: noArguments,
  exclusive: [
    ['bundle', 'certificate'],
    ['bundle', 'signature'],
  ],
  async run(context, flags) {
    const { createBundle } = await import('./create-bundle.ts')
    await createBundle(context, flags)
  },
})
