/** One visit to a sign-in page: an interaction of the library that the browser has shown to be its own. */
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Provider } from 'oidc-provider'
import { errorPage } from './pages/error.ts'
import { paths } from './provider.ts'
import { openExchange } from './provider-exchange.ts'
import type { ProviderExchange } from './provider-exchange.ts'
import { SessionNotFound } from './provider-library.ts'
import type { Sealing } from './sealing.ts'

export interface VisitOptions {
  readonly issuer: string
  /** The path below which everything is, without a slash at its end. */
  readonly mount: string
  readonly style: string
  readonly provider: Provider
  readonly sealing: Sealing
}

export type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>
export type VisitBindings = { Bindings: Partial<HttpBindings> }
export type VisitContext = Context<VisitBindings>

/** An interaction that the browser has shown to be its own. */
export interface Visit {
  readonly exchange: ProviderExchange
  readonly interaction: Interaction
  /** The path of its page. */
  readonly action: string
}

/** The token in the forms of an interaction. */
export function formToken(sealing: Sealing, { uid }: Interaction): string {
  return sealing.token(uid, formPurpose)
}

const formPurpose = 'form'

/** Finds the interaction by its cookie. Without it, or with that of another one, there is only a page that says so. */
export async function onVisit(
  { provider, issuer, ...options }: VisitOptions,
  c: VisitContext,
  answer: (visit: Visit) => Promise<Response>,
): Promise<Response> {
  const exchange = await openExchange(c.req.raw, issuer)
  try {
    const interaction = await provider.interactionDetails(exchange.request, exchange.response)
    if (interaction.uid !== c.req.param('uid')) return expired(options)
    return await answer({ exchange, interaction, action: `${options.mount}${paths.signIn}/${encodeURIComponent(interaction.uid)}` })
  } catch (error) {
    if (error instanceof SessionNotFound) return expired(options)
    throw error
  }
}

/** As `onVisit`, for a form of ours: from our own page, with the token of this interaction. */
export async function onForm(
  options: VisitOptions,
  c: VisitContext,
  answer: (visit: Visit, form: URLSearchParams) => Promise<Response>,
): Promise<Response> {
  const origin = c.req.header('origin')
  const type = c.req.header('content-type')?.split(';')[0]
  if ((origin !== undefined && origin !== new URL(options.issuer).origin) || type !== 'application/x-www-form-urlencoded') {
    return errorPage({ style: options.style, status: 403, error: 'expired' })
  }
  return onVisit(options, c, async (visit) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of visit.exchange.request) chunks.push(chunk as Uint8Array)
    const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
    if (!options.sealing.isToken(form.get('csrf') ?? '', visit.interaction.uid, formPurpose)) {
      return errorPage({ style: options.style, status: 403, error: 'expired' })
    }
    return answer(visit, form)
  })
}

/** Signs the browser in. Where it is signed in as somebody else, perhaps since this visit began, its session becomes the new person's. */
export async function finishAs(options: VisitOptions, visit: Visit, accountId: string): Promise<Response> {
  const { provider } = options
  const { request, response } = visit.exchange
  const answer = await finish(options, visit, { login: { accountId, remember: false }, select_account: {} })
  const session = await provider.Session.get(provider.createContext(request, response))
  if (session.accountId !== undefined && session.accountId !== accountId) {
    session.accountId = accountId
    session.authorizations = {}
    await session.persist()
  }
  return answer
}

/** Ends the interaction with a result. @returns the redirect to where the library goes on */
export async function finish(
  { provider }: VisitOptions,
  { exchange }: Visit,
  result: Parameters<Provider['interactionResult']>[2],
): Promise<Response> {
  const returnTo = await provider.interactionResult(exchange.request, exchange.response, result)
  return redirect(returnTo, exchange.headers())
}

/** The redirect after the form ends at the program, on another origin: the page must allow it, and no other. */
export function formTargetsOf(interaction: Interaction): string[] {
  const uri = interaction.params['redirect_uri']
  if (typeof uri !== 'string' || !/^https?:/.test(uri)) return []
  return [new URL(uri).origin]
}

/** The page for an interaction that is over, or is another browser's. */
export function expired({ style }: Pick<VisitOptions, 'style'>): Response {
  return errorPage({ style, status: 400, error: 'expired' })
}

/** A redirect that tells its target nothing of where it comes from. */
export function redirect(location: string, headers: Headers = new Headers()): Response {
  headers.set('location', location)
  headers.set('cache-control', 'no-store')
  headers.set('referrer-policy', 'no-referrer')
  return new Response(null, { status: 303, headers })
}
