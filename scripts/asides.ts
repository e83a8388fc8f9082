/**
 * What a program imports only when it needs it, put aside: each such module is a file of its own with everything below it,
 * so that the program itself holds nothing but what it always evaluates, in one scope. A module aside has copies of what it
 * shares with the program, all but the classes of errors, by which failures are told apart: those the program hands over.
 */
import path from 'node:path'
import { build as bundle } from 'esbuild'
import type { BuildOptions, Plugin } from 'esbuild'

const sharedFile = './src/error.ts'
const sharedName = 'errors-of-the-program'
const namespace = 'aside'

/** Names each of them `<program>-<module>.cjs`, beside the program. */
export function putAside(program: string, outdir: string, options: BuildOptions): Plugin {
  const fileOf = (module: string): string => `${program}-${path.basename(module, '.ts')}.cjs`
  const modules = new Map<string, string>()
  return {
    name: 'put-aside',
    setup(build) {
      build.onResolve({ filter: /^\./ }, ({ path: specifier, kind, resolveDir }) => {
        if (kind !== 'dynamic-import') return undefined
        const module = path.resolve(resolveDir, specifier)
        const other = modules.get(fileOf(module)) ?? module
        if (other !== module) throw new Error(`${module} and ${other} cannot both be put aside, as their files have one name`)
        modules.set(fileOf(module), module)
        return { path: module, namespace }
      })
      build.onLoad({ filter: /./, namespace }, ({ path: module }) => ({
        contents: `module.exports = require('./${fileOf(module)}')(require('${sharedFile}'))`,
        resolveDir: path.resolve('.'),
      }))
      build.onResolve({ filter: /^\.\/[\w-]+\.cjs$/, namespace }, ({ path: file }) => ({ path: file, external: true }))
      build.onEnd(async ({ errors }) => {
        if (errors.length > 0) return
        await Promise.all([...modules].map(([file, module]) => buildAside(module, `${outdir}/${file}`, options)))
      })
    },
  }
}

/** A function of the shared module that gives what the module exports. */
async function buildAside(module: string, outfile: string, { plugins = [], ...options }: BuildOptions): Promise<void> {
  const takeShared: Plugin = {
    name: 'take-shared',
    setup(build) {
      build.onResolve({ filter: /\/error\.ts$/ }, ({ path: specifier, resolveDir }) =>
        path.resolve(resolveDir, specifier) === path.resolve(sharedFile) ? { path: sharedName, external: true } : undefined,
      )
    },
  }
  await bundle({
    ...options,
    entryPoints: [module],
    outfile,
    plugins: [takeShared, ...plugins],
    banner: {
      js: `module.exports = (shared, load = require) => { const module = { exports: {} }, require = (name) => (name === '${sharedName}' ? shared : load(name));`,
    },
    footer: { js: 'return module.exports }' },
  })
}
