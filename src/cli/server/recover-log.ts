/** `server recover-log`: goes on with a database that is older than what was signed. */
import path from 'node:path'
import { UsageError } from '../../error.ts'
import { defineCommand } from '../command.ts'
import { boolFlag, stringFlag } from '../flags.ts'
import { noArguments } from '../positional.ts'
import type { ServerProgram } from '../server-program.ts'
import { loadServerProgram } from '../server-program.ts'
import { confirm } from '../signing/confirmation.ts'
import { dataFlags, dataOptions } from './flags.ts'

type Examination = Awaited<ReturnType<ServerProgram['examineRollback']>>

export const command = defineCommand({
  long: `Go on with a database that is older than what one of its logs has signed, because the newer one is lost. The server refuses to sign for
such a log (LOG_ROLLED_BACK) until then, and must not be running.

What is given up is said first, and asked for. Restore the newest backup there is before; "countersign server fsck" checks it.`,
  examples: `  countersign server recover-log --data /var/lib/countersign --accept-rollback rekor-v2-1`,
  flags: {
    ...dataFlags,
    'accept-rollback': stringFlag('the log to go on with, by its id in server.yaml', {
      placeholder: 'log',
      required: true,
      completion: 'none',
    }),
    yes: boolFlag('do not ask', { shorthand: 'y' }),
  },
  positional: noArguments,
  untimed: true,
  async run(context, flags) {
    const program = await loadServerProgram()
    const logId = flags['accept-rollback']
    const administration = await program.openAdministration({ ...dataOptions(context, flags), isSole: true })
    try {
      const { storage, folder, configuration } = administration
      if (!configuration.logs.some(({ id }) => id === logId)) {
        const ids = configuration.logs.map(({ id }) => id).join(', ')
        throw new UsageError('USAGE', `server.yaml has no log ${logId}: it has ${ids}`)
      }
      const headsFolder = path.join(folder, program.dataFiles.heads)
      const found = await program.examineRollback({ logId, storage, headsFolder })
      if (found.kind === 'none') {
        context.stdout.write(`nothing to accept: the database has everything that the log ${logId} has signed\n`)
        return
      }
      context.stderr.write(`${lossOf(logId, found).join('\n')}\n\n`)
      if (!flags.yes) await confirm(context)
      const { acceptedSize } = await program.acceptRollback({ logId, heads: storage.heads, headsFolder })
      context.stdout.write(`the log ${logId} goes on from ${acceptedSize} entries\n`)
    } finally {
      await administration.close()
    }
  },
})

function lossOf(logId: string, { kind, signedSize = 0n, databaseSize = 0n }: Examination): string[] {
  if (kind === 'unknown') {
    return [
      `The database has ${databaseSize} entries of the log ${logId}. Whether more were signed nobody can tell, for the copy of its newest head is`,
      'missing or damaged. If there were more, they are lost, and the log forks: see docs/self-hosting.md.',
    ]
  }
  const shared = kind === 'shorter' ? databaseSize : 0n
  return [
    kind === 'shorter'
      ? `The log ${logId} has signed ${signedSize} entries, the database has ${databaseSize}: the entries from ${shared} to ${signedSize - 1n} are lost.`
      : `The log ${logId} has signed ${signedSize} entries, and the database has others in their place.`,
    'What was signed by those who had them logged stays verifiable with their bundles, but nobody finds it in the log any more.',
    'Other entries will get their indices: the log forks, and whoever has seen the larger tree can prove it. Tell its auditors.',
    'A log without a fork is a new one: see "Rotate" in docs/self-hosting.md.',
  ]
}
