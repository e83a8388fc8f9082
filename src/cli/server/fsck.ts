/** `server fsck`: reads everything that a server has stored again. */
import { CountersignError } from '../../error.ts'
import { defineCommand } from '../command.ts'
import type { CommandContext } from '../context.ts'
import { boolFlag } from '../flags.ts'
import { formatJson } from '../inspection/json-text.ts'
import { noArguments } from '../positional.ts'
import { printable } from '../quote.ts'
import type { ServerProgram } from '../server-program.ts'
import { loadServerProgram } from '../server-program.ts'
import { dataFlags, dataOptions } from './flags.ts'
import { count, outputFlag } from './output.ts'

type Report = Awaited<ReturnType<ServerProgram['fsckServer']>>

export const command = defineCommand({
  long: `Read every entry of every log again, and the TUF repository: tiles, tree and proofs are made anew and compared, signatures over checkpoints
and in entries are verified, heads are compared with their copies in the folder heads. Nothing is changed, and the server may be running.

What is wrong is printed one finding a line: the log, the entry, what is wrong, what to do. The exit code is 0 when nothing is.`,
  examples: `  # After a restore
  countersign server fsck --data /var/lib/countersign

  # Every night, without the signatures in entries, which cost most
  countersign server fsck --data /var/lib/countersign --quick -o json`,
  flags: {
    ...dataFlags,
    ...outputFlag,
    quick: boolFlag('leave out the signatures in entries and over certificates'),
  },
  positional: noArguments,
  untimed: true,
  async run(context, flags) {
    const program = await loadServerProgram()
    const administration = await program.openAdministration({ ...dataOptions(context, flags), mustExist: true })
    const progress = createProgress(context)
    try {
      const report = await program.fsckServer(administration, {
        quick: flags.quick,
        onProgress: (log, checked, size) => {
          context.signal.throwIfAborted()
          progress.show(log, checked, size)
        },
      })
      progress.clear()
      context.stdout.write(flags.output === 'json' ? `${reportJson(report)}\n` : reportText(report))
      if (report.findings.length > 0) throw new CountersignError('LOG_CORRUPT', `${count(report.findings.length, 'finding')}, see above`)
    } finally {
      progress.clear()
      await administration.close()
    }
  },
})

function reportText({ logs, findings, cutShort }: Report): string {
  const found = new Set(findings.map(({ log }) => log))
  const lines = [
    ...logs.filter(({ log }) => !found.has(log)).map(({ log, size }) => `${log}: ${size} entries, sound`),
    ...(found.has('tuf') ? [] : ['tuf: sound']),
    ...findings.map(({ log, index, problem, advice }) => {
      const place = index === undefined ? log : `${log}, entry ${index}`
      return `${place}: ${problem}${advice === undefined ? '' : `; to do: ${advice}`}`
    }),
    ...cutShort.map((log) => `${log}: more may be wrong than is listed`),
  ]
  return lines.map((line) => `${printable(line)}\n`).join('')
}

function reportJson({ logs, findings, cutShort }: Report): string {
  return formatJson({
    logs: logs.map(({ log, size }) => ({ log, size })),
    findings: findings.map(({ log, index, problem, advice }) => ({ log, index, problem, advice })),
    cutShort: [...cutShort],
  })
}

/** A line on the terminal that is written over. */
function createProgress(context: CommandContext): {
  readonly show: (log: string, checked: bigint, size: bigint) => void
  readonly clear: () => void
} {
  const pauseMs = 200
  let shownMs = Number.NEGATIVE_INFINITY
  return {
    show: (log, checked, size) => {
      if (!context.stderr.isTTY || context.now() - shownMs < pauseMs) return
      shownMs = context.now()
      context.stderr.write(`\r${log}: ${checked} of ${size} entries\u001B[K`)
    },
    clear: () => {
      if (shownMs !== Number.NEGATIVE_INFINITY) context.stderr.write('\r\u001B[K')
      shownMs = Number.NEGATIVE_INFINITY
    },
  }
}
