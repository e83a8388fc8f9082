/**
 * Builds `dist/`: the command line, and with `--lib` the library as ES modules with types.
 *
 * The program is started for every file that is checked, so its start is built for speed. All of its own code is one
 * CommonJS file (an ES module entry costs 8 to 10 ms on Node 20), in which what a verb does not need is not evaluated;
 * libraries are files of their own, loaded when first used; and V8's code cache of the file lies beside it. A cache made by
 * another Node is ignored by V8, and the file is compiled as usual.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import type { BuildOptions, Plugin } from 'esbuild'

const outdir = 'dist/cli'
const withLibrary = process.argv.includes('--lib')
/** Libraries of the program, each in a file of its own. */
const libraries = ['re2js', 'tuf-js', '@noble/ciphers/salsa.js', '@noble/curves/ed25519.js', '@noble/curves/abstract/edwards.js', '@noble/hashes/sha2.js']

rmSync(withLibrary ? 'dist' : outdir, { recursive: true, force: true })
mkdirSync(`${outdir}/library`, { recursive: true })
await Promise.all([buildProgram('main', 'src/cli/main.ts'), buildProgram('conformance', 'src/cli/conformance-main.ts'), ...libraries.map(buildLibrary)])
writeFileSync('dist/cli/package.json', '{"type":"commonjs"}\n')
if (withLibrary) execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' })

function commonOptions(): BuildOptions {
  return { bundle: true, platform: 'node', format: 'cjs', target: 'node20', minify: true, charset: 'ascii', legalComments: 'none', logLevel: 'error' }
}

async function buildProgram(name: string, entryPoint: string): Promise<void> {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  await build({
    ...commonOptions(),
    entryPoints: [entryPoint],
    outfile: `${outdir}/${name}-program.cjs`,
    // import() would start Node's ES module loader; require() of what is bundled anyway does not.
    supported: { 'dynamic-import': false },
    plugins: [librariesAside()],
    define: {
      __COUNTERSIGN_VERSION__: JSON.stringify(version),
      __COUNTERSIGN_COMMIT__: JSON.stringify(git('rev-parse', 'HEAD')),
      __COUNTERSIGN_TREE_STATE__: JSON.stringify(git('status', '--porcelain') === '' ? 'clean' : 'dirty'),
      __COUNTERSIGN_BUILD_DATE__: JSON.stringify(git('log', '-1', '--format=%cI')),
    },
  })
  writeFileSync(`${outdir}/${name}.cjs`, launcher(name))
  chmodSync(`${outdir}/${name}.cjs`, 0o755)
  // Functions are in the cache once they ran, so the commonest verb is run, on a bundle that it refuses at the very end.
  spawnSync(process.execPath, [`${outdir}/${name}.cjs`, ...warmUp(name)], { env: { ...process.env, COUNTERSIGN_MAKE_CODE_CACHE: '1' } })
}

function warmUp(name: string): readonly string[] {
  const words = ['--bundle', 'scripts/warm-up/bundle.sigstore.json', '--trusted-root', 'scripts/warm-up/trusted_root.json']
  const identity = ['--certificate-identity', 'warm-up@example.com', '--certificate-oidc-issuer', 'https://example.com', 'scripts/warm-up/artifact']
  return [name === 'main' ? 'verify-blob' : 'verify-bundle', ...words, ...identity]
}

/** Runs a program from its file and code cache. */
function launcher(name: string): string {
  return `#!/usr/bin/env node
'use strict'
const fs = require('node:fs')
const { Script } = require('node:vm')
const filename = __dirname + '/${name}-program.cjs'
let cachedData
try {
  cachedData = fs.readFileSync(filename + '.cache')
} catch {}
const source = '(function (require, module, __dirname) {' + fs.readFileSync(filename, 'latin1') + '\\n})'
const script = new Script(source, { filename, cachedData })
if (process.env.COUNTERSIGN_MAKE_CODE_CACHE === '1') {
  process.once('exit', () => fs.writeFileSync(filename + '.cache', script.createCachedData()))
}
script.runInThisContext()(require, module, __dirname)
`
}

async function buildLibrary(library: string): Promise<void> {
  await build({ ...commonOptions(), stdin: { contents: `export * from '${library}'`, resolveDir: '.' }, outfile: `${outdir}/library/${fileOf(library)}` })
}

/** Resolves the libraries to their own files. */
function librariesAside(): Plugin {
  return {
    name: 'libraries-aside',
    setup({ onResolve }) {
      onResolve({ filter: /^[^.]/ }, ({ path, kind }) => {
        if (kind === 'entry-point' || path.startsWith('node:')) return undefined
        if (!libraries.includes(path)) return { errors: [{ text: `${path} is not in the list of libraries of scripts/build.ts` }] }
        return { path: `./library/${fileOf(path)}`, external: true }
      })
    },
  }
}

function fileOf(library: string): string {
  return `${library.replace(/\.js$/, '').replaceAll(/[@/]/g, '-').replace(/^-/, '')}.cjs`
}

function git(...words: string[]): string {
  try {
    return execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'unknown'
  }
}
