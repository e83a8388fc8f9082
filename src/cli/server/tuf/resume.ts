/** `server tuf resume`: goes on after an operator has looked into it. */
import { defineCommand } from '../../command.ts'
import { boolFlag } from '../../flags.ts'
import { noArguments } from '../../positional.ts'
import { dataFlags, dataOptions } from '../flags.ts'
import { administer } from '../user.ts'
import { describeConfigured, describeOutcome } from './outcome.ts'

export const command = defineCommand({
  long: `Go on with the TUF repository although the database is older than what was published (TUF_ROLLED_BACK): new metadata is published, with
versions above all that clients have seen. A root that was published after the backup cannot be made again: get it from a client
(~/.sigstore/root) and import it first, which says that it waits for this verb.

With --clock, go on although the clock says an earlier time than when metadata was last signed (CLOCK_SUSPECT): it was ahead then, and is
right now.`,
  examples: `  # After a restore of the database
  countersign server tuf resume --data /var/lib/countersign

  # After the clock was set back to the right time
  countersign server tuf resume --data /var/lib/countersign --clock`,
  flags: { ...dataFlags, clock: boolFlag('the clock was ahead when metadata was last signed, and is right now') },
  positional: noArguments,
  run: (context, flags) =>
    administer(
      context,
      flags,
      async (administration, program) => {
        const { passphrase } = dataOptions(context, flags)
        const { outcome, nowConfigured } = await program.resumeTuf(administration, flags.clock ? 'clock' : 'rollback', passphrase)
        context.stdout.write(`${[...describeOutcome(outcome), ...describeConfigured(nowConfigured)].join('\n')}\n`)
      },
      { mustExist: true },
    ),
})
