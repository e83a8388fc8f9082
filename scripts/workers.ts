/** The entries of worker threads: each becomes `dist/server/<name>.js`, an ES module that leaves packages outside. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'

const entries: Readonly<Record<string, string>> = {
  'sqlite-worker': 'src/server/storage/sqlite-worker.ts',
  worker: 'src/server/worker.ts',
}
const outdir = 'dist/server'

/** Builds all of them, and replaces what differs. */
export async function buildWorkers(): Promise<void> {
  mkdirSync(outdir, { recursive: true })
  await Promise.all(Object.entries(entries).map(([name, entryPoint]) => buildModule(entryPoint, `${outdir}/${name}.js`)))
}

/** Builds one ES module that leaves packages outside, and replaces the file if it differs. */
export async function buildModule(entryPoint: string, file: string): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [entryPoint],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    legalComments: 'none',
    logLevel: 'error',
  })
  const text = outputFiles[0]?.text ?? ''
  if (text === currentText(file)) return
  // Renamed into place: another process may be starting it just now.
  const temporary = `${file}.${process.pid}`
  writeFileSync(temporary, text)
  renameSync(temporary, file)
}

function currentText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
