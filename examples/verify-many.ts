/** Verify many attestations by one builder: `createVerifier` prepares trust and policy once. */
import { readFile } from 'node:fs/promises'
import { compilePattern, createVerifier, loadTrustedRoot, VerificationError } from 'countersign'

const verifier = createVerifier({
  trust: await loadTrustedRoot(),
  identities: [
    {
      subjectAlternativeName: compilePattern('https://github\\.com/my-org/.+/\\.github/workflows/release\\.yml@refs/tags/v.+', {
        anchored: true,
      }),
      issuer: 'https://token.actions.githubusercontent.com',
      extensions: { runnerEnvironment: 'github-hosted' },
    },
  ],
  predicateType: 'https://slsa.dev/provenance/v1',
})

for (const file of process.argv.slice(2)) {
  try {
    const { statement } = verifier.verify(await readFile(`${file}.sigstore.json`), await readFile(file))
    console.log(`${file}: ${statement?.predicateType}`)
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    console.log(`${file}: refused, ${error.code}: ${error.message}`)
    process.exitCode = 1
  }
}
