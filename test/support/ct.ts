/** A CT log over the log engine in memory, with the key of a test universe, and what certificate authorities send it. */
import { Hono } from 'hono'
import { encodeSubmission } from '../../src/api/certificate-transparency.ts'
import type { Clock } from '../../src/server/clock.ts'
import { ctCheckpointSigner } from '../../src/server/ctlog/checkpoint-signer.ts'
import type { CtLog, CtLogOptions } from '../../src/server/ctlog/ct-log.ts'
import { createCtLog } from '../../src/server/ctlog/ct-log.ts'
import type { Storage } from '../../src/server/storage/storage.ts'
import { openStorage } from '../../src/server/storage/storage.ts'
import type { LogState, TileLog } from '../../src/server/tile-log/log.ts'
import { openLog } from '../../src/server/tile-log/open-log.ts'
import { derNull } from '../../src/encoding/der-writer.ts'
import { parseCertificate } from '../../src/x509/certificate.ts'
import { privateKeyOf } from './authority.ts'
import type { CertificateOptions, TestCertificate } from './universe/certificates.ts'
import { extension, issue } from './universe/certificates.ts'
import { namedKey } from './universe/keys.ts'
import type { Universe } from './universe/services.ts'

/** The first line of the log's checkpoints. */
export const ctOrigin = 'sigstore.universe.test/ct'

export interface TestCtLog {
  readonly service: CtLog
  readonly log: TileLog
  readonly storage: Storage
  get(path: string): Promise<Response>
  /** Posts a chain to `add-chain` or `add-pre-chain`. */
  submit(where: 'add-chain' | 'add-pre-chain', chain: readonly Uint8Array[]): Promise<Response>
  close(): Promise<void>
}

/** What may be different about the log. */
export interface TestCtOptions extends Partial<Omit<CtLogOptions, 'documents'>> {
  readonly clock?: Clock
  readonly state?: LogState
  /** Storage that another log has left; `close` leaves it open. */
  readonly storage?: Storage
}

/** A log that accepts the universe's root, with the prefix `/ct`. */
export async function testCtLog(universe: Universe, options: TestCtOptions = {}): Promise<TestCtLog> {
  const { clock = () => universe.time, state = 'active', storage: left, ...others } = options
  const storage = left ?? (await openStorage({ kind: 'memory' }, { clock }))
  const signer = privateKeyOf(universe.ctLog).createSigner()
  const log =
    others.log ?? (await openLog({ id: 'ct', origin: ctOrigin, state, signCheckpoint: ctCheckpointSigner(signer), storage, clock }))
  const acceptedRoots = [parseCertificate(universe.root.der)]
  const service = createCtLog({ log, signer, acceptedRoots, documents: storage.documents, prefix: '/ct', ...others })
  // What the server's origin answers when a service fails.
  const origin = new Hono().route('/', service.routes).onError((_, c) => c.text('internal error', 500))
  return {
    service,
    log,
    storage,
    get: async (path) => origin.request(`/ct${path}`),
    submit: async (where, chain) => origin.request(`/ct/ct/v1/${where}`, { method: 'POST', body: encodeSubmission(chain) }),
    close: async () => {
      await log.close()
      if (left === undefined) await storage.close()
    },
  }
}

/** The extension that makes a precertificate of a certificate. */
export const poison: Uint8Array = extension('1.3.6.1.4.1.11129.2.4.3', derNull(), true)

/** A leaf of ten minutes, issued now by the universe's issuing authority; the same number makes the same certificate but for its signature. */
export function leafOptions(universe: Universe, number: number): CertificateOptions {
  const serialNumber = Buffer.alloc(8)
  serialNumber.writeUInt32BE(0x40000000)
  serialNumber.writeUInt32BE(number, 4)
  return {
    key: namedKey('ct leaf'),
    notBefore: universe.time,
    notAfter: universe.time + 10 * 60_000,
    subjects: [{ email: `dev${number}@universe.test` }],
    sigstore: { 1: 'https://issuer.universe.test' },
    serialNumber,
  }
}

/** The precertificate of a leaf. */
export function precertificateOf(universe: Universe, number: number, options: Partial<CertificateOptions> = {}): TestCertificate {
  return issue({ ...leafOptions(universe, number), extensions: [poison], ...options }, universe.intermediate)
}

/** A precertificate and its issuers, as a certificate authority submits them. */
export function preChain(universe: Universe, number: number, options: Partial<CertificateOptions> = {}): Uint8Array[] {
  return [precertificateOf(universe, number, options).der, ...universe.chain.map(({ der }) => der)]
}
