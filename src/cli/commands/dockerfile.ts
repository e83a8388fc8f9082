/** `dockerfile`: the verb about images that a Dockerfile names. */
import { defineGroup } from '../command.ts'

export const command = defineGroup({
  long: 'Work with the images that a Dockerfile names.',
  subcommands: [
    {
      name: 'verify',
      short: 'Verify the signatures of the images that a Dockerfile names',
      load: () => import('../images/verify-dockerfile-command.ts'),
    },
  ],
})
