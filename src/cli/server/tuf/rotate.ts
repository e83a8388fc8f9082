/** `server tuf rotate`: the next root. */
import { parsePublicKeyPem } from '../../../crypto/public-key.ts'
import type { PublicKey } from '../../../crypto/public-key.ts'
import { decodeUtf8 } from '../../../encoding/bytes.ts'
import { encodePem, parsePem } from '../../../encoding/pem.ts'
import { UsageError } from '../../../error.ts'
import { defineCommand } from '../../command.ts'
import { stringSliceFlag, stringToStringFlag } from '../../flags.ts'
import { noArguments } from '../../positional.ts'
import { readInputFile } from '../../verification/input-file.ts'
import { dataFlags, dataOptions } from '../flags.ts'
import { administer } from '../user.ts'
import { describeConfigured, describeOutcome } from './outcome.ts'

const roles = ['root', 'targets', 'snapshot', 'timestamp'] as const
type Role = (typeof roles)[number]

const maxKeyBytes = 64 * 1024

export const command = defineCommand({
  long: `Make the next root: with the keys of the last one, which renews it, or with new ones.

--new-keys makes new keys for roles whose keys are on this server. The root is signed with the old root key and the new one and published,
and server.yaml names the new files. For roles whose keys are kept offline, --public-key names a file with the PEM of the public key that
takes the place of theirs, or of several of which --threshold must sign. What keys that are offline have to sign waits for them:
server tuf export, sign-root, import.`,
  examples: `  # Renew the root for another year
  countersign server tuf rotate

  # New keys for everything that is on this server
  countersign server tuf rotate --new-keys root,targets,snapshot,timestamp

  # The root key is offline, and gets a successor
  countersign server tuf rotate --public-key root=new-root.pub`,
  flags: {
    ...dataFlags,
    'new-keys': stringSliceFlag('roles that get a new key, on this server', { placeholder: 'roles', completion: roles }),
    'public-key': stringToStringFlag('role and file with its public keys from now on, for keys that are offline', {
      placeholder: 'role=file',
    }),
    threshold: stringToStringFlag('role and how many of its keys must sign', { placeholder: 'role=number' }),
  },
  positional: noArguments,
  run: (context, flags) =>
    administer(
      context,
      flags,
      async (administration, program) => {
        const readKeys = ([name, file]: readonly [string, string]): [Role, PublicKey[]] => [roleOf(name), publicKeysOf(context.cwd, file)]
        const { outcome, newKeys, nowConfigured } = await program.rotateTuf(administration, {
          newKeys: flags['new-keys'].map(roleOf),
          publicKeys: new Map([...flags['public-key']].map(readKeys)),
          thresholds: new Map([...flags.threshold].map(([name, number]) => [roleOf(name), thresholdOf(number)])),
          passphrase: dataOptions(context, flags).passphrase,
        })
        const waiting = [...newKeys].filter(([role]) => !nowConfigured.has(role))
        const lines = [
          ...describeOutcome(outcome),
          ...waiting.map(([role, file]) => `${file} is the ${role} key as soon as the root is published`),
          ...describeConfigured(nowConfigured),
        ]
        context.stdout.write(`${lines.join('\n')}\n`)
      },
      { mustExist: true },
    ),
})

function roleOf(name: string): Role {
  const role = roles.find((candidate) => candidate === name)
  if (role === undefined) throw new UsageError('USAGE', `${JSON.stringify(name)} is no role: there are ${roles.join(', ')}`)
  return role
}

function thresholdOf(text: string): number {
  if (/^[1-9][0-9]?$/.test(text)) return Number(text)
  throw new UsageError('USAGE', `--threshold takes a role and a number from 1 on, found ${JSON.stringify(text)}`)
}

function publicKeysOf(cwd: string, file: string): PublicKey[] {
  const text = decodeUtf8(readInputFile(cwd, file, 'the public key', maxKeyBytes), file)
  return parsePem(text, file).map(({ label, der }) => parsePublicKeyPem(encodePem(label, der)))
}
