/** `initialize`: which Sigstore instance is trusted from now on. */
import { defineCommand } from '../command.ts'
import { boolFlag, stringFlag } from '../flags.ts'
import { noArguments } from '../positional.ts'

export const command = defineCommand({
  long: `Start anew with a TUF repository, from which the trusted root and the signing config of a Sigstore instance come.

The cache ($TUF_ROOT, or ~/.sigstore/root) is emptied. From then on signing and verifying use the instance of --mirror.
--root is the first root.json to trust: a file or a URL. Without it, the public instance's is used, which this program has.`,
  examples: `  # The public instance
  countersign initialize

  # An instance of your own
  countersign initialize --mirror https://sigstore.example.com/tuf --root root.json

  # The same, with the root from the network, held to its checksum
  countersign initialize --mirror https://sigstore.example.com/tuf \\
    --root https://sigstore.example.com/tuf/1.root.json --root-checksum 2f3c…

  # Without a network
  countersign initialize --mirror file:///mnt/tuf --root /mnt/tuf/1.root.json`,
  flags: {
    mirror: stringFlag('address of the TUF repository: https://, http:// or file:///', {
      default: 'https://tuf-repo-cdn.sigstore.dev',
      completion: 'none',
    }),
    root: stringFlag('first root.json to trust: a file or a URL', { completion: 'file' }),
    'root-checksum': stringFlag('digest that the root must have, in hex: SHA-256, or sha512: in front of it', { completion: 'none' }),
    staging: boolFlag('the staging instance'),
  },
  positional: noArguments,
  async run(context, flags) {
    const { initialize } = await import('../signing/initialize.ts')
    await initialize(context, flags)
  },
})
