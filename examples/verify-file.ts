/** Verify a file with the bundle beside it: `verify` with everything spelled out. */
import { readFile } from 'node:fs/promises'
import { artifactFromBytes, loadTrustedRoot, parseBundle, verify } from 'countersign'

const [file = 'app.tar.gz', identity = 'dev@example.com', issuer = 'https://accounts.example.com'] = process.argv.slice(2)

const evidence = verify(parseBundle(await readFile(`${file}.sigstore.json`)), await loadTrustedRoot(), {
  artifact: artifactFromBytes(await readFile(file)),
  signer: { kind: 'certificate', identities: [{ subjectAlternativeName: identity, issuer }] },
})

for (const { time, source } of evidence.times) console.log(`signed at ${time.toISOString()}, says the ${source}`)
for (const { logUrl, logIndex, treeIndex } of evidence.logEntries) console.log(`entry ${logIndex ?? treeIndex} of ${logUrl}`)
