/** `server tuf import`: metadata that was signed elsewhere. */
import { defineCommand } from '../../command.ts'
import { exactly } from '../../positional.ts'
import { readInputFile } from '../../verification/input-file.ts'
import { dataFlags, dataOptions } from '../flags.ts'
import { administer } from '../user.ts'
import { describeConfigured, describeOutcome } from './outcome.ts'

const maxBytes = 4 * 1024 * 1024

export const command = defineCommand({
  synopsis: 'FILE',
  long: `Take a root.json or targets.json with more signatures, or a next root that was made and signed elsewhere. It is published as soon as it has
all signatures that clients ask for.`,
  examples: `  countersign server tuf import root.json`,
  flags: dataFlags,
  positional: { ...exactly(1), completion: 'file' },
  run: (context, flags, [file = '']) =>
    administer(
      context,
      flags,
      async (administration, program) => {
        const bytes = readInputFile(context.cwd, file, 'the signed metadata', maxBytes)
        const { outcome, nowConfigured } = await program.importTuf(administration, bytes, dataOptions(context, flags).passphrase)
        context.stdout.write(`${[...describeOutcome(outcome), ...describeConfigured(nowConfigured)].join('\n')}\n`)
      },
      { mustExist: true },
    ),
})
