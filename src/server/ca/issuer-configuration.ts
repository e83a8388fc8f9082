/** Fulcio's configuration of trusted issuers: one YAML document, checked whole before any of it is used. */
import { LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { excerpt } from '../../encoding/bytes.ts'
import { CountersignError, messageOf } from '../../error.ts'
import { parseCertificatePem } from '../../x509/certificate.ts'
import type { CiProvider } from './ci-providers.ts'
import { ciProviders } from './ci-providers.ts'
import type { IssuerYaml, ProviderYaml } from './issuer-schema.ts'
import { configurationSchema } from './issuer-schema.ts'
import type { SubjectRule } from './subject-rule.ts'
import { ruleOf } from './subject-rule.ts'
import { describeProblem, lineOf } from './yaml-problem.ts'

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
/** Fulcio's own file has `*alias:` for a key. To YAML 1.2, but not to Go's reader, the colon there belongs to the alias's name. */
const aliasAsKey = /^( *\*[A-Za-z0-9_-]+):(?=[ \r]*$)/gm
/** Where Google publishes its keys; other issuers do it on their own host. */
const knownKeyHosts: Readonly<Record<string, readonly string[]>> = { 'https://accounts.google.com': ['www.googleapis.com'] }

/**
 * Reads the configuration.
 * @param file what errors call it
 * @throws CountersignError CONFIGURATION_INVALID, with the line where there is one
 */
export function parseIssuerConfiguration(source: string, file: string): IssuerConfiguration {
  const fail = (reason: string, cause?: unknown): CountersignError =>
    new CountersignError('CONFIGURATION_INVALID', `${file} cannot be used: ${reason}`, { cause })
  if (source.length > maxCharacters) throw fail(`it has more than ${maxCharacters} characters`)
  const lines = new LineCounter()
  const document = parseDocument(source.replaceAll(aliasAsKey, '$1 :'), { lineCounter: lines, uniqueKeys: true })
  const [mistake] = document.errors
  if (mistake !== undefined) throw fail(`line ${lines.linePos(mistake.pos[0]).line}: ${mistake.message.split('\n')[0] ?? ''}`)
  try {
    const result = configurationSchema.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {})
    if (result.success) return createConfiguration(result.data)
    throw fail(describeProblem(result.error.issues[0], document, lines))
  } catch (cause) {
    if (cause instanceof IssuerError) throw fail(`${lineOf(cause.path, document, lines)}${cause.message}`, cause)
    // Aliases that unfold without end.
    throw cause instanceof CountersignError ? cause : fail(messageOf(cause), cause)
  }
}

/** Something about an issuer that is wrong, and where it stands. */
class IssuerError extends CountersignError {
  override name = 'IssuerError'
  readonly path: readonly string[]

  constructor(message: string, path: readonly string[]) {
    super('CONFIGURATION_INVALID', message)
    this.path = path
  }
}

function createConfiguration(yaml: z.output<typeof configurationSchema>): IssuerConfiguration {
  const providers = new Map<string, CiProvider>(Object.entries(ciProviders))
  for (const [name, one] of Object.entries(yaml['ci-issuer-metadata'])) providers.set(name, providerOf(one))
  const exact = new Map(Object.entries(yaml['oidc-issuers']).map(([url, one]) => [url, issuerOf(url, one, false, providers)]))
  const families = Object.entries(yaml['meta-issuers']).map(([url, one]) => issuerOf(url, one, true, providers))
  return {
    issuers: [...exact.values(), ...families],
    find: (url) => exact.get(url) ?? families.find(({ pattern }) => pattern?.test(url)),
  }
}

function providerOf(yaml: ProviderYaml): CiProvider {
  return {
    subjectAlternativeName: yaml['subject-alternative-name-template'],
    extensions: yaml['extension-templates'],
    defaults: yaml['default-template-values'],
  }
}

function issuerOf(url: string, yaml: IssuerYaml, isFamily: boolean, providers: ReadonlyMap<string, CiProvider>): TrustedIssuer {
  try {
    if (yaml['issuer-url'] !== undefined && yaml['issuer-url'] !== url)
      throw invalid(`its issuer-url is another: ${excerpt(yaml['issuer-url'])}`)
    checkIssuerUrl(url, isFamily)
    if (yaml['ca-cert'] !== undefined) parseCertificatePem(yaml['ca-cert'], 'its ca-cert')
    const rule = ruleOf(url, yaml, isFamily, providers)
    return {
      url,
      pattern: isFamily ? patternOf(url) : undefined,
      clientId: yaml['client-id'],
      type: yaml.type,
      rule,
      challengeClaim: yaml['challenge-claim'] ?? (rule.kind === 'email' ? 'email' : 'sub'),
      caCertificate: yaml['ca-cert'],
      keyHosts: [...yaml['key-hosts'], ...(knownKeyHosts[url] ?? [])],
    }
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw new IssuerError(`the issuer ${url}: ${cause.message}`, [isFamily ? 'meta-issuers' : 'oidc-issuers', url])
  }
}

function checkIssuerUrl(url: string, isFamily: boolean): void {
  const sample = isFamily ? url.replaceAll('*', 'x') : url
  const parsed = URL.canParse(sample) ? new URL(sample) : undefined
  if (parsed === undefined || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) throw invalid('it is not an https:// URL')
  if (parsed.username !== '' || parsed.password !== '' || parsed.search !== '' || parsed.hash !== '') {
    throw invalid('an issuer has no user, query or fragment')
  }
  const host = /^https?:\/\/([^/]*)/i.exec(url)?.[1] ?? ''
  if (host.includes('*') && ownHosts.some((own) => patternOf(host).test(own)))
    throw invalid('the host of a family ends in a domain, such as *.example.com: otherwise tokens send requests to any host, this one too')
}

/** Hosts of this machine and what is beside it, by name and as addresses are written: no token may lead there. */
const ownHosts: readonly string[] = ['localhost', '2130706433', '0x7f000001', '127.1', '127.0.1', '127.0.0.1', '169.254.169.254']

/** `*` stands for one name without dots and slashes, and the whole URL has to match. */
function patternOf(url: string): RegExp {
  const parts = url.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
  return new RegExp(`^${parts.join('[-_a-zA-Z0-9]+')}$`)
}

function invalid(reason: string): CountersignError {
  return new CountersignError('CONFIGURATION_INVALID', reason)
}
