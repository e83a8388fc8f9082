/** `server machine`: programs that get identity tokens with a secret of their own. */
import { defineCommand, defineGroup } from '../command.ts'
import { UsageError } from '../../error.ts'
import { stringFlag } from '../flags.ts'
import { exactly } from '../positional.ts'
import { loadServerProgram } from '../server-program.ts'
import { dataFlags, dataOptions } from './flags.ts'

const add = defineCommand({
  synopsis: 'ID',
  long: `Add a machine to server.yaml: a program that gets tokens about one identity with a secret, which is printed once.

The server reads server.yaml when it starts. A token is asked for with the client credentials grant:
  curl -u ID:SECRET -d grant_type=client_credentials https://sigstore.example.com/oidc/token`,
  examples: `  countersign server machine add release-bot --email release-bot@example.com`,
  flags: {
    ...dataFlags,
    email: stringFlag('e-mail address that its certificates are for', { completion: 'none' }),
    subject: stringFlag('subject of its tokens, for issuers of the types uri and username', { completion: 'none' }),
  },
  positional: exactly(1),
  async run(context, flags, [id = '']) {
    if (flags.email === '' && flags.subject === '') throw new UsageError('USAGE', 'a machine needs an identity: give --email or --subject')
    const program = await loadServerProgram()
    const { secret, secretHash } = program.createMachineSecret()
    const identity = { ...(flags.email === '' ? {} : { email: flags.email }), ...(flags.subject === '' ? {} : { subject: flags.subject }) }
    await program.addMachine(dataOptions(context, flags).folder, { id, 'secret-hash': secretHash, ...identity })
    context.stdout.write(`added ${id}, secret ${secret}\nRestart the server to make it known.\n`)
  },
})

export const command = defineGroup({
  long: 'Programs that get identity tokens from the own issuer of a server with a secret.',
  subcommands: [{ name: 'add', short: 'Add a machine', load: () => Promise.resolve({ command: add }) }],
})
