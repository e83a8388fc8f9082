/** `sign-blob`: a signature on a file. */
import { defineCommand } from '../command.ts'
import { atLeast } from '../positional.ts'
import { signBlobFlags } from '../signing/flags.ts'
import { signBlobs } from '../signing/sign-blobs.ts'

export const command = defineCommand({
  synopsis: 'BLOB...',
  long: `Sign files.

Without --key the signature is made with a certificate for an identity: of the CI job or workload that this runs in, of
--identity-token, or of whoever signs in. The services are those that the signing config names, which TUF distributes
("initialize" chooses another instance than the public one) or --signing-config holds. What is written was verified first.

BLOB is a file, or - for standard input. Several blobs get a bundle each, BLOB.sigstore.json, or with --checksums one checksums file for
all, which is signed in their place. With --recursive, BLOB may be a folder: its files are signed, and those of the folders in it, but not
links, hidden files and folders, nor what ends in .sigstore.json, .sigstore.jsonl or .sigstore.

A file that cannot be read or whose bundle cannot be written is named, and the others are signed; a service that fails ends the command.
In both cases, and after Ctrl-C, what was signed is whole and stays.`,
  examples: `  # Keyless: the bundle has everything that a verifier needs
  countersign sign-blob app.tar.gz --bundle app.tar.gz.sigstore.json

  # With a token, and the services of an instance of your own
  countersign sign-blob app.tar.gz --bundle app.sigstore.json --identity-token token.jwt \\
    --signing-config signing_config.json --trusted-root trusted_root.json

  # With a key, recorded nowhere
  countersign sign-blob app.tar.gz --bundle app.sigstore.json --key cosign.key --tlog-upload=false

  # Signature and certificate in files of their own, as cosign 1 and 2 wrote them
  countersign sign-blob app.tar.gz --output-signature app.sig --output-certificate app.pem --yes

  # A release: one sign-in, a bundle beside each file
  countersign sign-blob dist/*.tar.gz

  # The same for a tree, as one checksums file with its bundle: verify that, then sha256sum --check it
  countersign sign-blob --recursive dist --checksums dist/checksums.txt`,
  flags: signBlobFlags,
  positional: atLeast(1),
  exclusive: [['use-signing-config', 'signing-config']],
  run: (context, flags, blobs, { values }) => signBlobs(context, flags, blobs, (flag) => values.has(flag)),
})
