/** `server user`: the people whom the server's own issuer knows by a password. */
import { decodeUtf8, equalBytes } from '../../encoding/bytes.ts'
import { CountersignError, UsageError } from '../../error.ts'
import { defineCommand, defineGroup } from '../command.ts'
import type { CommandContext } from '../context.ts'
import { boolFlag, stringFlag } from '../flags.ts'
import type { FlagValues } from '../flags.ts'
import { exactly, noArguments } from '../positional.ts'
import type { Administration } from '../../server/program.ts'
import type { ServerProgram } from '../server-program.ts'
import { loadServerProgram } from '../server-program.ts'
import { dataFlags, dataOptions } from './flags.ts'

const passwordFlags = {
  ...dataFlags,
  'random-password': boolFlag('make a password and print it, once'),
}

const add = defineCommand({
  synopsis: 'EMAIL',
  long: 'Add a user. The password is asked for twice, or read from standard input, or made with --random-password.',
  examples: '  countersign server user add dev@example.com --random-password',
  flags: { ...passwordFlags, name: stringFlag('name of the person', { completion: 'none' }) },
  positional: exactly(1),
  run: (context, flags, [email = '']) =>
    administer(context, flags, async ({ users }, program) => {
      const { password, shown } = await newPassword(context, flags['random-password'], program)
      await users.add({ email, password, ...(flags.name === '' ? {} : { name: flags.name }) })
      context.stdout.write(`added ${email}${shown}\n`)
    }),
})

const list = defineCommand({
  long: 'List the users.',
  examples: '  countersign server user list',
  flags: dataFlags,
  positional: noArguments,
  run: (context, flags) =>
    administer(context, flags, async ({ users }) => {
      for (const { email, name } of await users.list()) context.stdout.write(`${email}${name === undefined ? '' : `   ${name}`}\n`)
    }),
})

const remove = defineCommand({
  synopsis: 'EMAIL',
  long: 'Remove a user, and end the sessions in browsers. Certificates that were given out stay valid for their ten minutes.',
  examples: '  countersign server user remove dev@example.com',
  flags: dataFlags,
  positional: exactly(1),
  run: (context, flags, [email = '']) =>
    administer(context, flags, async ({ users }) => {
      await users.remove(email)
      context.stdout.write(`removed ${email}\n`)
    }),
})

const password = defineCommand({
  synopsis: 'EMAIL',
  long: 'Give a user another password, and end the sessions in browsers.',
  examples: '  countersign server user password dev@example.com',
  flags: passwordFlags,
  positional: exactly(1),
  run: (context, flags, [email = '']) =>
    administer(context, flags, async ({ users }, program) => {
      const chosen = await newPassword(context, flags['random-password'], program)
      await users.setPassword(email, chosen.password)
      context.stdout.write(`changed the password of ${email}${chosen.shown}\n`)
    }),
})

export const command = defineGroup({
  long: 'The people whom the own issuer of a server knows by a password. The server may be running.',
  subcommands: [
    { name: 'add', short: 'Add a user', load: () => Promise.resolve({ command: add }) },
    { name: 'list', short: 'List the users', load: () => Promise.resolve({ command: list }) },
    { name: 'remove', short: 'Remove a user', load: () => Promise.resolve({ command: remove }) },
    { name: 'password', short: 'Give a user another password', load: () => Promise.resolve({ command: password }) },
  ],
})

/** Opens the data of a server for as long as something is done to it. */
export async function administer(
  context: CommandContext,
  flags: FlagValues<typeof dataFlags>,
  action: (administration: Administration, program: ServerProgram) => Promise<void>,
  options: { readonly mustExist?: boolean; readonly isSole?: boolean } = {},
): Promise<void> {
  const program = await loadServerProgram()
  const administration = await program.openAdministration({ ...dataOptions(context, flags), ...options })
  try {
    await action(administration, program)
  } finally {
    await administration.close()
  }
}

async function newPassword(
  context: CommandContext,
  random: boolean,
  program: ServerProgram,
): Promise<{ readonly password: string; readonly shown: string }> {
  if (random) {
    const made = program.randomPassword()
    return { password: made, shown: `, password ${made}` }
  }
  const first = await ask(context, 'Password: ')
  if (context.stdin.isTTY && !equalBytes(first, await ask(context, 'Again: ')))
    throw new UsageError('USAGE', 'the two passwords are not the same')
  return { password: decodeUtf8(first, 'the password'), shown: '' }
}

async function ask(context: CommandContext, question: string): Promise<Uint8Array> {
  const typed = await context.stdin.readHidden(() => {
    if (context.stdin.isTTY) context.stderr.write(question)
  })
  if (context.stdin.isTTY) context.stderr.write('\n')
  if (typed === undefined) throw new CountersignError('ABORTED', 'no password was entered')
  return typed
}
