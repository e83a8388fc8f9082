/** `version`: what is running. */
import { buildInfo } from '../build-info.ts'
import { defineCommand } from '../command.ts'
import { boolFlag } from '../flags.ts'
import { anyArguments } from '../positional.ts'

/** The names that Go, and so cosign, has for what Node calls otherwise. */
const SYSTEMS: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' }
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' }

export const command = defineCommand({
  examples: '  countersign version\n\n  # for scripts\n  countersign version --json',
  flags: {
    json: boolFlag('print JSON instead of text'),
  },
  positional: { ...anyArguments, completion: 'none' },
  run(context, flags, _args, { program }) {
    const { version, commit, treeState, date } = buildInfo
    const nodeVersion = process.version
    const platform = `${SYSTEMS[process.platform] ?? process.platform}/${ARCHITECTURES[process.arch] ?? process.arch}`
    if (flags.json) {
      const info = {
        gitVersion: version,
        gitCommit: commit,
        gitTreeState: treeState,
        buildDate: date,
        nodeVersion,
        compiler: 'v8',
        platform,
      }
      context.stdout.write(`${JSON.stringify(info, null, 2)}\n`)
      return
    }
    const rows = [
      ['GitVersion:', version],
      ['GitCommit:', commit],
      ['GitTreeState:', treeState],
      ['BuildDate:', date],
      ['NodeVersion:', nodeVersion],
      ['Platform:', platform],
    ] as const
    const lines = rows.map(([label, value]) => label.padEnd(15) + value)
    context.stdout.write(`${program.name}: ${program.short}\n\n${lines.join('\n')}\n`)
  },
})
