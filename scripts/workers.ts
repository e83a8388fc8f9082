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
  await Promise.all(Object.entries(entries).map(([name, entryPoint]) => buildWorker(name, entryPoint)))
}

async function buildWorker(name: string, entryPoint: string): Promise<void> {
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
  const file = `${outdir}/${name}.js`
  if (text === currentText(file)) return
  // Renamed into place: another test run may be starting the worker just now.
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
