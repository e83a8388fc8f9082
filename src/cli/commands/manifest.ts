/** `manifest`: the verb about images that Kubernetes resources name. */
import { defineGroup } from '../command.ts'

export const command = defineGroup({
  long: 'Work with the images that Kubernetes resources name.',
  subcommands: [
    {
      name: 'verify',
      short: 'Verify the signatures of the images that Kubernetes resources name',
      load: () => import('../images/verify-manifest-command.ts'),
    },
  ],
})
