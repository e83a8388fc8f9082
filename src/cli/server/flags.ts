/** Flags that the verbs of `server` share, and what they mean. */
import { homedir } from 'node:os'
import path from 'node:path'
import type { CommandContext } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { stringFlag } from '../flags.ts'
import { readInputFile } from '../verification/input-file.ts'

const maxPassphraseBytes = 64 * 1024

/** `--passphrase-file`. */
export const passphraseFlag = {
  'passphrase-file': stringFlag('file with the passphrase of the private keys; or set COUNTERSIGN_SERVER_PASSPHRASE', {
    completion: 'file',
  }),
}

/** `--data`, and what opens it. */
export const dataFlags = {
  data: stringFlag('folder of the server: configuration, keys, database (default ~/.local/share/countersign)', {
    placeholder: 'folder',
    completion: 'directory',
  }),
  'database-url': stringFlag(
    'PostgreSQL database instead of the file in the folder; better set as COUNTERSIGN_DATABASE_URL, for it holds a password',
    {
      placeholder: 'url',
      completion: 'none',
    },
  ),
  ...passphraseFlag,
}

/** The folder that `--data` names. */
function dataFolder(context: CommandContext, data: string): string {
  if (data !== '') return path.resolve(context.cwd, data)
  const home = context.env['XDG_DATA_HOME'] ?? path.join(context.env['HOME'] ?? homedir(), '.local', 'share')
  return path.join(home, 'countersign')
}

/** What opens a server's data. @throws TransportError FILE_UNREADABLE for the passphrase */
export function dataOptions(context: CommandContext, flags: FlagValues<typeof dataFlags>) {
  return {
    folder: dataFolder(context, flags.data),
    databaseUrl: flags['database-url'] === '' ? undefined : flags['database-url'],
    passphrase: passphraseOf(context, flags['passphrase-file']),
    clock: () => context.now(),
  }
}

/** The passphrase of private keys, if one is given. @throws TransportError FILE_UNREADABLE */
export function passphraseOf(context: CommandContext, file: string): string | undefined {
  if (file === '') return context.env['COUNTERSIGN_SERVER_PASSPHRASE']
  const contents = readInputFile(context.cwd, file, 'the passphrase file', maxPassphraseBytes, true)
  // Whatever bytes it has: keys are encrypted with what they were made of here.
  return Buffer.from(contents)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}
