/** Verify what a tag names, and go on with the digest that was verified: by then the tag may mean something else. */
import { loadTrustedRoot, openRepository, verifyImage } from 'countersign'

const [repository = 'ghcr.io/org/app', tag = 'v1', identity = 'dev@example.com', issuer = 'https://accounts.example.com'] =
  process.argv.slice(2)

const { digest, verified } = await verifyImage(openRepository(repository), tag, {
  trust: await loadTrustedRoot(),
  signer: { kind: 'certificate', identities: [{ subjectAlternativeName: identity, issuer }] },
})

console.log(`${repository}@${digest}`)
for (const { evidence } of verified)
  for (const { logUrl, logIndex, treeIndex } of evidence.logEntries) console.log(`entry ${logIndex ?? treeIndex} of ${logUrl}`)
