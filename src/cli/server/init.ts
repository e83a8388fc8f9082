/** `server init`: makes a server, and its first user. */
import { parsePrivateKeyPem } from '../../crypto/private-key.ts'
import type { KeyKind } from '../../crypto/private-key.ts'
import { decodeUtf8 } from '../../encoding/bytes.ts'
import { parsePem } from '../../encoding/pem.ts'
import { UsageError } from '../../error.ts'
import { defineCommand } from '../command.ts'
import type { CommandContext } from '../context.ts'
import { boolFlag, choiceFlag, stringFlag } from '../flags.ts'
import { noArguments } from '../positional.ts'
import type { ServerProgram } from '../server-program.ts'
import { loadServerProgram } from '../server-program.ts'
import { readInputFile } from '../verification/input-file.ts'
import { dataFlags, dataOptions } from './flags.ts'

const maxAuthorityBytes = 1024 * 1024

/** The kinds of keys that certificate authorities may have. */
export const keyKinds = [
  'ecdsa-p256',
  'ecdsa-p384',
  'ecdsa-p521',
  'rsa-2048',
  'rsa-3072',
  'rsa-4096',
  'ed25519',
] as const satisfies readonly KeyKind[]

/** What `init` and a first `start` need to know of a new server. */
export interface NewServer {
  readonly data: ReturnType<typeof dataOptions>
  readonly url: string
  /** The address of the first user; none is made for an empty one. */
  readonly user: string
  readonly rootKey?: KeyKind
  readonly issuingKey?: KeyKind
  readonly existingCa?: Parameters<ServerProgram['initialise']>[0]['existingCa']
}

/** Makes a server and its first user, and says where everything is. The password is shown this once. */
export async function initialiseServer(context: CommandContext, server: NewServer, program: ServerProgram): Promise<void> {
  const { data, url, rootKey, issuingKey, existingCa } = server
  const undo = await program.initialise({ ...data, url, rootKey, issuingKey, existingCa })
  try {
    await addFirstUser(context, server, program)
  } catch (error) {
    // Without its user the server could not be signed in to, and it could not be made a second time.
    await undo()
    throw error
  }
}

async function addFirstUser(context: CommandContext, { data, url, user }: NewServer, program: ServerProgram): Promise<void> {
  const administration = await program.openAdministration(data)
  try {
    const lines = [
      `Made a server for ${url} in ${data.folder}`,
      '  server.yaml     its configuration',
      '  issuers.yaml    whose identity tokens get certificates',
      `  keys/           private keys${data.passphrase === undefined ? ', not encrypted' : ', encrypted'}: only you may read them, keep a copy`,
      '  certificates/   the certificates over them',
    ]
    if (user !== '') {
      const password = program.randomPassword()
      await administration.users.add({ email: user, password })
      lines.push('', 'Its first user, whose password is shown this once:', `  ${user}   ${password}`)
    }
    context.stdout.write(`${lines.join('\n')}\n`)
  } finally {
    await administration.close()
  }
}

/** The address that the first user has unless another is given. */
export function defaultUser(url: string): string {
  const { hostname } = new URL(url)
  return `admin@${/[a-z]/.test(hostname) && !hostname.includes(':') ? hostname : 'localhost'}`
}

export const command = defineCommand({
  long: `Make a private Sigstore: keys, certificates, configuration and a first user, in a folder of its own.

--url is how clients will reach it: scheme, host and port, without a path. The name of its Rekor v2 log and of its issuer are made
of it, so it cannot be changed later. Private keys are encrypted when a passphrase is given.`,
  examples: `  # To try things on this machine
  countersign server init --data ./sigstore --url http://localhost:8080

  # For a team, behind a proxy that does TLS
  COUNTERSIGN_SERVER_PASSPHRASE=… countersign server init --data /var/lib/countersign --url https://sigstore.example.com --user you@example.com

  # With a certificate authority that exists
  countersign server init --url https://sigstore.example.com --ca-key intermediate.pem --ca-chain chain.pem`,
  flags: {
    ...dataFlags,
    url: stringFlag('how clients will reach the server', { default: 'http://localhost:8080', completion: 'none' }),
    user: stringFlag('e-mail address of the first user (default admin@ and the host)', { placeholder: 'email', completion: 'none' }),
    'no-user': boolFlag('make no user: people sign in elsewhere'),
    'root-key': choiceFlag(keyKinds, 'key of the root certificate', { default: 'ecdsa-p384' }),
    'issuing-key': choiceFlag(keyKinds, 'key that signs certificates', { default: 'ecdsa-p256' }),
    'ca-key': stringFlag('private key, PEM, of a certificate authority that exists', { completion: 'file' }),
    'ca-chain': stringFlag('its certificates, PEM: that of the key first, the root last', { completion: 'file' }),
  },
  positional: noArguments,
  async run(context, flags) {
    const program = await loadServerProgram()
    const url = program.checkUrl(flags.url)
    const existingCa = readAuthority(context, flags['ca-key'], flags['ca-chain'])
    const user = flags['no-user'] ? '' : flags.user === '' ? defaultUser(url) : flags.user
    const server = { data: dataOptions(context, flags), url, user, rootKey: flags['root-key'], issuingKey: flags['issuing-key'] }
    await initialiseServer(context, existingCa === undefined ? server : { ...server, existingCa }, program)
    const start = `countersign server start${flags.data === '' ? '' : ` --data ${flags.data}`}`
    context.stdout.write(`\nNext: ${start}${url.startsWith('https:') ? ' --behind-proxy, or with --tls-cert and --tls-key instead' : ''}\n`)
  },
})

/** A certificate authority that exists, if one is given. @throws UsageError USAGE; TransportError FILE_UNREADABLE; DecodingError */
export function readAuthority(context: CommandContext, key: string, chain: string): NewServer['existingCa'] {
  if (key === '' && chain === '') return undefined
  if (key === '' || chain === '') throw new UsageError('USAGE', '--ca-key and --ca-chain are given together')
  return {
    key: parsePrivateKeyPem(readText(context, key, 'the key')),
    chain: parsePem(readText(context, chain, 'the certificate chain'), chain).map(({ der }) => der),
  }
}

function readText(context: CommandContext, file: string, what: string): string {
  return decodeUtf8(readInputFile(context.cwd, file, what, maxAuthorityBytes), file)
}
