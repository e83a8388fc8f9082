// Runs a TypeScript program of this project on every supported Node: bundled in memory by esbuild, packages left outside.
// usage: node scripts/run.mjs FILE.ts [ARGUMENT…]
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const [file, ...rest] = process.argv.slice(2)
if (file === undefined) throw new Error('usage: node scripts/run.mjs FILE.ts [ARGUMENT…]')
const result = await build({
  entryPoints: [file],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'error',
})
// Beside the program, so that its packages resolve as they would from there.
const output = path.join(path.dirname(path.resolve(file)), `.${path.basename(file)}.${process.pid}.mjs`)
await writeFile(output, result.outputFiles[0].contents)
const remove = () => rm(output, { force: true })
process.argv = [process.argv[0], path.resolve(file), ...rest]
try {
  await import(pathToFileURL(output).href)
} finally {
  await remove()
}
