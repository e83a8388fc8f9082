/** `server doctor`: what is wrong with a server, or soon will be, and what to do. */
import { CountersignError } from '../../error.ts'
import type { Diagnosis } from '../../server/program.ts'
import { defineCommand } from '../command.ts'
import { boolFlag } from '../flags.ts'
import { formatJson } from '../inspection/json-text.ts'
import { noArguments } from '../positional.ts'
import { printable } from '../quote.ts'
import { loadServerProgram } from '../server-program.ts'
import { dataFlags, dataOptions } from './flags.ts'
import { count, outputFlag } from './output.ts'

export const command = defineCommand({
  long: `Look at a server's folder, its database and, where it runs, at the server itself: configuration, issuers, keys and who may read them,
certificates and when they end, disk space, heads of the logs, TUF repository, clock, readiness, and whether the trusted root that clients
get is the one of this folder. Nothing is changed, and the server may be running.

Each line is ok, warn or fail, with what to do below it. The exit code is 1 when something fails.`,
  examples: `  countersign server doctor --data /var/lib/countersign

  # Without any request to the server's address or to issuers
  countersign server doctor --data /var/lib/countersign --offline -o json`,
  flags: {
    ...dataFlags,
    ...outputFlag,
    offline: boolFlag('send no request: neither to the address of the server nor to issuers'),
  },
  positional: noArguments,
  async run(context, flags) {
    const program = await loadServerProgram()
    const isText = flags.output === 'text'
    const diagnoses = await program.examineServer({
      ...dataOptions(context, flags),
      offline: flags.offline,
      env: context.env,
      signal: context.signal,
      onDiagnosis: (diagnosis) => {
        if (isText) context.stdout.write(textOf(diagnosis))
      },
    })
    if (!isText) {
      const json = diagnoses.map(({ check, verdict, message, advice }) => ({ check, verdict, message, advice }))
      context.stdout.write(`${formatJson(json)}\n`)
    }
    const failed = diagnoses.filter(({ verdict }) => verdict === 'fail').length
    if (failed > 0) throw new CountersignError('CONFIGURATION_INVALID', `${count(failed, 'check')} failed, see above`)
  },
})

function textOf({ check, verdict, message, advice }: Diagnosis): string {
  const line = `${verdict.padEnd(4)}  ${check}: ${message}`
  return `${printable(line)}\n${advice === undefined ? '' : `      ${printable(advice)}\n`}`
}
