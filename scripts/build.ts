/**
 * Builds `dist/`: the command line as CommonJS files that are loaded as a verb needs them (an ES module entry costs every
 * call of the program 8 to 10 ms more on Node 20), and with `--lib` the library as ES modules with types.
 */
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { build, transform } from 'esbuild'

const outdir = 'dist/cli'
const withLibrary = process.argv.includes('--lib')

await rm(withLibrary ? 'dist' : outdir, { recursive: true, force: true })
await buildCommandLine()
if (withLibrary) execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' })

async function buildCommandLine(): Promise<void> {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }
  const { outputFiles } = await build({
    entryPoints: { main: 'src/cli/main.ts', conformance: 'src/cli/conformance-main.ts' },
    outdir,
    bundle: true,
    splitting: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    keepNames: true,
    outExtension: { '.js': '.cjs' },
    chunkNames: '[name]-[hash]',
    legalComments: 'none',
    define: {
      __COUNTERSIGN_VERSION__: JSON.stringify(version),
      __COUNTERSIGN_COMMIT__: JSON.stringify(git('rev-parse', 'HEAD')),
      __COUNTERSIGN_TREE_STATE__: JSON.stringify(git('status', '--porcelain') === '' ? 'clean' : 'dirty'),
      __COUNTERSIGN_BUILD_DATE__: JSON.stringify(git('log', '-1', '--format=%cI')),
    },
    logLevel: 'error',
  })
  await Promise.all(outputFiles.map((file) => writeCommonJs(file.path, file.text)))
}

/** Splitting exists for ES modules only, so each of the files is turned into CommonJS afterwards. */
async function writeCommonJs(file: string, source: string): Promise<void> {
  const { code } = await transform(source, {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minify: true,
    keepNames: false,
    supported: { 'dynamic-import': false },
  })
  const isMain = path.basename(file) === 'main.cjs'
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, isMain ? `#!/usr/bin/env node\n${code}` : code)
  if (isMain) await chmod(file, 0o755)
}

function git(...words: string[]): string {
  try {
    return execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'unknown'
  }
}
