/** `server tuf export`: metadata that waits for signatures of keys that are offline. */
import { CountersignError } from '../../../error.ts'
import { defineCommand } from '../../command.ts'
import { oneOf } from '../../positional.ts'
import { dataFlags } from '../flags.ts'
import { administer } from '../user.ts'

export const command = defineCommand({
  synopsis: 'root|targets',
  long: 'Print the root.json or targets.json that waits for signatures, with those it has, to carry it to where the key is.',
  examples: `  countersign server tuf export root > root.json`,
  flags: dataFlags,
  positional: oneOf(['root', 'targets']),
  run: (context, flags, [role = '']) =>
    administer(
      context,
      flags,
      async ({ tuf }) => {
        const bytes = await tuf.pending(role === 'root' ? 'root' : 'targets')
        if (bytes === undefined) {
          const advice = role === 'root' ? '; the next root is made with: countersign server tuf rotate' : ''
          throw new CountersignError('NOT_FOUND', `no ${role}.json waits for signatures${advice}`)
        }
        context.stdout.write(bytes)
      },
      { mustExist: true },
    ),
})
