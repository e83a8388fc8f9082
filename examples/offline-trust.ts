/** A trusted root from a file, for machines without a network: `loadTrustedRoot` opens no connection then. */
import { readFile } from 'node:fs/promises'
import { createVerifier, loadTrustedRoot } from 'countersign'

const [bundle = 'app.sigstore.json', artifact = 'app.tar.gz', key = 'release.pub'] = process.argv.slice(2)
const verifier = createVerifier({
  trust: await loadTrustedRoot({ file: 'trusted_root.json' }),
  key: await readFile(key, 'utf8'),
})
const { signer, logEntries } = verifier.verify(await readFile(bundle), await readFile(artifact))
console.log(
  signer.kind,
  logEntries.map((entry) => `${entry.logUrl} ${entry.logIndex ?? entry.treeIndex}`),
)
