/** `attest-blob`: a signed statement about files. */
import { defineCommand } from '../command.ts'
import { attestBlobFlags } from '../signing/flags.ts'

export const command = defineCommand({
  synopsis: '[BLOB...]',
  long: `Sign a statement about files: their provenance, their bill of materials, what is known of their vulnerabilities.

--predicate is what is said and --type what kind of thing that is; a predicate of a kind that has a specification is checked
against it. The files become the subjects of one in-toto statement, each with its name and digest, so that one attestation covers
all files of a release and verifies with each of them. Files of the same name in different folders keep their paths as names.
A file that is not here is named all the same, and --hash is its digest.

--statement signs a finished statement as it is, to the byte. Files that are named then must be among its subjects.

BLOB is a file, or - for standard input. Without --key the signature is made with a certificate for an identity, as by sign-blob.
Without --bundle the envelope is printed, or written to --output-signature. What is written was verified first.`,
  examples: `  # Provenance of a file
  countersign attest-blob app.tar.gz --predicate provenance.json --type slsaprovenance1 --bundle app.provenance.sigstore.json

  # One attestation for all files of a release
  countersign attest-blob dist/*.tar.gz --predicate sbom.cdx.json --type cyclonedx --bundle release.sbom.sigstore.json

  # With a key, recorded nowhere, of a predicate type of your own
  countersign attest-blob app.tar.gz --predicate tests.json --type https://example.com/tests/v1 --key cosign.key \\
    --tlog-upload=false --bundle app.tests.sigstore.json

  # A file that is somewhere else, by its digest
  countersign attest-blob app.tar.gz --hash 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae --predicate vex.json \\
    --type openvex --bundle app.vex.sigstore.json

  # A statement that a build system made
  countersign attest-blob --statement statement.json --bundle app.sigstore.json`,
  flags: attestBlobFlags,
  exclusive: [['use-signing-config', 'signing-config']],
  oneRequired: [['predicate', 'statement']],
  async run(context, flags, blobs, { values }) {
    const { attestBlobs } = await import('../signing/attest-blobs.ts')
    await attestBlobs(context, flags, blobs, (flag) => values.has(flag))
  },
})
