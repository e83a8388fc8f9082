/** `generate-key-pair`: a key of one's own. */
import { defineCommand } from '../command.ts'
import { boolFlag, stringFlag } from '../flags.ts'

export const command = defineCommand({
  synopsis: '[STORE]',
  long: `Generate a key pair for signing: ECDSA on P-256, the private key encrypted with a password.

The files are cosign.key and cosign.pub. Given a STORE, the private key is kept there, with its password, as secrets of a
Kubernetes namespace, a GitHub repository or organisation, or a GitLab project or group; only the public key is written to a
file. With --kms the key is made in a key management service, and never leaves it.

The password is that of COSIGN_PASSWORD (which may be empty), or asked for, or what is piped in, as a whole.`,
  examples: `  # cosign.key and cosign.pub
  countersign generate-key-pair

  # release.key and release.pub
  countersign generate-key-pair --output-key-prefix release

  # A Kubernetes secret, for --key k8s://production/release
  countersign generate-key-pair k8s://production/release

  # GitHub Actions secrets of a repository, or of an organisation; GITHUB_TOKEN must be set
  countersign generate-key-pair github://owner/repository
  countersign generate-key-pair github://owner

  # GitLab CI/CD variables of a project by path or ID, or of a group; GITLAB_TOKEN must be set
  countersign generate-key-pair gitlab://group/project
  countersign generate-key-pair gitlab://42

  # In a key management service
  countersign generate-key-pair --kms awskms:///alias/release`,
  flags: {
    kms: stringFlag('make the key in a key management service, which keeps it', { placeholder: 'uri', completion: 'none' }),
    'output-key-prefix': stringFlag('name of the files, before .key and .pub', { default: 'cosign', completion: 'file' }),
    yes: boolFlag('overwrite a key that is there already without asking', { shorthand: 'y' }),
  },
  positional: { minimum: 0, maximum: 1, completion: 'none' },
  async run(context, flags, [place = '']) {
    const { generateKeyPair } = await import('../keys/generate-key-pair.ts')
    await generateKeyPair(context, flags, place)
  },
})
