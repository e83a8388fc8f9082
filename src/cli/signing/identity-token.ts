/** The identity token of a keyless signature: given, offered by the place, or from somebody who signs in. */
import { decodeUtf8 } from '../../encoding/bytes.ts'
import { CountersignError, UsageError } from '../../error.ts'
import { ambientToken } from '../../identity/ambient-token.ts'
import { missingPermission } from '../../identity/missing-permission.ts'
import type { SignInFlow, SignInTerminal } from '../../identity/sign-in-step.ts'
import type { IdentityToken } from '../../identity/token.ts'
import { looksLikeToken, parseIdentityToken } from '../../identity/token.ts'
import type { CommandContext } from '../context.ts'
import type { FlagValues } from '../flags.ts'
import { readInputFile } from '../verification/input-file.ts'
import { hasBrowser, openBrowser } from './browser.ts'
import type { Confirmation } from './confirmation.ts'
import type { identityFlags } from './flags.ts'

export type IdentityFlags = FlagValues<typeof identityFlags>

export interface TokenInput {
  readonly flags: IdentityFlags
  /** The issuer to sign in with, chosen when somebody has to. */
  readonly issuer: () => string
  readonly confirmation: Confirmation
  /** Standard input is what is signed. */
  readonly inputIsTaken: boolean
  /** Standard output is for a signature or for JSON. */
  readonly outputIsTaken: boolean
}

/** In a job whose token is not to be used. */
const disabled =
  'nobody can sign in in a CI job; let it use the token it is offered, without --oidc-disable-ambient-providers, or give one with --identity-token'

const maxTokenBytes = 64 * 1024
const maxSecretBytes = 64 * 1024

/**
 * Gets a token.
 * @throws CountersignError TOKEN_INVALID, SIGN_IN_FAILED, ABORTED; UsageError USAGE; TransportError FILE_UNREADABLE
 */
export async function getIdentityToken(context: CommandContext, input: TokenInput): Promise<IdentityToken> {
  const { flags } = input
  const text =
    flags['identity-token'] === ''
      ? ((await offeredToken(context, flags)) ?? (await signedInToken(context, input)))
      : givenToken(context, flags['identity-token'])
  return parseIdentityToken(text, context.now())
}

/** Whether a value is so short, or so much a path, that it cannot be a secret of some other kind. */
function isFileName(given: string): boolean {
  return given.length < 20 || (given.length < 256 && /^(?:\.{0,2}|~)\//.test(given))
}

/** The token itself, or the file that holds it. Neither is repeated in a message: a token with a typing mistake is one, too. */
function givenToken(context: CommandContext, given: string): string {
  if (looksLikeToken(given)) return given
  try {
    return decodeUtf8(readInputFile(context.cwd, given, 'the identity token', maxTokenBytes), 'the identity token')
  } catch (cause) {
    if (isFileName(given)) throw cause
    throw new UsageError('USAGE', 'the value of --identity-token is neither a JSON Web Token nor the name of a file that can be read')
  }
}

function offeredToken(context: CommandContext, flags: IdentityFlags): Promise<string | undefined> {
  const provider = flags['oidc-provider']
  const flow = flags['fulcio-auth-flow']
  const instead = flags['oidc-disable-ambient-providers']
    ? '--oidc-disable-ambient-providers'
    : flow === '' || flow === 'token'
      ? undefined
      : '--fulcio-auth-flow'
  if (instead === undefined) return ambientToken({ env: context.env, signal: context.signal, ...(provider === '' ? {} : { provider }) })
  if (provider === '') return Promise.resolve(undefined)
  throw new UsageError('USAGE', `--oidc-provider names a source that ${instead} says not to ask: give one of the two`)
}

async function signedInToken(context: CommandContext, input: TokenInput): Promise<string> {
  const { flags, issuer, confirmation, inputIsTaken } = input
  const flow = chooseFlow(context, flags, inputIsTaken)
  const address = issuer()
  if (flow === 'normal') await confirmation.ask([address])
  const { signIn } = await import('../../identity/sign-in.ts')
  return signIn({
    issuer: address,
    clientId: flags['oidc-client-id'],
    clientSecret: clientSecret(context, flags['oidc-client-secret-file']),
    redirectUrl: flags['oidc-redirect-url'] === '' ? undefined : flags['oidc-redirect-url'],
    flow,
    env: context.env,
    signal: context.signal,
    terminal: terminalOf(context, input),
  })
}

function clientSecret(context: CommandContext, file: string): string | undefined {
  if (file === '') return undefined
  const secret = decodeUtf8(readInputFile(context.cwd, file, 'the client secret', maxSecretBytes), `the client secret ${file}`).trim()
  if (secret === '') throw new UsageError('USAGE', `the client secret ${file} holds nothing but white space`)
  return secret
}

function chooseFlow(context: CommandContext, flags: IdentityFlags, inputIsTaken: boolean): SignInFlow {
  const asked = flags['fulcio-auth-flow']
  if (asked === 'normal' || asked === 'device' || asked === 'client_credentials') return asked
  if (asked === 'token') throw new UsageError('USAGE', 'the token flow needs --identity-token, or a place that offers a token')
  if (asked !== '')
    throw new UsageError(
      'USAGE',
      `unsupported oauth flow: ${JSON.stringify(asked.slice(0, 40))}, expected normal, device, client_credentials or token`,
    )
  // A code that is printed into the log of a job, where nobody waits for it, only wastes its time.
  const missing = missingPermission(context.env)
  if (missing !== undefined) throw new CountersignError('SIGN_IN_FAILED', flags['oidc-disable-ambient-providers'] ? disabled : missing)
  if (context.stdin.isTTY && !inputIsTaken && hasBrowser(context.env)) return 'normal'
  context.stderr.write('Non-interactive mode detected, using device flow.\n')
  return 'device'
}

function terminalOf(context: CommandContext, { inputIsTaken, outputIsTaken }: TokenInput): SignInTerminal {
  return {
    isInteractive: context.stdin.isTTY && !inputIsTaken,
    say: (line) => context.stderr.write(`${line}\n`),
    print: (line) => (outputIsTaken ? context.stderr : context.stdout).write(`${line}\n`),
    readLine(question) {
      context.stderr.write(question)
      return context.stdin.readLine()
    },
    openBrowser: (address) => openBrowser(address, context.env),
  }
}
