import { afterEach, describe, expect, it } from 'vitest'
import { parseSctAnswer } from '../../../../src/api/certificate-transparency.ts'
import { CountersignError } from '../../../../src/error.ts'
import { ctCheckpointSigner } from '../../../../src/server/ctlog/checkpoint-signer.ts'
import { createCtLog } from '../../../../src/server/ctlog/ct-log.ts'
import type { TileLog } from '../../../../src/server/tile-log/log.ts'
import { openLog } from '../../../../src/server/tile-log/open-log.ts'
import { openStorage } from '../../../../src/server/storage/storage.ts'
import { loadTrustMaterial } from '../../../../src/trust/trust-material.ts'
import { verifyCertificate, verifyScts } from '../../../../src/verify/certificate.ts'
import { parseCertificate } from '../../../../src/x509/certificate.ts'
import type { SignedCertificateTimestamp } from '../../../../src/x509/sct.ts'
import { derInteger, derNull } from '../../../../src/encoding/der-writer.ts'
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import { createOpenssl, hasOpenssl } from '../../../support/openssl.ts'
import type { TestCtLog, TestCtOptions } from '../../../support/ct.ts'
import { leafOptions, poison, preChain, precertificateOf, testCtLog } from '../../../support/ct.ts'
import { privateKeyOf } from '../../../support/authority.ts'
import { extension, issue, sctExtension } from '../../../support/universe/certificates.ts'
import type { CertificateOptions, TestCertificate } from '../../../support/universe/certificates.ts'
import { digestOf, namedKey } from '../../../support/universe/keys.ts'
import { universeOf } from '../../../support/universe/services.ts'

const universe = universeOf({ name: 'ct', rootKey: 'p256', issuingKey: 'p256' })
const logs: TestCtLog[] = []

afterEach(async () => {
  for (const log of logs.splice(0)) await log.close()
})

async function open(options: TestCtOptions = {}): Promise<TestCtLog> {
  const log = await testCtLog(universe, options)
  logs.push(log)
  return log
}

/** A serialised SCT, written down by hand from RFC 6962 section 3.2. */
function serialised(sct: SignedCertificateTimestamp): Uint8Array {
  const numbers = Buffer.alloc(10)
  numbers.writeBigUInt64BE(BigInt(sct.timestamp))
  numbers.writeUInt16BE(sct.extensions.length, 8)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(sct.signature.length)
  return Buffer.concat([Buffer.of(0), sct.logId, numbers, sct.extensions, Buffer.of(4, 3), length, sct.signature])
}

const embedded = (number: number, sct: SignedCertificateTimestamp): TestCertificate =>
  issue({ ...leafOptions(universe, number), extensions: [sctExtension([serialised(sct)])] }, universe.intermediate)

async function sctOf(response: Response): Promise<SignedCertificateTimestamp> {
  expect(response.status, await response.clone().text()).toBe(200)
  return parseSctAnswer(new Uint8Array(await response.arrayBuffer()))
}

describe('a submitted precertificate', () => {
  it('gets an SCT that the verifier takes in the certificate', async () => {
    const { submit } = await open()
    const sct = await sctOf(await submit('add-pre-chain', preChain(universe, 1)))
    expect(sct).toMatchObject({ timestamp: universe.time, hashAlgorithm: 'sha256', signatureKind: 'ecdsa' })
    expect(Buffer.from(sct.logId)).toEqual(Buffer.from(digestOf('sha256', universe.ctLog.spki)))
    const trust = loadTrustMaterial(universe.trustedRoot())
    const verified = verifyCertificate(parseCertificate(embedded(1, sct).der), trust, [universe.time])
    expect(verifyScts(verified, trust, 1, undefined, [])).toHaveLength(1)
  })

  it.skipIf(!hasOpenssl)('gets an SCT that openssl verifies over bytes put together by hand', async () => {
    const { submit } = await open()
    await submit('add-pre-chain', preChain(universe, 1))
    const sct = await sctOf(await submit('add-pre-chain', preChain(universe, 2)))
    // What a precertificate is without its poison is what the authority would have signed without it.
    const { tbs } = parseCertificate(issue(leafOptions(universe, 2), universe.intermediate).der)
    const head = Buffer.alloc(12)
    head.writeBigUInt64BE(BigInt(universe.time), 2)
    head.writeUInt16BE(1, 10)
    const issuerKeyHash = digestOf('sha256', universe.intermediate.key.spki)
    const leafIndex = Buffer.of(0, 0, 5, 0, 0, 0, 0, 1)
    const signed = Buffer.concat([
      head,
      issuerKeyHash,
      Buffer.of(tbs.length >> 16, tbs.length >> 8, tbs.length),
      tbs,
      Buffer.of(0, 8),
      leafIndex,
    ])
    const openssl = createOpenssl()
    const key = openssl.file('key.pem', universe.ctLog.pem)
    const signature = openssl.file('signature', sct.signature)
    const output = openssl.succeed('dgst', '-sha256', '-verify', key, '-signature', signature, openssl.file('data', signed))
    expect(output.toString()).toContain('Verified OK')
    openssl.remove()
  })

  it('gets an SCT with the index of its leaf, or without when the log is told so', async () => {
    const { submit } = await open()
    for (let index = 0; index < 3; index++) {
      const { extensions } = await sctOf(await submit('add-pre-chain', preChain(universe, index)))
      expect([...extensions]).toEqual([0, 0, 5, 0, 0, 0, 0, index])
    }
    const bare = await open({ leafIndexInSct: false })
    const sct = await sctOf(await bare.submit('add-pre-chain', preChain(universe, 1)))
    expect(sct.extensions).toHaveLength(0)
    const trust = loadTrustMaterial(universe.trustedRoot())
    const verified = verifyCertificate(parseCertificate(embedded(1, sct).der), trust, [universe.time])
    expect(verifyScts(verified, trust, 1, undefined, [])).toHaveLength(1)
  })

  it('is logged once: who asks again gets the first SCT, even with a new signature by the authority or another chain', async () => {
    let now = universe.time
    const { submit, log } = await open({ clock: () => now })
    const first = await (await submit('add-pre-chain', preChain(universe, 7))).text()
    now += 60_000
    const chain = preChain(universe, 7)
    expect(await (await submit('add-pre-chain', chain)).text()).toBe(first)
    expect(await (await submit('add-pre-chain', chain.slice(0, -1))).text()).toBe(first)
    expect((await log.head()).size).toBe(1n)
  })

  it('keeps its time and index when it comes again after a restart', async () => {
    const before = await open()
    const first = await sctOf(await before.submit('add-pre-chain', preChain(universe, 7)))
    const after = await open({ storage: before.storage, log: before.log, leafIndexInSct: false })
    const second = await sctOf(await after.submit('add-pre-chain', preChain(universe, 7)))
    expect(second).toMatchObject({ timestamp: first.timestamp, extensions: first.extensions })
    const trust = loadTrustMaterial(universe.trustedRoot())
    const verified = verifyCertificate(parseCertificate(embedded(7, second).der), trust, [universe.time])
    expect(verifyScts(verified, trust, 1, undefined, [])).toHaveLength(1)
  })

  it('submitted many times at once has one leaf and one SCT', async () => {
    const { service, log } = await open()
    const chain = preChain(universe, 8)
    const scts = await Promise.all(Array.from({ length: 20 }, () => service.addPreChain(chain)))
    expect(new Set(scts.map(({ signature }) => Buffer.from(signature).toString('hex'))).size).toBe(1)
    expect((await log.head()).size).toBe(1n)
  })

  it('is another entry when another authority signs the same content', async () => {
    const other = issue(
      { key: namedKey('second issuing key'), name: 'intermediate', notBefore: universe.time, notAfter: universe.time + 1000, ca: true },
      universe.root,
    )
    const { submit, log } = await open()
    await sctOf(await submit('add-pre-chain', preChain(universe, 9)))
    const { subjectKeyIdentifier } = universe.intermediate
    const twin = issue({ ...leafOptions(universe, 9), extensions: [poison], authorityKeyIdentifier: subjectKeyIdentifier }, other)
    // Its key identifier names the first authority, so only the first one may follow it.
    expect((await submit('add-pre-chain', [twin.der, other.der, universe.root.der])).status).toBe(400)
    await sctOf(await submit('add-pre-chain', [issue({ ...leafOptions(universe, 9), extensions: [poison] }, other).der, other.der]))
    expect((await log.head()).size).toBe(2n)
  })

  it('may come without the root, and from the root itself', async () => {
    const { submit } = await open()
    await sctOf(await submit('add-pre-chain', preChain(universe, 1).slice(0, -1)))
    const direct = issue({ ...leafOptions(universe, 2), extensions: [poison] }, universe.root)
    await sctOf(await submit('add-pre-chain', [direct.der]))
    await sctOf(
      await submit('add-pre-chain', [issue({ ...leafOptions(universe, 3), extensions: [poison] }, universe.root).der, universe.root.der]),
    )
  })

  it('may have expired long ago or not be valid yet', async () => {
    const { submit } = await open()
    for (const shift of [-1e12, 1e11]) {
      const window = { notBefore: universe.time + shift, notAfter: universe.time + shift + 600_000 }
      await sctOf(await submit('add-pre-chain', preChain(universe, shift > 0 ? 1 : 2, window)))
    }
  })
})

describe('a submitted certificate', () => {
  it('gets an SCT over the certificate as it is', async () => {
    const { submit } = await open()
    const leaf = issue(leafOptions(universe, 1), universe.intermediate)
    const sct = await sctOf(await submit('add-chain', [leaf.der, ...universe.chain.map(({ der }) => der)]))
    const trust = loadTrustMaterial(universe.trustedRoot())
    const verified = verifyCertificate(parseCertificate(leaf.der), trust, [universe.time])
    expect(verifyScts(verified, trust, 1, serialised(sct), [])).toHaveLength(1)
  })
})

describe('a submission', () => {
  const stranger = universeOf({ name: 'a stranger to the ct log' })
  const [leaf = new Uint8Array(0), issuing = new Uint8Array(0), root = new Uint8Array(0)] = preChain(universe, 1)
  const window = { notBefore: universe.time, notAfter: universe.time + 1000 }
  const authorityWith = (options: Partial<CertificateOptions>, by = universe.root): TestCertificate =>
    issue({ key: namedKey('bent authority'), name: 'bent', ca: true, ...window, ...options }, by)
  const below = (authority: TestCertificate, ...others: TestCertificate[]): Uint8Array[] =>
    [issue({ ...leafOptions(universe, 1), extensions: [poison] }, authority), authority, ...others].map(({ der }) => der)
  const pathLengthZero = authorityWith({ key: namedKey('no more below'), name: 'no more below', pathLength: 0 })
  const flipped = Uint8Array.from(leaf)
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1
  const poisonWith = (value: Uint8Array, critical: boolean): Partial<CertificateOptions> => ({
    extensions: [extension('1.3.6.1.4.1.11129.2.4.3', value, critical)],
  })

  it.each<[string, Uint8Array[], string]>([
    ['of a strange authority', preChain(stranger, 1), 'is neither an accepted root nor issued by one'],
    [
      'whose root has our name and another key',
      below(issue({ key: namedKey('fake root'), name: 'root', ca: true, ...window })),
      'is neither an accepted root',
    ],
    ['whose certificates are out of order', [leaf, root, issuing], 'is not issued by'],
    ['with a certificate that has no part in it', [leaf, issuing, pathLengthZero.der], 'is not issued by'],
    ['with a signature that does not verify', [flipped, issuing, root], 'does not verify with the key of'],
    [
      'that only names its issuer',
      [precertificateOf(universe, 1, { signer: namedKey('someone else') }).der, issuing, root],
      'does not verify with the key of',
    ],
    [
      'whose issuer is no authority',
      below(authorityWith({ ca: false, keyUsage: [5] })),
      'is not a certificate authority (basic constraints)',
    ],
    ['whose issuer may not sign certificates', below(authorityWith({ keyUsage: [6] })), 'may not sign certificates (key usage)'],
    [
      'that goes below the last authority allowed',
      below(authorityWith({}, pathLengthZero), pathLengthZero),
      'allows 0 certificate authorities below it, 1 follow',
    ],
    ['without poison', [issue(leafOptions(universe, 1), universe.intermediate).der, issuing, root], 'is not poisoned'],
    [
      'with poison that is not critical',
      preChain(universe, 1, poisonWith(derNull(), false)),
      'has a poison that is not critical, or not NULL',
    ],
    [
      'with poison that is not NULL',
      preChain(universe, 1, poisonWith(derInteger(5), true)),
      'has a poison that is not critical, or not NULL',
    ],
    [
      'of a precertificate signing certificate',
      below(authorityWith({ extendedKeyUsage: ['1.3.6.1.4.1.11129.2.4.4'], keyUsage: [5] })),
      'was issued by a precertificate signing certificate',
    ],
    ['that is no certificate', [encodeUtf8('no'), issuing, root], 'is not valid DER'],
    ['whose issuer is no certificate', [leaf, encodeUtf8('no')], 'is not valid DER'],
    ['with an empty certificate', [new Uint8Array(0)], 'is not valid DER'],
    ['with bytes behind the certificate', [Buffer.concat([leaf, Buffer.of(0)]), issuing, root], 'bytes stand after the last element'],
  ])('%s is refused', async (_, chain, reason) => {
    const { submit, log } = await open()
    const response = await submit('add-pre-chain', chain)
    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await response.text()).toContain(reason)
    expect((await log.head()).size).toBe(0n)
  })

  it('of a precertificate as a certificate is refused', async () => {
    const { submit } = await open()
    const response = await submit('add-chain', preChain(universe, 1))
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('this is a precertificate, which add-pre-chain takes')
  })

  it('is not refused again for an issuer whose path was refused for another leaf', async () => {
    const { submit } = await open()
    expect((await submit('add-pre-chain', [flipped, issuing, root])).status).toBe(400)
    expect((await submit('add-pre-chain', [leaf, issuing, root])).status).toBe(200)
    expect((await submit('add-pre-chain', [flipped, issuing, root])).status).toBe(400)
  })

  it.each([
    ['nothing', '', 400],
    ['no JSON', '{"chain":', 400],
    ['no chain', '{}', 400],
    ['an empty chain', '{"chain":[]}', 400],
    ['a chain of numbers', '{"chain":[1]}', 400],
    ['a chain that is text', '{"chain":"AAAA"}', 400],
    ['bad base64', '{"chain":["AA=A"]}', 400],
    ['two chains', '{"chain":["AAAA"],"chain":["AAAA"]}', 400],
    ['eleven certificates', JSON.stringify({ chain: Array.from({ length: 11 }, () => 'AAAA') }), 400],
    ['deep JSON', '['.repeat(100_000), 400],
    ['more than 128 KiB', ' '.repeat(128 * 1024 + 1), 413],
  ])('of %s is refused', async (_, body, status) => {
    const { service } = await open()
    const response = await service.routes.request('/ct/ct/v1/add-pre-chain', { method: 'POST', body })
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  })

  it('by another method is answered with 405', async () => {
    const { get } = await open()
    const response = await get('/ct/v1/add-chain')
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('POST')
  })

  it('is answered with 503 and a time to come back while the log is overloaded', async () => {
    const { log, storage } = await open()
    const full: TileLog = { ...log, add: async () => Promise.reject(new CountersignError('LOG_OVERLOADED', 'the log ct is overloaded')) }
    const response = await (await open({ log: full, storage })).submit('add-pre-chain', preChain(universe, 1))
    expect(response.status).toBe(503)
    const seconds = Number(response.headers.get('retry-after'))
    expect(seconds >= 30 && seconds <= 90).toBe(true)
    expect(await response.text()).toBe('the log ct is overloaded\n')
  })

  it.each(['frozen', 'retired'] as const)('is answered with 410 while the log is %s', async (state) => {
    const { submit, get } = await open({ state })
    const response = await submit('add-pre-chain', preChain(universe, 1))
    expect(response.status).toBe(410)
    expect(await response.text()).toContain(`is ${state} and takes no certificates`)
    expect((await get('/ct/v1/get-sth')).status).toBe(200)
  })

  it('fails, and does not look like a refusal, when the storage does', async () => {
    const { log, storage } = await open()
    const broken: TileLog = { ...log, add: async () => Promise.reject(new CountersignError('STORAGE_FAILED', 'the disk is full')) }
    const { submit } = await open({ log: broken, storage })
    expect((await submit('add-pre-chain', preChain(universe, 1))).status).toBe(500)
  })
})

describe('the key of a CT log', () => {
  it('is ECDSA on P-256', async () => {
    for (const kind of ['p384', 'rsa', 'ed25519'] as const) {
      const signer = privateKeyOf(namedKey('ct', kind)).createSigner()
      expect(() => ctCheckpointSigner(signer)).toThrow(/^the key of a CT log is ECDSA on P-256, found a key that signs with /)
      const { log, storage } = await open()
      expect(() => createCtLog({ log, signer, acceptedRoots: [], documents: storage.documents, prefix: '/ct' })).toThrow('ECDSA on P-256')
    }
  })

  it('must be the one that the checkpoints are signed with', async () => {
    const storage = await openStorage({ kind: 'memory' }, { clock: Date.now })
    const signCheckpoint = ctCheckpointSigner(privateKeyOf(namedKey('another ct key')).createSigner())
    const log = await openLog({ id: 'ct', origin: 'ct.test', state: 'active', signCheckpoint, storage, clock: Date.now })
    const { get } = await open({ log, storage })
    expect((await get('/ct/v1/get-sth')).status).toBe(500)
    await storage.close()
  })
})
