/** `public-key`: the public half of a key, for those who verify. */
import { defineCommand } from '../command.ts'
import { securityKeyFlags } from '../flag-groups.ts'
import { stringFlag } from '../flags.ts'
import { noArguments } from '../positional.ts'

export const command = defineCommand({
  long: `Print the public key that belongs to a key, in PEM.

Of a private key in a file, at a URL or in an environment variable it is made, which takes its password; Kubernetes secrets,
GitLab variables, key management services and tokens are asked for it.`,
  examples: `  countersign public-key --key cosign.key

  # Into a file
  countersign public-key --key cosign.key --outfile cosign.pub

  # Of a Kubernetes secret
  countersign public-key --key k8s://production/release`,
  flags: {
    ...securityKeyFlags,
    key: stringFlag('key: a file, a URL, env://NAME, or a reference to a KMS, a Kubernetes secret or a token', { completion: 'file' }),
    outfile: stringFlag('write the key to this file', { placeholder: 'file', completion: 'file' }),
  },
  positional: noArguments,
  async run(context, flags) {
    const { printPublicKey } = await import('../keys/public-key.ts')
    await printPublicKey(context, flags)
  },
})
