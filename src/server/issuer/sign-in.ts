/** The sign-in pages' routes: one interaction of the library at a time, bound to the browser by its cookie and to its forms by a token. */
import { Hono } from 'hono'
import { CountersignError, messageOf } from '../../error.ts'
import { clientAddress, clientNetwork } from '../request/client-address.ts'
import type { Accounts } from './accounts.ts'
import type { AttemptKind, AttemptLimit } from './attempt-limit.ts'
import type { Connector } from './connector.ts'
import { accountPage, signInPage } from './pages/sign-in.ts'
import { paths } from './provider.ts'
import type { UpstreamSignIns } from './upstream-sign-in.ts'
import type { Users } from './users.ts'
import type { Visit, VisitBindings, VisitContext, VisitOptions } from './visit.ts'
import { expired, finish, finishAs, formTargetsOf, formToken, onForm, onVisit, redirect } from './visit.ts'

export interface SignInOptions extends VisitOptions {
  readonly users: Users
  readonly withPassword: boolean
  readonly accounts: Accounts
  readonly connectors: readonly Connector[]
  readonly upstream: UpstreamSignIns
  readonly attempts: AttemptLimit
  readonly behindProxy: boolean
  readonly reportError: (error: unknown) => void
}

/** The routes, by their full paths. */
export function createSignInRoutes(options: SignInOptions): Hono<VisitBindings> {
  const { mount, connectors, upstream } = options
  const routes = new Hono<VisitBindings>()
  const page = `${mount}${paths.signIn}/:uid` as const
  routes.get(page, (c) => onVisit(options, c, (visit) => showPage(options, visit, c.req.query('other') !== undefined)))
  routes.post(page, (c) => onForm(options, c, (visit, form) => signInWithPassword(options, c, visit, form)))
  routes.post(`${page}/account`, (c) => onForm(options, c, (visit) => finish(options, visit, { select_account: {} })))
  routes.post(`${page}/cancel`, (c) =>
    onForm(options, c, (visit) => finish(options, visit, { error: 'access_denied', error_description: 'the person stopped the sign-in' })),
  )
  routes.get(`${page}/with/:connector`, (c) =>
    onVisit(options, c, async (visit) => {
      const connector = connectors.find(({ id }) => id === c.req.param('connector'))
      return connector === undefined ? expired(options) : sendUpstream(options, visit, connector)
    }),
  )
  // The cookie of the interaction is not for this path: it is checked where the browser goes from here.
  routes.get(`${mount}${paths.callback}/:connector`, async (c) => {
    const attempt = await upstream.find(c.req.query('state') ?? '')
    if (attempt === undefined || attempt.connector !== c.req.param('connector')) return expired(options)
    const query = new URL(c.req.url).search
    return redirect(`${mount}${paths.signIn}/${encodeURIComponent(attempt.interaction)}/from/${attempt.connector}${query}`)
  })
  routes.get(`${page}/from/:connector`, (c) =>
    onVisit(options, c, (visit) => returnFromUpstream(options, visit, c.req.param('connector') ?? '', new URL(c.req.url).searchParams)),
  )
  return routes
}

async function showPage(options: SignInOptions, visit: Visit, other: boolean): Promise<Response> {
  const { style, sealing, accounts, connectors } = options
  const { interaction, action } = visit
  if (interaction.prompt.name !== 'select_account' || other) return showForm(options, visit, {})
  const identity = await accounts.find(interaction.session?.accountId ?? '')
  if (identity === undefined) return showForm(options, visit, {})
  const connector = connectors.find(({ id }) => id === identity.federatedClaims?.connectorId)?.name
  const csrf = formToken(sealing, interaction)
  const signOut = `${options.mount}${paths.signOut}`
  return accountPage({ style, action, csrf, formTargets: formTargetsOf(interaction), email: identity.email, connector, signOut })
}

function showForm(
  { style, sealing, withPassword, connectors }: SignInOptions,
  { interaction, action }: Visit,
  shown: { readonly email?: string; readonly problem?: string; readonly status?: number },
): Response {
  return signInPage({
    style,
    action,
    csrf: formToken(sealing, interaction),
    formTargets: formTargetsOf(interaction),
    withPassword,
    connectors: connectors.map(({ id, name }) => ({ name, href: `${action}/with/${id}` })),
    ...shown,
  })
}

async function signInWithPassword(options: SignInOptions, c: VisitContext, visit: Visit, form: URLSearchParams): Promise<Response> {
  const { users, attempts, withPassword, behindProxy } = options
  if (!withPassword) return expired(options)
  const email = (form.get('email') ?? '').trim()
  const address = clientNetwork(clientAddress(c.env.incoming?.socket.remoteAddress, c.req.header('x-forwarded-for'), behindProxy))
  const account = email.toLowerCase()
  const counted = [
    ['address', address],
    ['account-at-address', `${account} ${address}`],
    ['account', account],
  ] as const
  const waitMs = await beginAttempt(attempts, counted)
  if (waitMs > 0) {
    const minutes = Math.ceil(waitMs / 60_000)
    const problem = `There were too many attempts. Try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`
    return showForm(options, visit, { email, problem, status: 429 })
  }
  try {
    const user = await users.authenticate(email, form.get('password') ?? '')
    if (user === undefined) return showForm(options, visit, { email, problem: 'The e-mail address or the password is wrong.', status: 401 })
    for (const [kind, who] of counted) await attempts.succeed(kind, who)
    const answer = await finishAs(options, visit, user.subject)
    return (await users.isStill(user)) ? answer : expired(options)
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== 'REQUEST_REFUSED') throw error
    return showForm(options, visit, { email, problem: 'The server is busy. Try again in a moment.', status: 503 })
  }
}

/** Counts an attempt until one of the limits is reached: whoever was stopped by his address uses up nobody's account. */
async function beginAttempt(attempts: AttemptLimit, counted: readonly (readonly [AttemptKind, string])[]): Promise<number> {
  for (const [kind, who] of counted) {
    const waitMs = await attempts.begin(kind, who)
    if (waitMs > 0) return waitMs
  }
  return 0
}

async function sendUpstream(options: SignInOptions, visit: Visit, connector: Connector): Promise<Response> {
  try {
    return redirect((await connector.authorizationUrl(await options.upstream.begin(visit.interaction.uid, connector.id))).href)
  } catch (error) {
    return tellFailure(options, visit, connector, error)
  }
}

async function returnFromUpstream(options: SignInOptions, visit: Visit, connectorId: string, query: URLSearchParams): Promise<Response> {
  const connector = options.connectors.find(({ id }) => id === connectorId)
  const attempt = await options.upstream.find(query.get('state') ?? '')
  // An answer that somebody else fetched: this browser's interaction did not ask for it.
  if (connector === undefined || attempt?.interaction !== visit.interaction.uid || attempt.connector !== connectorId)
    return expired(options)
  const taken = await options.upstream.take(attempt.state)
  if (taken === undefined) return expired(options)
  try {
    const { subject } = await options.accounts.keep(connector, await connector.identify(query, taken))
    return await finishAs(options, visit, subject)
  } catch (error) {
    return tellFailure(options, visit, connector, error)
  }
}

/** Why nobody was signed in by an upstream issuer is for the log. Only what the person can do something about is shown. */
function tellFailure(options: SignInOptions, visit: Visit, { name }: Connector, error: unknown): Response {
  if (!(error instanceof CountersignError) || error.code !== 'SIGN_IN_FAILED') throw error
  options.reportError(error)
  const reason = error.message.startsWith(`${name} gave`) ? messageOf(error) : `Signing in with ${name} did not work`
  return showForm(options, visit, { problem: `${reason}. Try again, or sign in another way.`, status: 502 })
}
