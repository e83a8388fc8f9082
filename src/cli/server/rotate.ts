/** `server rotate`: new keys for authorities and logs. */
import path from 'node:path'
import { UsageError } from '../../error.ts'
import { defineCommand, defineGroup } from '../command.ts'
import type { CommandContext } from '../context.ts'
import { boolFlag, choiceFlag, stringFlag } from '../flags.ts'
import type { FlagValues } from '../flags.ts'
import { noArguments, oneOf } from '../positional.ts'
import type { ServerProgram } from '../server-program.ts'
import { dataFlags, dataOptions } from './flags.ts'
import { keyKinds, readAuthority } from './init.ts'
import { administer } from './user.ts'

type AuthorityRotation = Parameters<ServerProgram['rotateAuthority']>[1]
type Rotation = Awaited<ReturnType<ServerProgram['rotateAuthority']>>

const logKinds = ['ctlog', 'rekor-v1', 'rekor-v2'] as const

const rotationFlags = {
  ...dataFlags,
  until: stringFlag('when the old key leaked, such as 2026-01-31T12:00:00Z: what it signed later is refused (default now)', {
    placeholder: 'instant',
    completion: 'none',
  }),
}

const authorityFlags = {
  ...rotationFlags,
  'root-key': stringFlag('private key of the root that is there (default the one in the folder keys)', { completion: 'file' }),
  'new-root': boolFlag('make a new root too'),
}

const kept = `The server must not be running. What the old key has signed stays valid: it stays in the trusted root, with an end to its window. Clients
that use TUF learn of the new one by themselves, for all others export the trust again.`

const ca = defineCommand({
  long: `Give the certificate authority a new key, with a certificate of the root that is there, of a new one, or of an authority that exists elsewhere.

${kept}`,
  examples: `  # Under the same root, whose key was kept offline
  countersign server rotate ca --data /var/lib/countersign --root-key /media/usb/ca-root.key

  # From the authority of the company
  countersign server rotate ca --ca-key intermediate.pem --ca-chain chain.pem

  # The key leaked
  countersign server rotate ca --until 2026-01-31T12:00:00Z`,
  flags: {
    ...authorityFlags,
    'issuing-key': choiceFlag(keyKinds, 'key that signs certificates', { default: 'ecdsa-p256' }),
    'ca-key': stringFlag('private key, PEM, of a certificate authority that exists', { completion: 'file' }),
    'ca-chain': stringFlag('its certificates, PEM: that of the key first, the root last', { completion: 'file' }),
  },
  positional: noArguments,
  run: (context, flags) => {
    const existing = readAuthority(context, flags['ca-key'], flags['ca-chain'])
    if (existing !== undefined && (flags['new-root'] || flags['root-key'] !== ''))
      throw new UsageError('USAGE', '--ca-key brings its own certificates: leave out --root-key and --new-root')
    const source = existing === undefined ? sourceOf(context, flags) : ({ kind: 'existing', ...existing } as const)
    return rotate(context, flags, { authority: 'ca', source, issuingKey: flags['issuing-key'] })
  },
})

const tsa = defineCommand({
  long: `Give the timestamp authority a new key, with a certificate of the root that is there or of a new one.

${kept}`,
  examples: `  countersign server rotate tsa --data /var/lib/countersign --root-key /media/usb/tsa-root.key`,
  flags: authorityFlags,
  positional: noArguments,
  run: (context, flags) => rotate(context, flags, { authority: 'tsa', source: sourceOf(context, flags), issuingKey: 'ecdsa-p256' }),
})

const log = defineCommand({
  synopsis: 'KIND',
  long: `Begin a new log with a key of its own in the place of the one of this kind that takes entries: ctlog, rekor-v1 or rekor-v2. The old one is
frozen, and its entries stay readable: those of Rekor v1 where they were, those of the others below /<id>.

${kept}`,
  examples: `  countersign server rotate log rekor-v2 --data /var/lib/countersign`,
  flags: rotationFlags,
  positional: oneOf(logKinds),
  run: (context, flags, [name]) => {
    const options = rotationOptions(context, flags)
    return administer(
      context,
      flags,
      async (administration, program) => {
        const kind = logKinds.find((candidate) => candidate === name) ?? 'ctlog'
        const rotation = await program.rotateLog(administration, { ...options, kind })
        const { frozen, id } = rotation
        context.stdout.write(`${[`the log ${id} takes entries from now on, ${frozen} is frozen`, ...described(rotation)].join('\n')}\n`)
      },
      { mustExist: true, isSole: true },
    )
  },
})

export const command = defineGroup({
  long: 'New keys for the certificate authority, the timestamp authority and the logs. Those of the TUF repository: server tuf rotate.',
  subcommands: [
    { name: 'ca', short: 'Give the certificate authority a new key', load: () => Promise.resolve({ command: ca }) },
    { name: 'tsa', short: 'Give the timestamp authority a new key', load: () => Promise.resolve({ command: tsa }) },
    { name: 'log', short: 'Begin a new log in the place of one', load: () => Promise.resolve({ command: log }) },
  ],
})

function rotate(
  context: CommandContext,
  flags: FlagValues<typeof authorityFlags>,
  wanted: Pick<AuthorityRotation, 'authority' | 'source' | 'issuingKey'>,
): Promise<void> {
  const options = rotationOptions(context, flags)
  return administer(
    context,
    flags,
    async (administration, program) => {
      const rotation = await program.rotateAuthority(administration, { ...wanted, ...options })
      const what = wanted.authority === 'ca' ? 'certificate authority' : 'timestamp authority'
      context.stdout.write(`${[`the ${what} has a new key`, ...described(rotation)].join('\n')}\n`)
    },
    { mustExist: true, isSole: true },
  )
}

function sourceOf(context: CommandContext, flags: FlagValues<typeof authorityFlags>): AuthorityRotation['source'] {
  const file = flags['root-key']
  if (flags['new-root'] && file !== '') throw new UsageError('USAGE', '--new-root makes its own key: leave out --root-key')
  if (flags['new-root']) return { kind: 'new-root' }
  return { kind: 'root', keyFile: file === '' ? undefined : path.resolve(context.cwd, file) }
}

function rotationOptions(
  context: CommandContext,
  flags: FlagValues<typeof rotationFlags>,
): Pick<AuthorityRotation, 'until' | 'passphrase'> {
  return { until: instantOf(flags.until), passphrase: dataOptions(context, flags).passphrase }
}

function instantOf(text: string): number | undefined {
  if (text === '') return undefined
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms))
    throw new UsageError('USAGE', `--until takes an instant such as 2026-01-31T12:00:00Z, found ${JSON.stringify(text)}`)
  return ms
}

function described({ files, until }: Rotation): string[] {
  return [
    ...files.map((file) => `  ${file}`),
    `what the old key signed is valid until ${new Date(until).toISOString()}`,
    'Next: countersign server start, which publishes the new trusted root, and countersign server export-trust',
  ]
}
