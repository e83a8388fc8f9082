/** `debug providers`: which sources offer an identity token here, in the order in which they are asked. The lines are cosign's. */
import { listTokenSources } from '../../identity/ambient-token.ts'
import { defineCommand } from '../command.ts'
import { noArguments } from '../positional.ts'

export const command = defineCommand({
  long: 'Shows which sources offer an identity token here, in the order in which they are asked. The first one that does is used; none is asked now.',
  flags: {},
  positional: noArguments,
  async run(context) {
    for (const { name, isOffered } of await listTokenSources({ env: context.env })) context.stdout.write(`${name}: ${isOffered}\n`)
  },
})
