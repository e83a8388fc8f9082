/**
 * What a caller demands, looked at before anything is verified. A demand that is misspelt, of another type or left undefined by mistake would
 * not be checked, and a yes would follow. TypeScript says most of this; programs that are not in it are told here.
 */
import { excerpt } from '../encoding/bytes.ts'
import { UsageError } from '../error.ts'
import type { TrustMaterial } from '../trust/trust-material.ts'
import type { SigstoreExtensionName } from '../x509/sigstore-extensions.ts'
import { sigstoreExtensionNames } from '../x509/sigstore-extensions.ts'
import type { CertificateIdentity, CertificatePolicy, KeyPolicy, Pattern, Policy, Thresholds, VerifyOptions } from './policy.ts'

/** The names of members, every one of a type's. */
export type Members<Type> = Readonly<Record<keyof Type, true>>

const policyMembers: Members<Policy> = { artifact: true, signer: true, predicateType: true }
const keyMembers: Members<KeyPolicy> = { kind: true, key: true, window: true, algorithm: true }
const certificateMembers: Members<CertificatePolicy> = { kind: true, identities: true }
const identityMembers: Members<CertificateIdentity> = { subjectAlternativeName: true, issuer: true, extensions: true }
const optionMembers: Members<VerifyOptions> = { thresholds: true, currentTime: true, detachedSct: true }
const thresholdMembers: Members<Thresholds> = { logEntries: true, scts: true, times: true, signedTimestamps: true, integratedTimes: true }

/** @throws UsageError POLICY_INVALID for what is no policy */
export function checkPolicy(policy: Policy): void {
  checkMembers(policy, 'the policy', policyMembers)
  checkSigner(policy.signer)
  checkPredicateType(policy)
  const { artifact } = policy
  if (artifact === 'any-subject' || (isObject(artifact) && typeof artifact.digest === 'function')) return
  throw invalidDemand(`the artifact should be its bytes or what artifactFromBytes or artifactFromDigests gave, found ${kindOf(artifact)}`)
}

/** @throws UsageError POLICY_INVALID for what says neither a key nor at least one identity */
export function checkSigner(signer: Policy['signer']): void {
  if (isObject(signer) && signer.kind === 'key') return checkKey(signer)
  if (!isObject(signer) || signer.kind !== 'certificate') {
    throw invalidDemand(`the signer should be of the kind "key" or "certificate", found ${kindOf(signer)}`)
  }
  checkMembers(signer, 'the signer', certificateMembers)
  const { identities } = signer
  if (!Array.isArray(identities)) throw invalidDemand(`identities should be a list, found ${kindOf(identities)}`)
  if (identities.length === 0) throw invalidDemand('at least one certificate identity with its issuer is needed, found none')
  for (const identity of identities) checkIdentity(identity)
}

/** @throws UsageError POLICY_INVALID for a type that is no text: it is left out where any type will do */
export function checkPredicateType(demand: Pick<Policy, 'predicateType'>): void {
  if (!('predicateType' in demand)) return
  const { predicateType } = demand
  if (typeof predicateType === 'string' || (Array.isArray(predicateType) && predicateType.every((type) => typeof type === 'string'))) return
  throw invalidDemand(`predicateType should be a text, or left out where attestations of any type will do, found ${kindOf(predicateType)}`)
}

/** @throws UsageError POLICY_INVALID for what is no trust material, such as a promise of it */
export function checkTrust(trust: TrustMaterial): void {
  if (isTrust(trust) && (trust.otherRoots === undefined || (Array.isArray(trust.otherRoots) && trust.otherRoots.every(isTrust)))) return
  throw invalidDemand(`trust should be what loadTrustMaterial gave, or loadTrustedRoot once it was awaited, found ${kindOf(trust)}`)
}

function isTrust(trust: unknown): trust is TrustMaterial {
  if (!isObject(trust)) return false
  const { logs, certificateAuthorities, unusable } = trust as Partial<TrustMaterial>
  return Array.isArray(logs) && Array.isArray(certificateAuthorities) && Array.isArray(unusable)
}

/** @throws UsageError POLICY_INVALID for options that are not known, thresholds that are no numbers and times that are none */
export function checkOptions(options: VerifyOptions): void {
  checkMembers(options, 'the options', optionMembers)
  const { thresholds = {}, currentTime } = options
  checkMembers(thresholds, 'the thresholds', thresholdMembers)
  for (const [name, value] of Object.entries(thresholds)) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw invalidDemand(`the threshold ${name} should be a whole number from 0, found ${kindOf(value)}`)
  }
  checkTime(currentTime, 'currentTime')
}

/** @throws UsageError POLICY_INVALID for what is there and no time */
export function checkTime(time: Date | undefined, what: string): void {
  if (time === undefined || (isTagged(time, 'Date') && !Number.isNaN(time.getTime()))) return
  throw invalidDemand(`${what} should be a valid Date, found ${isTagged(time, 'Date') ? 'an invalid one' : kindOf(time)}`)
}

/** @throws UsageError POLICY_INVALID for what is no object whose members can be looked at, such as a Map */
export function checkObject(value: object, what: string): void {
  if (!isTagged(value, 'Object')) throw invalidDemand(`${what} should be an object, found ${kindOf(value)}`)
}

/** @throws UsageError POLICY_INVALID for what is no object, and for members that nobody would look at */
export function checkMembers<Type extends object>(value: Type, what: string, known: Members<Type>): void {
  checkObject(value, what)
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(known, name))
  if (unknown !== undefined)
    throw invalidDemand(`${what} should have no other members than ${Object.keys(known).join(', ')}, found ${excerpt(unknown)}`)
}

/** A copy: what the caller changes afterwards is none of the policy's. */
export function copySigner(signer: Policy['signer']): Policy['signer'] {
  if (signer.kind === 'key') return { ...signer }
  return {
    ...signer,
    identities: signer.identities.map(({ subjectAlternativeName, issuer, extensions }) => ({
      subjectAlternativeName,
      issuer,
      ...(extensions === undefined ? {} : { extensions: { ...extensions } }),
    })),
  }
}

function checkKey(signer: KeyPolicy): void {
  checkMembers(signer, 'the signer', keyMembers)
  if (!isObject(signer.key) || !isTagged(signer.key.spki, 'Uint8Array'))
    throw invalidDemand(`the key should be what parsePublicKeyPem gave, found ${kindOf(signer.key)}`)
}

function checkIdentity(identity: CertificateIdentity): void {
  checkMembers(identity, 'an identity', identityMembers)
  const { subjectAlternativeName, issuer } = identity
  checkMatcher(subjectAlternativeName, 'the subjectAlternativeName of an identity')
  checkMatcher(issuer, 'the issuer of an identity')
  if (isPattern(subjectAlternativeName) && subjectAlternativeName.source === '')
    throw invalidDemand(
      'the pattern for the subjectAlternativeName of an identity is empty and matches every name: write .* if that is meant',
    )
  if (!('extensions' in identity)) return
  const { extensions } = identity
  const names = sigstoreExtensionNames.filter((name) => name !== undefined)
  const known = Object.fromEntries(names.map((name) => [name, true])) as Members<Record<SigstoreExtensionName, unknown>>
  checkMembers(extensions ?? {}, 'the extensions of an identity', known)
  if (!isObject(extensions)) throw invalidDemand(`the extensions of an identity should be an object, found ${kindOf(extensions)}`)
  for (const [name, matcher] of Object.entries(extensions)) checkMatcher(matcher, `the extension ${name} of an identity`)
}

function checkMatcher(matcher: unknown, what: string): void {
  if (typeof matcher === 'string' || isPattern(matcher)) return
  if (Array.isArray(matcher) && matcher.length === 2 && typeof matcher[0] === 'string' && isPattern(matcher[1])) return
  throw invalidDemand(`${what} should be a text, what compilePattern gave, or both in a list, found ${kindOf(matcher)}`)
}

function isPattern(value: unknown): value is Pattern {
  return isObject(value) && 'matches' in value && typeof value.matches === 'function'
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** By what it is built in as, so that those of other realms are known too. */
function isTagged(value: unknown, tag: string): boolean {
  return Object.prototype.toString.call(value) === `[object ${tag}]`
}

/** What was found, without its contents: `a string`, `a Promise`, `undefined`. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null || typeof value === 'number') return String(value)
  const name = isObject(value) ? Object.prototype.toString.call(value).slice('[object '.length, -1) : typeof value
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`
}

/** The error about a demand. */
export function invalidDemand(message: string): UsageError {
  return new UsageError('POLICY_INVALID', message)
}
