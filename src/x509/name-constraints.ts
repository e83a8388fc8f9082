/** Name constraints (RFC 5280 section 4.2.1.10): for which names an authority, and everybody below it, may issue. */
import { asBuffer } from '../encoding/bytes.ts'
import type { DerReader } from '../encoding/der.ts'
import { parseDerSequence } from '../encoding/der.ts'
import { contextTag } from '../encoding/der-tag.ts'
import { DecodingError } from '../error.ts'
import { isNameWithin } from './name-match.ts'

/** One name, or the base of a subtree: the identifier octet of a GeneralName says of what form it is. */
interface FormedName {
  readonly form: number
  readonly content: Uint8Array
}

/** What an authority is allowed; undefined is everything of every form. */
export interface NameConstraints {
  readonly permitted: readonly FormedName[]
  readonly excluded: readonly FormedName[]
}

const form = {
  email: contextTag(1, false),
  dns: contextTag(2, false),
  directory: contextTag(4, true),
  uri: contextTag(6, false),
  ip: contextTag(7, false),
} as const

const maxSubtrees = 1024

/**
 * Parses the extension.
 * @throws DecodingError DER_INVALID or CERTIFICATE_INVALID
 */
export function parseNameConstraints(value: Uint8Array): NameConstraints {
  const reader = parseDerSequence(value, 'the name constraints')
  const permitted = readSubtrees(reader, 0)
  const excluded = readSubtrees(reader, 1)
  reader.end()
  if (permitted.length + excluded.length === 0) throw new DecodingError('CERTIFICATE_INVALID', 'the name constraints are empty')
  return { permitted, excluded }
}

function readSubtrees(reader: DerReader, number: 0 | 1): FormedName[] {
  const list = reader.context(number, 'a list of subtrees')
  const subtrees: FormedName[] = []
  if (list === undefined) return subtrees
  while (!list.done) {
    if (subtrees.length === maxSubtrees) throw new DecodingError('TOO_LARGE', `the name constraints have more than ${maxSubtrees} subtrees`)
    const subtree = list.sequence('a subtree')
    const base = subtree.any('the base of a subtree')
    // Minimum and maximum are not used with any form.
    subtree.end()
    subtrees.push({ form: base.tag, content: base.content })
  }
  return subtrees
}

/** What of a certificate is held against constraints: its subject, and the value of its subject alternative name extension. */
export interface NamedCertificate {
  readonly subject: Uint8Array
  readonly alternativeNames: Uint8Array | undefined
}

/**
 * Says which name of the certificate the constraints do not allow; undefined when all are allowed. A name of a form that constraints
 * are there for and that is not understood counts as one that is not allowed.
 */
export function forbiddenName({ subject, alternativeNames }: NamedCertificate, constraints: NameConstraints): string | undefined {
  for (const name of namesOf(subject, alternativeNames)) {
    const permitted = constraints.permitted.filter((base) => base.form === name.form)
    const excluded = constraints.excluded.filter((base) => base.form === name.form)
    if (excluded.some((base) => mayLieWithin(name, base, 'excluded'))) return describe(name)
    if (permitted.length > 0 && !permitted.some((base) => mayLieWithin(name, base, 'permitted'))) return describe(name)
  }
  return undefined
}

function namesOf(subject: Uint8Array, alternativeNames: Uint8Array | undefined): FormedName[] {
  const names: FormedName[] = []
  if (alternativeNames !== undefined) {
    const reader = parseDerSequence(alternativeNames, 'the subject alternative name')
    while (!reader.done) {
      const { tag, content } = reader.any('a name')
      names.push({ form: tag, content })
    }
  }
  // An empty subject is no name; one that is there is a directory name (section 4.2.1.10).
  if (subject.length > 2) names.push({ form: form.directory, content: subject })
  return names
}

/** In doubt, an excluded subtree is wide and a permitted one is narrow. */
function mayLieWithin(name: FormedName, base: FormedName, kind: 'permitted' | 'excluded'): boolean {
  const isWide = kind === 'excluded'
  switch (name.form) {
    case form.email:
      return isEmailWithin(text(name.content), text(base.content), isWide)
    case form.dns:
      return isHostWithin(text(name.content), text(base.content), true, isWide)
    case form.uri: {
      const host = hostOf(text(name.content))
      return host === undefined ? isWide : isHostWithin(host, text(base.content), isWide, isWide)
    }
    case form.ip:
      return isAddressWithin(name.content, base.content, isWide)
    case form.directory:
      return isNameWithin(name.content, base.content, isWide ? 'same' : 'different')
    default:
      return isWide
  }
}

/** Constraints are a mailbox, a host, or with a dot in front a domain. */
function isEmailWithin(email: string, base: string, isWide: boolean): boolean {
  const at = email.lastIndexOf('@')
  if (at < 0) return isWide
  const host = email.slice(at + 1)
  const baseAt = base.lastIndexOf('@')
  if (baseAt < 0) return isHostWithin(host, base, isWide, isWide)
  const [local, baseLocal] = [email.slice(0, at), base.slice(0, baseAt)]
  // A local part between quotation marks may be the same as one without.
  const isSameMailbox = isWide ? plainLocal(local) === plainLocal(baseLocal) : local === baseLocal
  return isSameMailbox && plainHost(host) === plainHost(base.slice(baseAt + 1))
}

function plainLocal(local: string): string {
  return local
    .replace(/^"(.*)"$/, '$1')
    .replaceAll(/\\(.)/g, '$1')
    .toLowerCase()
}

/** Letters, digits and what else stands in names of hosts; a name with anything else may be another one that is written differently. */
const hostName = /^(?:[a-z0-9_-]+\.)*[a-z0-9_-]+$/

/** In lower case, without the dots that a full name may end in. */
function plainHost(host: string): string {
  return host.toLowerCase().replace(/\.+$/, '')
}

/** @param withSubdomains whether a host stands for what is below it, too; with a dot in front it stands for that alone */
function isHostWithin(host: string, base: string, withSubdomains: boolean, isWide: boolean): boolean {
  if (base === '') return true
  const [name, domain] = [plainHost(host), plainHost(base)]
  if (!hostName.test(name.replace(/^\*\./, '')) || !hostName.test(domain.replace(/^\./, ''))) return isWide
  if (domain.startsWith('.')) return name.length > domain.length && name.endsWith(domain)
  // What stands for many names stands for some that are excluded.
  if (isWide && name.startsWith('*.') && `.${domain}`.endsWith(name.slice(1))) return true
  return name === domain || (withSubdomains && name.endsWith(`.${domain}`))
}

/** Undefined for a URI without a host name: it cannot be compared (section 4.2.1.10). */
function hostOf(uri: string): string | undefined {
  const host = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[^/?#@\\]*@)?([^/?#@:[\]]+)(?::\d*)?(?:[/?#]|$)/.exec(uri)?.[1]
  return host === undefined || /^[0-9.]+$/.test(host) ? undefined : host
}

/** The base is an address and a mask of the same length. */
function isAddressWithin(address: Uint8Array, base: Uint8Array, isWide: boolean): boolean {
  const { length } = address
  if (base.length !== 8 && base.length !== 32) return isWide
  // One of version 4 may be written as one of version 6, so of those none is known to lie outside.
  if (base.length !== 2 * length) return isWide && length === 16 && isMapped(address)
  return address.every((octet, index) => ((octet ^ (base[index] ?? 0)) & (base[length + index] ?? 255)) === 0)
}

/** ::ffff:192.0.2.1 (RFC 4291 section 2.5.5.2). */
function isMapped(address: Uint8Array): boolean {
  return address.subarray(0, 12).every((octet, index) => octet === (index < 10 ? 0 : 255))
}

function text(content: Uint8Array): string {
  return asBuffer(content).toString('latin1')
}

function describe({ form: which, content }: FormedName): string {
  if (which === form.directory) return 'its subject'
  if (which === form.ip) return 'an IP address'
  if (which !== form.email && which !== form.dns && which !== form.uri) return 'a name of a kind that is not understood'
  return JSON.stringify(
    text(content)
      .slice(0, 100)
      .replaceAll(/[^ -~]/g, '?'),
  )
}
