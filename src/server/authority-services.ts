/** The services of a server that certify: the certificate authority with its CT log, the timestamp authority, and the watch over their clock. */
import { Hono } from 'hono'
import type { PrivateKey } from '../crypto/private-key.ts'
import type { Signer } from '../crypto/signer.ts'
import { request } from '../http/fetch.ts'
import type { Certificate } from '../x509/certificate.ts'
import { parseCertificate } from '../x509/certificate.ts'
import type { AppOptions, Parts } from './app-parts.ts'
import type { CertificateAuthority } from './ca/certificate-authority.ts'
import { createCertificateAuthority } from './ca/certificate-authority.ts'
import { createCtLog } from './ctlog/ct-log.ts'
import type { Issuer } from './issuer/issuer.ts'
import { trustedRoots, uncutChains } from './material.ts'
import { errorFields } from './request-log.ts'
import { logsOfKind, watchAgainstHeads } from './server-logs.ts'
import { servicePaths } from './server-trust.ts'
import { openGuardedSigner } from './threads/guarded-signing.ts'
import { openSigner, signingSetup } from './threads/signing.ts'
import { createClockWatch } from './time/clock-watch.ts'
import { createTimestampAuthority } from './tsa/timestamp-authority.ts'

/** Why the clock must not be trusted now; undefined while it may be. */
export type Suspicion = () => string | undefined

/** Watches the clock for those who certify times, if there are any. */
export function addClockWatch({ options, instances, services }: Parts): Suspicion {
  const { clock, timeServers = [], steadyClock } = options
  const setBack = watchAgainstHeads(instances)
  const watch = createClockWatch({
    clock,
    ...(timeServers.length === 0 ? {} : { timeServers: { servers: timeServers.map((host) => ({ host })) } }),
    ...(steadyClock && { steady: steadyClock }),
  })
  if (options.services.includes('tsa') || options.services.includes('ca'))
    services.push({ routes: new Hono(), start: () => watch.start(), close: () => watch.close() })
  return () => watch.suspicion() ?? setBack(clock())
}

/** Adds the timestamp authority. */
export function addTimestampAuthority({ options, services, readiness }: Parts, suspicion: Suspicion): void {
  const { material, clock, openTask } = options
  const authority = createTimestampAuthority({
    signer: material.tsa.key.createSigner(),
    chain: material.tsa.chain.map(parseCertificate),
    clock,
    suspicion,
    ...(openTask === undefined ? {} : { threads: { openTask, signing: () => signingSetup(material.tsa.key) } }),
  })
  readiness.push({ name: 'tsa', check: () => authority.unreadiness() })
  services.push(authority)
}

/** Adds the CT log and the authority that enters its certificates there. */
export function addCertificateAuthority(parts: Parts, issuer: Issuer | undefined, suspicion: Suspicion): CertificateAuthority {
  const { options, instances, services, readiness } = parts
  const { material, storage, clock, issuers, log } = options
  const chain = material.ca.chain.map(parseCertificate)
  // Whoever holds a certificate of before may submit it, as to any log.
  const acceptedRoots = trustedRoots(material.ca).map(parseCertificate)
  const { newest } = logsOfKind(instances, 'ctlog')
  const signer = signerFor(options, newest.material.key)
  const ctLog = createCtLog({
    log: newest.log,
    signer,
    acceptedRoots,
    documents: storage.documents,
    prefix: servicePaths.ctlog,
  })
  const authority = createCertificateAuthority({
    signer: signerFor(options, material.ca.key),
    ...(options.openTask && { signIfValid: openGuardedSigner(options.openTask, material.ca.key) }),
    chain,
    earlierChains: uncutChains(material.ca).map((one) => one.map(parseCertificate)),
    log: ctLog,
    logKey: signer.publicKey,
    clock,
    suspicion,
    issuers,
    localKeys: new Map(issuer === undefined ? [] : [[issuer.url, () => issuer.jwks()]]),
    send: request,
    onRefusal: (error) => log.info(errorFields(error), 'a certificate was refused'),
  })
  readiness.push({ name: 'ca', check: () => authority.unreadiness() })
  services.push(ctLog, authority)
  addEarlierCtLogs(parts, acceptedRoots)
  return authority
}

/** The logs before the one that takes certificates, below paths of their own: their entries stay readable. */
function addEarlierCtLogs({ options, instances, services }: Parts, acceptedRoots: readonly Certificate[]): void {
  for (const { material, log } of logsOfKind(instances, 'ctlog').others) {
    const signer = material.key.createSigner()
    services.push(createCtLog({ log, signer, acceptedRoots, documents: options.storage.documents, prefix: `/${material.id}` }))
  }
}

/** What signs with a key: this thread where handing the work over costs about as much as doing it. */
function signerFor({ openTask }: AppOptions, key: PrivateKey): Signer {
  const { publicKey } = key
  const isFast = publicKey.kind === 'ed25519' || (publicKey.kind === 'ecdsa' && publicKey.curve === 'P-256')
  return openTask === undefined || isFast ? key.createSigner() : openSigner(openTask, key)
}
