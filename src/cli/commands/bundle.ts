/** `bundle`: the verbs about bundles as files. */
import { defineGroup } from '../command.ts'

export const command = defineGroup({
  long: 'Work with Sigstore bundles: the files that hold a signature and everything that proves it.',
  subcommands: [
    {
      name: 'inspect',
      short: 'Show what a bundle holds, without verifying it',
      load: () => import('../inspection/command.ts'),
    },
  ],
})
