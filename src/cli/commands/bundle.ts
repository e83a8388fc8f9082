/** `bundle`: the verbs about bundles as files. */
import { defineGroup } from '../command.ts'

export const command = defineGroup({
  long: 'Work with Sigstore bundles: the files that hold a signature and everything that proves it.',
  subcommands: [
    {
      name: 'create',
      short: 'Make a bundle of signatures, certificates and local bundles of cosign 1 and 2',
      load: () => import('../bundles/create-command.ts'),
    },
    {
      name: 'inspect',
      short: 'Show what a bundle holds, without verifying it',
      load: () => import('../inspection/command.ts'),
    },
    {
      name: 'upgrade',
      short: 'Make a bundle of version 0.3 of an older one',
      load: () => import('../bundles/upgrade-command.ts'),
    },
  ],
})
