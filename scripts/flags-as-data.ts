/**
 * Tables of flags as data. Making some sixty flags costs a process that checks one file a fifth of a millisecond, as every literal and
 * every call runs for the first time; reading them as JSON costs a tenth of that. So the calls run when the program is built.
 */
import { isDeepStrictEqual } from 'node:util'
import { build as bundle } from 'esbuild'
import type { Plugin } from 'esbuild'

/** Puts what `src/cli/flag-groups.ts` exports in the place of its code. */
export function flagsAsData(): Plugin {
  return {
    name: 'flags-as-data',
    setup(build) {
      build.onLoad({ filter: /[/\\]cli[/\\]flag-groups\.ts$/ }, async ({ path: file }) => {
        const exported = Object.entries(await evaluate(file))
        return { contents: exported.map(([name, value]) => `export const ${name} = ${asCode(name, value)}\n`).join('') }
      })
    },
  }
}

async function evaluate(file: string): Promise<Readonly<Record<string, unknown>>> {
  const { outputFiles } = await bundle({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
  })
  const code = outputFiles[0]?.text ?? ''
  return (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as Readonly<Record<string, unknown>>
}

/** Pure, so that a table of other verbs is left out of a program that does not have them. */
function asCode(name: string, value: unknown): string {
  const json = JSON.stringify(value)
  if (!isDeepStrictEqual(JSON.parse(json), value))
    throw new Error(`${name} of flag-groups.ts holds what JSON cannot: it has to move to another file`)
  return `/* @__PURE__ */ JSON.parse(${JSON.stringify(json)})`
}
