/** `server tuf status`. */
import { defineCommand } from '../../command.ts'
import { formatJson } from '../../inspection/json-text.ts'
import { noArguments } from '../../positional.ts'
import { printable } from '../../quote.ts'
import { dataFlags } from '../flags.ts'
import { outputFlag } from '../output.ts'
import { administer } from '../user.ts'
import { describeOutcome } from './outcome.ts'

const roles = ['root', 'targets', 'snapshot', 'timestamp'] as const

export const command = defineCommand({
  long: 'Print which versions are published, until when they are valid, what waits for signatures, and what somebody should look after.',
  examples: `  countersign server tuf status --data /var/lib/countersign

  # When the root expires
  countersign server tuf status -o json | jq -r .expires.root`,
  flags: { ...dataFlags, ...outputFlag },
  positional: noArguments,
  run: (context, flags) =>
    administer(
      context,
      flags,
      async ({ tuf }) => {
        const { versions, expires, awaiting, problems, notices } = await tuf.status()
        const until = expires && Object.fromEntries(roles.map((role) => [role, new Date(expires[role]).toISOString()]))
        if (flags.output === 'json') {
          const json = {
            versions,
            expires: until,
            awaiting: awaiting.map((one) => ({ ...one })),
            problems: [...problems],
            notices: [...notices],
          }
          context.stdout.write(`${formatJson(json)}\n`)
          return
        }
        const lines = [
          ...roles.flatMap((role) =>
            versions === undefined ? [] : [`${role.padEnd(9)}  version ${versions[role]}, until ${until?.[role] ?? ''}`],
          ),
          ...describeOutcome({ versions, awaiting }).slice(versions === undefined ? 0 : 1),
          ...problems.map((problem) => `problem: ${problem}`),
          ...notices.map((notice) => `notice: ${notice}`),
        ]
        context.stdout.write(lines.map((line) => `${printable(line)}\n`).join(''))
      },
      { mustExist: true },
    ),
})
