/** How the names in certificates follow from tokens, by the type of their issuer. */
import { CountersignError } from '../../error.ts'
import type { SigstoreExtensionName } from '../../x509/sigstore-extensions.ts'
import type { CiProvider } from './ci-providers.ts'
import { providerOfType } from './ci-providers.ts'
import type { ClaimTemplate } from './claim-template.ts'
import { compileClaimTemplate } from './claim-template.ts'
import { extensionNames } from './extension-names.ts'
import type { IssuerYaml } from './issuer-schema.ts'

/** How names of certificates are made of tokens. */
export type SubjectRule =
  | { readonly kind: 'email'; readonly issuerClaim: readonly string[] | undefined; readonly skipEmailVerification: boolean }
  | { readonly kind: 'uri'; readonly subjectDomain: string }
  | { readonly kind: 'username'; readonly subjectDomain: string }
  | { readonly kind: 'spiffe'; readonly trustDomain: string }
  | { readonly kind: 'kubernetes' }
  | { readonly kind: 'chainguard' }
  | { readonly kind: 'ci'; readonly subject: ClaimTemplate; readonly extensions: ReadonlyMap<SigstoreExtensionName, ClaimTemplate> }

/**
 * The rule of an issuer.
 * @param isFamily whether it stands under `meta-issuers`
 * @throws CountersignError CONFIGURATION_INVALID
 */
export function ruleOf(url: string, yaml: IssuerYaml, isFamily: boolean, providers: ReadonlyMap<string, CiProvider>): SubjectRule {
  const { type } = yaml
  if (yaml['issuer-claim'] !== undefined && type !== 'email') throw invalid('issuer-claim is for issuers of the type email')
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
      if (isFamily) throw invalid('spiffe cannot be the type of a meta issuer')
      if (yaml['spiffe-trust-domain'] === undefined) throw invalid('spiffe needs a spiffe-trust-domain')
      return { kind: 'spiffe', trustDomain: yaml['spiffe-trust-domain'] }
    case 'kubernetes':
      return { kind: 'kubernetes' }
    case 'chainguard-identity':
      return { kind: 'chainguard' }
    default:
      return ciRule(yaml['ci-provider'] ?? providerOfType[type], providers)
  }
}

function ciRule(name: string | undefined, providers: ReadonlyMap<string, CiProvider>): SubjectRule {
  if (name === undefined) throw invalid('ci-provider needs the name of a provider')
  const found = providers.get(name)
  if (found === undefined) throw invalid(`there is no ci-provider ${name}, only ${[...providers.keys()].join(', ')}`)
  const stated = Object.entries(found.extensions).filter(([, source]) => source !== '')
  const extensions = stated.map(([key, source]) => {
    const extension = Object.hasOwn(extensionNames, key) ? extensionNames[key] : undefined
    if (extension === undefined) throw invalid(`there is no extension ${key}`)
    return [extension, compileClaimTemplate(source, found.defaults)] as const
  })
  return { kind: 'ci', subject: compileClaimTemplate(found.subjectAlternativeName, found.defaults), extensions: new Map(extensions) }
}

/** Scheme and host of subjects; both of the issuer's own domain, so that no issuer speaks for somebody else's. */
function uriDomain(url: string, domain: string | undefined, isFamily: boolean): string {
  if (isFamily) throw invalid('uri cannot be the type of a meta issuer')
  const parsed = domain !== undefined && URL.canParse(domain) ? new URL(domain) : undefined
  if (parsed === undefined || parsed.origin !== domain) throw invalid('uri needs a subject-domain such as https://example.com')
  const own = new URL(url)
  if (parsed.protocol !== own.protocol) throw invalid('its subject-domain should have the scheme of the issuer')
  checkSameDomain(own.hostname, parsed.hostname)
  return parsed.origin
}

function usernameDomain(url: string, domain: string | undefined, isFamily: boolean): string {
  if (isFamily) throw invalid('username cannot be the type of a meta issuer')
  if (domain === undefined || !/^[a-z0-9.-]+$/.test(domain)) throw invalid('username needs a subject-domain such as example.com')
  checkSameDomain(new URL(url).hostname, domain)
  return domain
}

/** The last two labels are the same, or the hosts are. */
function checkSameDomain(issuerHost: string, subjectHost: string): void {
  const registrable = (host: string): string => host.split('.').slice(-2).join('.')
  const isAddress = /^[0-9.]+$|:/.test(issuerHost) || /^[0-9.]+$|:/.test(subjectHost)
  const isRelated = !isAddress && subjectHost.includes('.') && registrable(issuerHost) === registrable(subjectHost)
  if (issuerHost !== subjectHost && !isRelated) {
    throw invalid(`its subject-domain ${subjectHost} is not of its own domain`)
  }
}

function invalid(reason: string): CountersignError {
  return new CountersignError('CONFIGURATION_INVALID', reason)
}
