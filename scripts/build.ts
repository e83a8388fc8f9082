/**
 * Builds `dist/`: the command line, and with `--lib` the library as ES modules with types.
 *
 * The program is started for every file that is checked, so its start is built for speed. All of its own code is one
 * CommonJS file (an ES module entry costs 8 to 10 ms on Node 20), in which what a verb does not need is not evaluated;
 * libraries are files of their own, loaded when first used; V8's code cache of the file lies beside it (`launcher.ts`); and
 * the verb that runs most often has a file without the other verbs, which would cost it a millisecond by being there.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { build } from 'esbuild'
import type { BuildOptions, Plugin } from 'esbuild'
import { putAside } from './asides.ts'
import { flagsAsData } from './flags-as-data.ts'
import { cacheMaker, launcher, wrapper } from './launcher.ts'
import { startWarmUpRegistry } from './warm-up-registry.ts'
import { buildWorkers } from './workers.ts'

const outdir = 'dist/cli'
const serverOutdir = 'dist/server'
const warmUpIdentity = ['--certificate-identity', 'warm-up@example.com', '--certificate-oidc-issuer', 'https://issuer.example.com']
const verifyWords = ['--bundle', 'bundle.sigstore.json', '--trusted-root', 'trusted_root.json', ...warmUpIdentity, 'artifact']
/** The password is in make-warm-up.ts. */
const signWords = ['--key', 'cosign.key', '--tlog-upload=false', '--bundle', '/dev/null', 'artifact']
/** For `{registry}`, the address of warm-up-registry.ts. */
const verifyImageWords = ['{registry}/app:v1', '--trusted-root', 'trusted_root.json', ...warmUpIdentity]
const withLibrary = process.argv.includes('--lib')
/** The server's program and its workers, by the names of their files in dist/server. */
const serverPrograms = { program: 'src/server/program.ts' }
interface Program {
  readonly entryPoint: string
  /** The command line whose functions go into its code cache. */
  readonly warmUp: readonly string[]
  /** Whether what it imports when needed is put aside, and its flags are data. In a program of many verbs that would be nearly everything. */
  readonly isFlat: boolean
}
const programs: Readonly<Record<string, Program>> = {
  main: { entryPoint: 'src/cli/main.ts', warmUp: ['sign-blob', ...signWords], isFlat: false },
  'sign-blob': { entryPoint: 'src/cli/sign-blob-main.ts', warmUp: ['sign-blob', ...signWords], isFlat: false },
  'verify-blob': { entryPoint: 'src/cli/verify-blob-main.ts', warmUp: ['verify-blob', ...verifyWords], isFlat: true },
  verify: { entryPoint: 'src/cli/verify-main.ts', warmUp: ['verify', ...verifyImageWords], isFlat: true },
  conformance: { entryPoint: 'src/cli/conformance-main.ts', warmUp: ['verify-bundle', ...verifyWords], isFlat: true },
}
const launchers = {
  main: { usual: 'main', byVerb: { 'verify-blob': 'verify-blob', verify: 'verify', 'sign-blob': 'sign-blob' } },
  conformance: { usual: 'conformance', byVerb: {} },
}
/** Libraries that the program imports, each put in a file of its own. */
const libraries = new Set<string>()
/** SDKs that users install themselves where they need them: they stay what `require` finds at run time. */
const optionalPackages = new Set(Object.keys(readPackage().peerDependencies))

rmSync(withLibrary ? 'dist' : outdir, { recursive: true, force: true })
rmSync(serverOutdir, { recursive: true, force: true })
mkdirSync(`${outdir}/library`, { recursive: true })
await Promise.all([...Object.entries(programs).map(([name, program]) => buildProgram(name, program)), buildServer()])
await Promise.all([...libraries].map(buildLibrary))
writeFileSync(`${outdir}/package.json`, '{"type":"commonjs"}\n')
await buildWorkers()
const registry = await startWarmUpRegistry()
for (const [name, { warmUp }] of Object.entries(programs)) await makeCodeCache(name, warmUp)
await registry.stop()
for (const [name, choice] of Object.entries(launchers)) {
  writeFileSync(`${outdir}/${name}.cjs`, launcher(choice, longestFile([choice.usual, ...Object.values(choice.byVerb)])))
  chmodSync(`${outdir}/${name}.cjs`, 0o755)
}
if (withLibrary) execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' })

function commonOptions(): BuildOptions {
  return {
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    minify: true,
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'error',
  }
}

async function buildProgram(name: string, { entryPoint, isFlat }: Program): Promise<void> {
  const { version } = readPackage()
  const options: BuildOptions = {
    ...commonOptions(),
    // import() would start Node's ES module loader; require() does not.
    supported: { 'dynamic-import': false },
    plugins: [serverAside(), librariesAside()],
    define: {
      __COUNTERSIGN_VERSION__: JSON.stringify(version),
      __COUNTERSIGN_COMMIT__: JSON.stringify(git('rev-parse', 'HEAD')),
      __COUNTERSIGN_TREE_STATE__: JSON.stringify(git('status', '--porcelain') === '' ? 'clean' : 'dirty'),
      __COUNTERSIGN_BUILD_DATE__: JSON.stringify(git('log', '-1', '--format=%cI')),
    },
  }
  await build({
    ...options,
    entryPoints: [entryPoint],
    outfile: `${outdir}/${name}-program.cjs`,
    banner: { js: wrapper.head },
    footer: { js: wrapper.foot },
    plugins: [...(isFlat ? [flagsAsData(), putAside(name, outdir, options)] : []), ...(options.plugins ?? [])],
  })
}

/** Functions are in the cache once they ran, so the program signs a file, or verifies one, or an image. */
async function makeCodeCache(program: string, words: readonly string[]): Promise<void> {
  const maker = path.resolve(outdir, `${program}-cache-maker.cjs`)
  writeFileSync(maker, cacheMaker(program, longestFile([program])))
  const child = spawn(process.execPath, [maker, ...words.map((word) => word.replace('{registry}', registry.host))], {
    cwd: 'scripts/warm-up',
    env: { ...process.env, COSIGN_PASSWORD: 'warm-up' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [said, [status]] = await Promise.all([text(child.stderr), once(child, 'close')])
  rmSync(maker)
  if (status !== 0) throw new Error(`the program that was built does not run in scripts/warm-up: ${said}`)
}

/** Bytes in the longest of the files of these programs. */
function longestFile(names: readonly string[]): number {
  const files = names.flatMap((name) => [`${outdir}/${name}-program.cjs`, `${outdir}/${name}-program.cjs.cache`])
  return Math.max(...files.map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0))
}

async function buildLibrary(library: string): Promise<void> {
  await build({
    ...commonOptions(),
    stdin: { contents: `export * from '${library}'`, resolveDir: '.' },
    outfile: `${outdir}/library/${fileOf(library)}`,
  })
}

/** Libraries that are not put into the server's program: native code, and what starts threads from files of its own. */
const outsideServer = ['libsql', 'pg', 'pg-native', 'pino']

/**
 * The server starts once and runs for months: ES modules that can be read in a stack trace. Its libraries are put in, because finding and
 * reading their several hundred files was half of a start.
 */
async function buildServer(): Promise<void> {
  await build({
    entryPoints: serverPrograms,
    outdir: serverOutdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: outsideServer,
    // For libraries in CommonJS that ask for Node's modules.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'error',
  })
}

/** Puts the launcher's import of the server's program in the place of the source's. */
function serverAside(): Plugin {
  return {
    name: 'server-aside',
    setup(build) {
      build.onLoad({ filter: /[/\\]cli[/\\]server-program\.ts$/ }, () => ({
        contents: "export function loadServerProgram() { return importServer('program.js') }",
      }))
    },
  }
}

/** Resolves the libraries to their own files. */
function librariesAside(): Plugin {
  return {
    name: 'libraries-aside',
    setup(build) {
      build.onResolve({ filter: /^[^.]/ }, ({ path: specifier, kind }) => {
        if (kind === 'entry-point' || specifier.startsWith('node:')) return undefined
        if (optionalPackages.has(specifier)) return { path: specifier, external: true }
        libraries.add(specifier)
        return { path: `./library/${fileOf(specifier)}`, external: true }
      })
    },
  }
}

function fileOf(library: string): string {
  return `${library.replace(/\.js$/, '').replaceAll(/[@/]/g, '-').replace(/^-/, '')}.cjs`
}

function readPackage(): { readonly version: string; readonly peerDependencies: Readonly<Record<string, string>> } {
  return JSON.parse(readFileSync('package.json', 'utf8')) as ReturnType<typeof readPackage>
}

function git(...words: string[]): string {
  try {
    return execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'unknown'
  }
}
