/**
 * Sign a file with the identity of the CI job that this runs in, and write the bundle beside it. The signing config and the
 * trusted root are those of the instance that `countersign initialize` chose, the public one by default.
 */
import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { sign } from 'countersign'

const [file = 'app.tar.gz'] = process.argv.slice(2)

// A stream is signed in constant memory, whatever its length.
const { bundle, evidence } = await sign(createReadStream(file))
await writeFile(`${file}.sigstore.json`, bundle)

if (evidence.signer.kind === 'certificate') console.log(`signed as ${evidence.signer.identity.value}, says ${evidence.signer.issuer}`)
for (const { logUrl, logIndex, treeIndex } of evidence.logEntries) console.log(`entry ${logIndex ?? treeIndex} of ${logUrl}`)
