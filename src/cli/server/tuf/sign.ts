/** `server tuf sign-root` and `sign-targets`: signatures of keys that are kept offline. */
import path from 'node:path'
import { UsageError } from '../../../error.ts'
import type { Command } from '../../command.ts'
import { defineCommand } from '../../command.ts'
import { boolFlag, stringFlag } from '../../flags.ts'
import { exactly } from '../../positional.ts'
import { printable } from '../../quote.ts'
import { loadServerProgram } from '../../server-program.ts'
import { confirm } from '../../signing/confirmation.ts'
import { writeOutputs } from '../../signing/output-files.ts'
import { readInputFile } from '../../verification/input-file.ts'
import { passphraseFlag, passphraseOf } from '../flags.ts'

const maxBytes = 4 * 1024 * 1024

/** The verb for one of the two. */
export function signCommand(role: 'root' | 'targets'): Command {
  return defineCommand({
    synopsis: 'FILE',
    long: `Sign a ${role}.json that "server tuf export ${role}" printed, where the ${role} key is kept: nothing else of the server is needed there.

What the file says is shown first. The signature is added to the file, which "server tuf import" then takes.`,
    examples: `  countersign server tuf sign-${role} --key tuf-${role}.key ${role}.json`,
    flags: {
      key: stringFlag(`private ${role} key, PEM`, { required: true, completion: 'file' }),
      ...passphraseFlag,
      yes: boolFlag('do not ask', { shorthand: 'y' }),
    },
    positional: exactly(1),
    async run(context, flags, [file = '']) {
      const program = await loadServerProgram()
      const bytes = readInputFile(context.cwd, file, `the exported ${role}.json`, maxBytes)
      const found = program.roleOfExported(bytes)
      if (found !== role) throw new UsageError('USAGE', `${file} is a ${found}.json: sign it with server tuf sign-${found}`)
      const key = await program.readKeyFile(path.resolve(context.cwd, flags.key), passphraseOf(context, flags['passphrase-file']))
      context.stderr.write(`${program.describeExportedMetadata(bytes).map(printable).join('\n')}\n\n`)
      if (!flags.yes) await confirm(context)
      const contents = program.signExportedMetadata(bytes, key.createSigner())
      writeOutputs(context.cwd, [{ path: file, what: `signed ${role}.json`, contents }])
      context.stdout.write(`signed ${file}; back on the server: countersign server tuf import ${path.basename(file)}\n`)
    },
  })
}
