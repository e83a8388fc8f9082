/** Fulcio's configuration of trusted issuers: one YAML document, checked whole before any of it is used. */
import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { CountersignError } from '../../error.ts'
import type { CiProvider } from './ci-providers.ts'
import { ciProviders, providerOfType } from './ci-providers.ts'
import type { ClaimTemplate } from './claim-template.ts'
import { compileClaimTemplate } from './claim-template.ts'
import { extensionNames } from './extension-names.ts'
import type { SigstoreExtensionName } from '../../x509/sigstore-extensions.ts'

/** How names of certificates are made of tokens. */
export type SubjectRule =
  | { readonly kind: 'email'; readonly issuerClaim: readonly string[] | undefined; readonly skipEmailVerification: boolean }
  | { readonly kind: 'uri'; readonly subjectDomain: string }
  | { readonly kind: 'username'; readonly subjectDomain: string }
  | { readonly kind: 'spiffe'; readonly trustDomain: string }
  | { readonly kind: 'kubernetes' }
  | { readonly kind: 'chainguard' }
  | { readonly kind: 'ci'; readonly subject: ClaimTemplate; readonly extensions: ReadonlyMap<SigstoreExtensionName, ClaimTemplate> }

/** An issuer, or a family of them. */
export interface TrustedIssuer {
  /** Its URL; in a family, with `*` where names differ. */
  readonly url: string
  /** Matches the URLs of a family, whole. */
  readonly pattern: RegExp | undefined
  readonly clientId: string
  /** What the configuration calls it. */
  readonly type: string
  readonly rule: SubjectRule
  readonly challengeClaim: 'email' | 'sub'
  /** PEM of the authority that its TLS certificate is of. */
  readonly caCertificate: string | undefined
  /** Hosts beside its own that keys may be fetched from. */
  readonly keyHosts: readonly string[]
}

export interface IssuerConfiguration {
  readonly issuers: readonly TrustedIssuer[]
  /** The issuer of this name: one that is named exactly before a family. */
  find(url: string): TrustedIssuer | undefined
}

const maxCharacters = 1_000_000
const text = z.string().min(1).max(4_096)

const issuer = z.strictObject({
  'issuer-url': text.optional(),
  'client-id': text.default('sigstore'),
  type: z.enum([
    'email',
    'uri',
    'username',
    'spiffe',
    'kubernetes',
    'ci-provider',
    'chainguard-identity',
    'github-workflow',
    'gitlab-pipeline',
    'buildkite-job',
    'codefresh-workflow',
  ]),
  'issuer-claim': z
    .string()
    .regex(/^\$(\.[A-Za-z0-9_-]+)+$/, 'a path of claims such as $.federated_claims.connector_id')
    .optional(),
  'subject-domain': text.optional(),
  'spiffe-trust-domain': z
    .string()
    .regex(/^[a-z0-9._-]{1,255}$/, 'a SPIFFE trust domain')
    .optional(),
  'ci-provider': text.optional(),
  'ca-cert': z.string().max(100_000).optional(),
  contact: z.string().max(4_096).optional(),
  description: z.string().max(4_096).optional(),
  'challenge-claim': z.enum(['email', 'sub']).optional(),
  'skip-email-verification': z.boolean().default(false),
  /** Ours: further hosts that the issuer's keys may be fetched from. */
  'key-hosts': z
    .array(z.string().regex(/^[a-z0-9.-]+$/, 'a host name'))
    .max(16)
    .default([]),
})

const provider = z.strictObject({
  'default-template-values': z.record(z.string(), z.string()).default({}),
  'extension-templates': z.record(z.string(), z.string()).default({}),
  'subject-alternative-name-template': text,
})

const schema = z.strictObject({
  'oidc-issuers': z.record(z.string(), issuer).default({}),
  'meta-issuers': z.record(z.string(), issuer).default({}),
  'ci-issuer-metadata': z.record(z.string(), provider).default({}),
})

type IssuerYaml = z.output<typeof issuer>

/** Where Google publishes its keys; other issuers do it on their own host. */
const knownKeyHosts: Readonly<Record<string, readonly string[]>> = { 'https://accounts.google.com': ['www.googleapis.com'] }

/**
 * Reads the configuration.
 * @param file what errors call it
 * @throws CountersignError CONFIGURATION_INVALID, with the line where there is one
 */
export function parseIssuerConfiguration(source: string, file: string): IssuerConfiguration {
  const fail = (reason: string): CountersignError => new CountersignError('CONFIGURATION_INVALID', `${file} cannot be used: ${reason}`)
  if (source.length > maxCharacters) throw fail(`it has more than ${maxCharacters} characters`)
  const lines = new LineCounter()
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: true })
  const [mistake] = document.errors
  if (mistake !== undefined) throw fail(`line ${lines.linePos(mistake.pos[0]).line}: ${mistake.message.split('\n')[0] ?? ''}`)
  const value: unknown = document.toJS({ maxAliasCount: 100 })
  const result = schema.safeParse(value ?? {})
  if (!result.success) {
    const [problem] = result.error.issues
    const path = problem?.path.map(String) ?? []
    const node = document.getIn(path, true)
    const range =
      typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range) ? Number(node.range[0]) : undefined
    throw fail(
      `${range === undefined ? '' : `line ${lines.linePos(range).line}, `}${path.join(' → ')}: ${problem?.message ?? 'not as expected'}`,
    )
  }
  try {
    return createConfiguration(result.data)
  } catch (error) {
    if (error instanceof CountersignError) throw fail(error.message)
    throw error
  }
}

function createConfiguration(yaml: z.output<typeof schema>): IssuerConfiguration {
  const providers = {
    ...ciProviders,
    ...Object.fromEntries(Object.entries(yaml['ci-issuer-metadata']).map(([name, one]) => [name, providerOf(one)])),
  }
  const exact = new Map(Object.entries(yaml['oidc-issuers']).map(([url, one]) => [url, issuerOf(url, one, undefined, providers)]))
  const families = Object.entries(yaml['meta-issuers']).map(([url, one]) => issuerOf(url, one, patternOf(url), providers))
  return {
    issuers: [...exact.values(), ...families],
    find: (url) => exact.get(url) ?? families.find(({ pattern }) => pattern?.test(url)),
  }
}

function providerOf(yaml: z.output<typeof provider>): CiProvider {
  return {
    subjectAlternativeName: yaml['subject-alternative-name-template'],
    extensions: yaml['extension-templates'],
    defaults: yaml['default-template-values'],
  }
}

function issuerOf(
  url: string,
  yaml: IssuerYaml,
  pattern: RegExp | undefined,
  providers: Readonly<Record<string, CiProvider>>,
): TrustedIssuer {
  if (yaml['issuer-url'] !== undefined && yaml['issuer-url'] !== url) throw invalid(url, `its issuer-url is another: ${yaml['issuer-url']}`)
  checkIssuerUrl(url, pattern !== undefined)
  const rule = ruleOf(url, yaml, pattern !== undefined, providers)
  return {
    url,
    pattern,
    clientId: yaml['client-id'],
    type: yaml.type,
    rule,
    challengeClaim: yaml['challenge-claim'] ?? (rule.kind === 'email' ? 'email' : 'sub'),
    caCertificate: yaml['ca-cert'],
    keyHosts: [...yaml['key-hosts'], ...(knownKeyHosts[url] ?? [])],
  }
}

function checkIssuerUrl(url: string, isFamily: boolean): void {
  const sample = isFamily ? url.replaceAll('*', 'x') : url
  const parsed = URL.canParse(sample) ? new URL(sample) : undefined
  if (parsed === undefined || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) throw invalid(url, 'it is not an https:// URL')
  if (parsed.username !== '' || parsed.password !== '' || parsed.search !== '' || parsed.hash !== '') {
    throw invalid(url, 'an issuer has no user, query or fragment')
  }
}

function ruleOf(url: string, yaml: IssuerYaml, isFamily: boolean, providers: Readonly<Record<string, CiProvider>>): SubjectRule {
  const { type } = yaml
  if (yaml['issuer-claim'] !== undefined && type !== 'email') throw invalid(url, 'issuer-claim is for issuers of the type email')
  switch (type) {
    case 'email':
      return {
        kind: 'email',
        issuerClaim: yaml['issuer-claim']?.slice(2).split('.'),
        skipEmailVerification: yaml['skip-email-verification'],
      }
    case 'uri':
      return { kind: 'uri', subjectDomain: uriDomain(url, yaml['subject-domain'], isFamily) }
    case 'username':
      return { kind: 'username', subjectDomain: usernameDomain(url, yaml['subject-domain'], isFamily) }
    case 'spiffe':
      if (isFamily) throw invalid(url, 'spiffe cannot be the type of a meta issuer')
      if (yaml['spiffe-trust-domain'] === undefined) throw invalid(url, 'spiffe needs a spiffe-trust-domain')
      return { kind: 'spiffe', trustDomain: yaml['spiffe-trust-domain'] }
    case 'kubernetes':
      return { kind: 'kubernetes' }
    case 'chainguard-identity':
      return { kind: 'chainguard' }
    default:
      return ciRule(url, yaml['ci-provider'] ?? providerOfType[type], providers)
  }
}

function ciRule(url: string, name: string | undefined, providers: Readonly<Record<string, CiProvider>>): SubjectRule {
  if (name === undefined) throw invalid(url, 'ci-provider needs the name of a provider')
  const found = Object.hasOwn(providers, name) ? providers[name] : undefined
  if (found === undefined) throw invalid(url, `there is no ci-provider ${name}, only ${Object.keys(providers).join(', ')}`)
  const extensions = Object.entries(found.extensions).map(([key, source]) => {
    const extension = Object.hasOwn(extensionNames, key) ? extensionNames[key] : undefined
    if (extension === undefined) throw invalid(url, `there is no extension ${key}`)
    return [extension, compileClaimTemplate(source, found.defaults)] as const
  })
  return { kind: 'ci', subject: compileClaimTemplate(found.subjectAlternativeName, found.defaults), extensions: new Map(extensions) }
}

/** Scheme and host of subjects; both of the issuer's own domain, so that no issuer speaks for somebody else's. */
function uriDomain(url: string, domain: string | undefined, isFamily: boolean): string {
  if (isFamily) throw invalid(url, 'uri cannot be the type of a meta issuer')
  const parsed = domain !== undefined && URL.canParse(domain) ? new URL(domain) : undefined
  if (parsed === undefined || parsed.pathname !== '/') throw invalid(url, 'uri needs a subject-domain such as https://example.com')
  const own = new URL(url)
  if (parsed.protocol !== own.protocol) throw invalid(url, 'its subject-domain should have the scheme of the issuer')
  checkSameDomain(url, own.hostname, parsed.hostname)
  return parsed.origin
}

function usernameDomain(url: string, domain: string | undefined, isFamily: boolean): string {
  if (isFamily) throw invalid(url, 'username cannot be the type of a meta issuer')
  if (domain === undefined || !/^[a-z0-9.-]+$/.test(domain)) throw invalid(url, 'username needs a subject-domain such as example.com')
  checkSameDomain(url, new URL(url).hostname, domain)
  return domain
}

/** The last two labels are the same, or the hosts are. */
function checkSameDomain(url: string, issuerHost: string, subjectHost: string): void {
  const registrable = (host: string): string => host.split('.').slice(-2).join('.')
  if (issuerHost !== subjectHost && (registrable(issuerHost) !== registrable(subjectHost) || !subjectHost.includes('.'))) {
    throw invalid(url, `its subject-domain ${subjectHost} is not of its own domain`)
  }
}

/** `*` stands for one name without dots and slashes, and the whole URL has to match. */
function patternOf(url: string): RegExp {
  const parts = url.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
  return new RegExp(`^${parts.join('[-_a-zA-Z0-9]+')}$`)
}

function invalid(url: string, reason: string): CountersignError {
  return new CountersignError('CONFIGURATION_INVALID', `the issuer ${url}: ${reason}`)
}
