/** `login`: credentials for a registry. */
import { defineCommand } from '../command.ts'
import { boolFlag, setByCommandLineOnly, stringFlag } from '../flags.ts'
import { exactly } from '../positional.ts'

export const command = defineCommand({
  synopsis: 'REGISTRY',
  long: `Keep the credentials for a registry where "docker login" keeps them, after the registry has taken them.

They are written to config.json in DOCKER_CONFIG (default ~/.docker), or given to the credential helper that this file names.`,
  examples: `  echo "$TOKEN" | countersign login ghcr.io --username me --password-stdin`,
  flags: setByCommandLineOnly({
    password: stringFlag('password; others can read it on the command line', { shorthand: 'p', completion: 'none' }),
    'password-stdin': boolFlag('read the password from standard input'),
    username: stringFlag('user name', { shorthand: 'u', completion: 'none' }),
  }),
  positional: exactly(1),
  async run(context, flags, [server = '']) {
    const { loginToRegistry } = await import('../images/login-registry.ts')
    await loginToRegistry(context, flags, server)
  },
})
