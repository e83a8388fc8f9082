/** What an administrator can set about the issuer: `issuer.settings` of the server's configuration. */
import { z } from 'zod'
import { CountersignError } from '../../error.ts'
import { isUsableEmail, localConnector } from './users.ts'

const text = z.string().min(1).max(1_000)
const email = z.string().refine(isUsableEmail, 'an e-mail address')
const domain = z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'a domain in lower case')
const subject = z.string().regex(/^[\x21-\x7e]{1,255}$/, '1 to 255 printable ASCII characters without blanks')

/** What other subjects begin with than those of a connector. */
const reserved = [localConnector, 'machine', 'exchange']

/** Plain http is for the machine itself. */
const webUrl = z
  .url({ protocol: /^https?$/ })
  .refine((url) => url.startsWith('https:') || isLoopbackUrl(url), 'an https URL, or an http URL of this machine')
  .refine(
    (url) => new URL(url).username === '' && new URL(url).hash === '' && new URL(url).search === '',
    'a URL without user, query and fragment',
  )

const connectorId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'lower-case letters, digits and hyphens')
  .refine((id) => !reserved.includes(id), `another name than ${localConnector}, machine and exchange`)

const connectorFields = {
  /** In `federated_claims` of tokens, and in the callback's path. */
  id: connectorId,
  /** On the button. */
  name: text.max(60),
  'client-id': text,
  /** The file with the client's secret, which `readSecret` reads. */
  'client-secret': text.optional(),
  /** Only addresses of these domains may sign in. `any` opens the server to everyone whom the upstream issuer knows. */
  'email-domains': z.union([z.literal('any'), z.array(domain).min(1).max(100)]),
}

const connector = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('oidc'),
    ...connectorFields,
    issuer: webUrl,
    /** For an issuer that has no claim `email_verified` and whose administrators, not whose users, set the addresses. */
    'skip-email-verification': z.boolean().default(false),
  }),
  z.strictObject({
    type: z.literal('github'),
    ...connectorFields,
    /** GitHub Enterprise: its web address and that of its API. */
    url: webUrl.default('https://github.com'),
    'api-url': webUrl.default('https://api.github.com'),
  }),
])

const machine = z
  .strictObject({
    id: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/, 'letters, digits, dots, hyphens and underscores'),
    /** Of `createMachineSecret`. */
    'secret-hash': z.string().regex(/^\$sha256\$[A-Za-z0-9_-]{43}$/, '$sha256$ and a hash in base64url'),
    subject: subject.optional(),
    email: email.optional(),
  })
  .refine((value) => (value.subject ?? value.email) !== undefined, 'a machine needs a subject or an email')

const rule = z.strictObject({
  issuer: webUrl,
  /** Where its keys may be, beside the issuer's own host. */
  hosts: z.array(domain).max(10).default([]),
  /** Claims of the subject token by name, with the text each must be, or one of several. All must hold. */
  claims: z
    .record(z.string().min(1), z.union([text, z.array(text).min(1).max(100)]))
    .refine((claims) => Object.keys(claims).length > 0, 'one claim at least'),
  /** Whom the token will be about: a fixed subject, or the verified e-mail address of the subject token. */
  identity: z.union([z.strictObject({ subject }), z.strictObject({ email: z.literal('verified') })]),
})

const settingsSchema = z
  .strictObject({
    /** cosign takes a token on its command line only with RS256, which OpenID Connect Core section 15.1 demands of every issuer anyway. */
    algorithm: z.enum(['ES256', 'RS256']).default('RS256'),
    /** Of ID tokens, in seconds. */
    'token-lifetime': z.int().min(60).max(3_600).default(600),
    /** How long a browser stays signed in, in seconds. */
    'session-lifetime': z
      .int()
      .min(300)
      .max(30 * 86_400)
      .default(8 * 3_600),
    'key-rotation-days': z.int().min(1).max(3_650).default(90),
    /** Exact redirect URIs of other programs, beside those on loopback addresses. */
    'redirect-uris': z.array(z.url()).max(50).default([]),
    'local-users': z.boolean().default(true),
    connectors: z.array(connector).max(20).default([]),
    machines: z.array(machine).max(1_000).default([]),
    'token-exchange': z.strictObject({ rules: z.array(rule).min(1).max(1_000) }).optional(),
  })
  .superRefine((settings, context) => {
    refuseTwice(
      settings.connectors.map(({ id }) => id),
      'connectors',
      context,
    )
    refuseTwice(
      settings.machines.map(({ id }) => id),
      'machines',
      context,
    )
    const people = [...reserved, ...settings.connectors.map(({ id }) => id)]
    const subjects = [
      ...settings.machines.map((value) => value.subject),
      ...(settings['token-exchange']?.rules ?? []).map(({ identity }) => ('subject' in identity ? identity.subject : undefined)),
    ]
    for (const value of subjects) {
      // Those of people are `<connector>:<their ID>`.
      if (value !== undefined && people.some((id) => value.startsWith(`${id}:`))) {
        context.addIssue({ code: 'custom', message: `the subject ${value} could be another's: it begins with the name of a connector` })
      }
    }
    // Of a verified address the subject is `exchange:<issuer>:<its sub>`.
    const exchanged = (settings['token-exchange']?.rules ?? []).flatMap(({ issuer, identity }) => ('email' in identity ? [issuer] : []))
    const ambiguous = exchanged.find((issuer) => exchanged.some((other) => issuer.startsWith(`${other}:`)))
    if (ambiguous !== undefined) {
      const message = `subjects of ${ambiguous} could be another's: its name begins with that of another issuer and a colon`
      context.addIssue({ code: 'custom', message, path: ['token-exchange'] })
    }
    if (settings.machines.some(({ id }) => id === 'sigstore'))
      context.addIssue({ code: 'custom', message: 'sigstore is the name of the public client' })
  })

/** Checked settings. */
export type IssuerSettings = z.output<typeof settingsSchema>
export type ConnectorSettings = IssuerSettings['connectors'][number]
export type MachineSettings = IssuerSettings['machines'][number]
export type ExchangeRule = NonNullable<IssuerSettings['token-exchange']>['rules'][number]

/**
 * Reads settings, as parsed from YAML or JSON; `{}` gives the defaults.
 * @throws CountersignError CONFIGURATION_INVALID, with the path to what is wrong
 */
export function parseIssuerSettings(value: unknown): IssuerSettings {
  const result = settingsSchema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const path = ['issuer.settings', ...(issue?.path ?? [])].map(String).join('.')
  throw new CountersignError('CONFIGURATION_INVALID', `${path}: ${issue?.message ?? 'not as expected'}`)
}

/** Whether a URL is of this machine. */
export function isLoopbackUrl(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/.test(hostname)
}

function refuseTwice(ids: readonly string[], where: string, context: { addIssue(issue: { code: 'custom'; message: string }): void }): void {
  const twice = ids.find((id, at) => ids.indexOf(id) !== at)
  if (twice !== undefined) context.addIssue({ code: 'custom', message: `${where} has ${twice} twice` })
}
