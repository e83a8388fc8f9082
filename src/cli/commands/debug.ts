/** `debug`: a hidden verb of cosign that shows what the program sees of its surroundings. */
import { defineGroup } from '../command.ts'

export const command = defineGroup({
  subcommands: [
    {
      name: 'providers',
      short: 'Show which sources offer an identity token here',
      load: () => import('../signing/providers.ts'),
    },
  ],
})
