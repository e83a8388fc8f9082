/** `verify-blob`: a signature on a file. */
import { defineCommand } from '../command.ts'
import { certificateExclusions, verifyBlobFlags } from '../flag-groups.ts'
import { exactly } from '../positional.ts'
import { loadArtifact } from '../verification/artifact-input.ts'
import { verifyFile } from '../verification/verify-file.ts'

export const command = defineCommand({
  synopsis: 'BLOB',
  long: `Verify the signature on a file.

BLOB is a file, a URL, - for standard input, or a digest such as sha256:e3b0c442….
Without --bundle and --signature, BLOB.sigstore.json and BLOB.sigstore are looked for.
With --trusted-root no network connection is made for a bundle. A signature in a file of its own comes without its log entry, which is
looked for in the log (--rekor-url) unless --offline or --insecure-ignore-tlog is given.`,
  examples: `  # A file signed by a GitHub workflow, with its bundle beside it
  countersign verify-blob app.tar.gz \\
    --certificate-identity https://github.com/org/app/.github/workflows/release.yml@refs/heads/main \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com

  # A file signed with a key
  countersign verify-blob app.tar.gz --bundle app.sigstore.json --key release.pub

  # Only its digest is known
  countersign verify-blob sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae --bundle app.sigstore.json --key release.pub

  # Without a network, and with the evidence as JSON
  countersign verify-blob app.tar.gz --trusted-root trusted_root.json --certificate-identity dev@example.com \\
    --certificate-oidc-issuer https://accounts.example.com -o json

  # Signature and certificate in files of their own, as cosign 1 and 2 wrote them
  countersign verify-blob app.tar.gz --signature app.sig --certificate app.pem --certificate-identity dev@example.com \\
    --certificate-oidc-issuer https://accounts.example.com`,
  listens: true,
  flags: verifyBlobFlags,
  positional: exactly(1),
  exclusive: certificateExclusions,
  run: (context, flags, [blob = '']) =>
    verifyFile(context, flags, { kind: 'message', artifactName: blob, loadArtifact: (needed) => loadArtifact(context, blob, needed) }),
})
