/** Where the library asks us for a page. */
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { codeEntryPage, confirmationPage, deviceDonePage } from './pages/device.ts'
import type { CodeProblem } from './pages/device.ts'
import { errorPage } from './pages/error.ts'
import { stoppedPage } from './pages/sign-in.ts'
import { signedOutPage, signOutPage } from './pages/sign-out.ts'

type Features = NonNullable<Configuration['features']>
type DeviceFlow = NonNullable<Features['deviceFlow']>
type SignOut = NonNullable<Features['rpInitiatedLogout']>

export interface ProviderPages {
  readonly deviceCodeEntry: NonNullable<DeviceFlow['userCodeInputSource']>
  readonly deviceConfirmation: NonNullable<DeviceFlow['userCodeConfirmSource']>
  readonly deviceDone: NonNullable<DeviceFlow['successSource']>
  readonly signOut: NonNullable<SignOut['logoutSource']>
  readonly signedOut: NonNullable<SignOut['postLogoutSuccessSource']>
  readonly error: NonNullable<Configuration['renderError']>
}

/** The header by which a page tells the route that a device code was not found. It never leaves the server. */
export const wrongCodeHeader = 'x-countersign-wrong-code'

/** The header by which a page tells the route that somebody is signed in, who may sign out. It never leaves the server. */
export const signedInHeader = 'x-countersign-signed-in'

/** The header by which the route tells a page the device code that the address had. */
export const givenCodeHeader = 'x-countersign-given-code'

/**
 * The pages of the library.
 * @param style the path of the style sheet
 * @param signOut the path of the page to sign out on
 * @param emailOf the address of an account
 */
export function createProviderPages(
  style: string,
  signOut: string,
  emailOf: (accountId: string) => Promise<string | undefined>,
): ProviderPages {
  return {
    deviceCodeEntry: async (ctx, _form, _out, error) => {
      const given = ctx.get(givenCodeHeader)
      if (given !== '') return write(ctx, confirmationPage({ style, action: action(ctx), csrf: csrfOf(ctx), userCode: given }))
      const problem = error === undefined ? undefined : problemOf(error)
      if (problem === 'unknown') ctx.set(wrongCodeHeader, '1')
      if (problem === 'aborted') return write(ctx, stoppedPage({ style }))
      await write(ctx, codeEntryPage({ style, action: action(ctx), csrf: csrfOf(ctx), problem }))
    },
    deviceConfirmation: async (ctx, _form, _client, _device, userCode) => {
      await write(ctx, confirmationPage({ style, action: action(ctx), csrf: csrfOf(ctx), userCode }))
    },
    deviceDone: async (ctx) => {
      await write(ctx, deviceDonePage({ style, signOut }))
    },
    signOut: async (ctx) => {
      ctx.set(signedInHeader, '1')
      const email = await emailOf(ctx.oidc.session?.accountId ?? '')
      await write(ctx, signOutPage({ style, action: `${signOut}/confirm`, csrf: csrfOf(ctx), email }))
    },
    signedOut: async (ctx) => {
      await write(ctx, signedOutPage({ style }))
    },
    error: async (ctx, out) => {
      await write(ctx, errorPage({ style, error: out.error, description: out.error_description }))
    },
  }
}

// The library's classes for these are not public; their names are what its own pages go by.
const problems: Readonly<Record<string, CodeProblem>> = {
  NotFoundError: 'unknown',
  ExpiredError: 'expired',
  AlreadyUsedError: 'used',
  AbortedError: 'aborted',
  NoCodeError: 'missing',
}

function problemOf(error: Error): CodeProblem {
  return problems[error.name] ?? 'other'
}

function action(ctx: KoaContextWithOIDC): string {
  return new URL(ctx.oidc.urlFor('code_verification')).pathname
}

function csrfOf(ctx: KoaContextWithOIDC): string {
  const secret = ctx.oidc.session?.state?.['secret']
  return typeof secret === 'string' ? secret : ''
}

/** Puts a page of ours where the library expects it; the status is the library's. */
async function write(ctx: KoaContextWithOIDC, page: Response): Promise<void> {
  const status = ctx.status
  for (const [name, value] of page.headers) ctx.set(name, value)
  ctx.body = await page.text()
  ctx.status = status === 404 ? 200 : status
}
