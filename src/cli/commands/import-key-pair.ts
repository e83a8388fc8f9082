/** `import-key-pair`: a key that was made elsewhere. */
import { defineCommand } from '../command.ts'
import { boolFlag, stringFlag } from '../flags.ts'
import { noArguments } from '../positional.ts'

export const command = defineCommand({
  long: `Import a private key for signing: an RSA or ECDSA key in the clear, or an Ed25519 one, in PEM.

It may be of the forms that openssl writes: PRIVATE KEY (PKCS#8), RSA PRIVATE KEY (PKCS#1) or EC PRIVATE KEY (SEC 1). What is
written is encrypted with a password: that of COSIGN_PASSWORD (which may be empty), or asked for, or what is piped in.`,
  examples: `  # import-cosign.key and import-cosign.pub
  countersign import-key-pair --key openssl.pem

  # release.key and release.pub
  countersign import-key-pair --key openssl.pem --output-key-prefix release`,
  flags: {
    key: stringFlag('private key to import: a file, a URL or env://NAME', { shorthand: 'k', completion: 'file' }),
    'output-key-prefix': stringFlag('name of the files, before .key and .pub', {
      shorthand: 'o',
      default: 'import-cosign',
      completion: 'file',
    }),
    yes: boolFlag('overwrite a key that is there already without asking', { shorthand: 'y' }),
  },
  positional: noArguments,
  async run(context, flags) {
    const { importKeyPair } = await import('../keys/import-key-pair.ts')
    await importKeyPair(context, flags)
  },
})
