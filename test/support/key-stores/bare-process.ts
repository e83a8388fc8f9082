/** A key store in a process where none of the optional packages is installed. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'

/** What opening a key fails with there. */
export async function openWithoutPackages(
  file: string,
  reference: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: string; readonly message: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'countersign-bare-'))
  try {
    const program = path.join(folder, 'program.mjs')
    const contents = `import { keyStore } from './${file}'
const [reference, env] = JSON.parse(process.argv[2])
keyStore.openKey(reference, { env, cwd: '/', password: () => Promise.reject(new Error()) }).then(
  () => console.log(JSON.stringify({ code: 'none', message: 'opened' })),
  ({ code, message }) => console.log(JSON.stringify({ code, message })),
)`
    await build({
      stdin: { contents, resolveDir: '.' },
      outfile: program,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
    })
    const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify([reference, env])], { cwd: folder })
    return JSON.parse(stdout) as { code: string; message: string }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
