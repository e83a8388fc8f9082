/** `signing-config create`. */
import { defineCommand } from '../command.ts'
import { noArguments } from '../positional.ts'
import { signingConfigFlags } from './signing-config-flags.ts'

export const command = defineCommand({
  long: `Makes a signing config: the file that says which services a signer uses.

Each service is a flag of its own, which can be repeated, with keys and values separated by commas. Times are RFC 3339.
--rekor-config and --tsa-config say how many of several are used: ANY one, ALL, or EXACT:2.

Of a --base-config, the services of a kind are replaced when there is a flag for that kind. Services that TUF distributes
(--with-default-services) are added to. --no-default-… leaves out the services of a kind from either.`,
  examples: `  # An instance of your own
  countersign signing-config create \\
    --fulcio url=https://fulcio.example.com,api-version=1,start-time=2025-01-01T00:00:00Z,operator=example.com \\
    --oidc-provider url=https://oidc.example.com,api-version=1,start-time=2025-01-01T00:00:00Z,operator=example.com \\
    --rekor url=https://rekor.example.com,api-version=1,start-time=2025-01-01T00:00:00Z,operator=example.com --rekor-config ANY \\
    --tsa url=https://tsa.example.com/api/v1/timestamp,api-version=1,start-time=2025-01-01T00:00:00Z,operator=example.com \\
    --tsa-config EXACT:1 --out signing_config.json

  # The public instance without a transparency log
  countersign signing-config create --with-default-services --no-default-rekor --out signing_config.json`,
  flags: signingConfigFlags,
  positional: noArguments,
  exclusive: [
    ['base-config', 'with-default-services'],
    ['base-config', 'with-default-rekor-v2'],
  ],
  async run(context, flags) {
    const { createSigningConfigFile } = await import('./create-signing-config.ts')
    await createSigningConfigFile(context, flags)
  },
})
