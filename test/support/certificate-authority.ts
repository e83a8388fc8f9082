/** A certificate authority over a real CT log in memory, with the keys of a test universe, and what clients send it. */
import { parsePublicKey } from '../../src/crypto/public-key.ts'
import type { Clock } from '../../src/server/clock.ts'
import type { CertificateAuthority, CertificateAuthorityOptions } from '../../src/server/ca/certificate-authority.ts'
import { createCertificateAuthority } from '../../src/server/ca/certificate-authority.ts'
import { parseIssuerConfiguration } from '../../src/server/ca/issuer-configuration.ts'
import { parseCertificate, parseCertificatePem } from '../../src/x509/certificate.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import { privateKeyOf } from './authority.ts'
import type { TestCtLog } from './ct.ts'
import { testCtLog } from './ct.ts'
import type { TestIssuer, TestWeb } from './foreign-issuer.ts'
import { testIssuer, testWeb } from './foreign-issuer.ts'
import type { TestKey } from './universe/keys.ts'
import { namedKey, signWith } from './universe/keys.ts'
import type { Universe } from './universe/services.ts'
import { universeOf } from './universe/services.ts'

const emailIssuerUrl = 'https://accounts.universe.test'

/** The issuers that it trusts unless a test says otherwise. */
export const emailIssuers = `oidc-issuers:\n  ${emailIssuerUrl}:\n    issuer-url: ${emailIssuerUrl}\n    client-id: sigstore\n    type: email\n`

export interface TestCa {
  readonly universe: Universe
  readonly service: CertificateAuthority
  readonly ct: TestCtLog
  readonly web: TestWeb
  /** The issuer of e-mail addresses. */
  readonly issuer: TestIssuer
  /** Every chain that was sent to the log, the precertificate first. */
  readonly submitted: (readonly Uint8Array[])[]
  /** What the administrator was told. */
  readonly refused: unknown[]
  /** Moves the clock. */
  advance(ms: number): void
  readonly clock: Clock
  request(path: string, init?: RequestInit): Promise<Response>
  /** Posts JSON, or a body as it is. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** Gets a certificate for a token. @throws Error with the refusal */
  certify(token: string, challenge: string, key?: TestKey): Promise<Issued>
  close(): Promise<void>
}

export interface Issued {
  readonly leaf: Certificate
  readonly chain: readonly Certificate[]
  readonly pem: readonly string[]
  /** The precertificate that the log was sent for it. */
  readonly precertificate: Certificate
}

export interface TestCaOptions extends Partial<Omit<CertificateAuthorityOptions, 'issuers'>> {
  /** YAML. */
  readonly issuers?: string
  readonly universe?: Universe
  readonly web?: TestWeb
}

/** An authority that issues with P-256. */
export async function testCa(options: TestCaOptions = {}): Promise<TestCa> {
  const { universe = universeOf({ name: 'ca', rootKey: 'p256', issuingKey: 'p256' }), issuers = emailIssuers, ...others } = options
  let ahead = 0
  const clock = (): number => universe.time + ahead
  const ct = await testCtLog(universe, { clock })
  const issuer = testIssuer(emailIssuerUrl, universe.time)
  const web = options.web ?? testWeb(issuer)
  const submitted: (readonly Uint8Array[])[] = []
  const refused: unknown[] = []
  const service = createCertificateAuthority({
    signer: privateKeyOf(universe.intermediate.key).createSigner(),
    chain: universe.chain.map(({ der }) => parseCertificate(der)),
    log: {
      addPreChain: async (chain) => {
        submitted.push(chain)
        return ct.service.addPreChain(chain)
      },
    },
    logKey: parsePublicKey(universe.ctLog.spki),
    issuers: parseIssuerConfiguration(issuers, 'issuers.yaml'),
    localKeys: new Map(),
    clock,
    suspicion: () => undefined,
    send: web.send,
    onRefusal: (error) => void refused.push(error),
    ...others,
  })
  const request: TestCa['request'] = async (path, init) => service.routes.request(path, init)
  const post: TestCa['post'] = (path, body, headers = {}) =>
    request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  return {
    universe,
    service,
    ct,
    web,
    issuer,
    submitted,
    refused,
    clock,
    request,
    post,
    advance: (ms) => {
      ahead += ms
    },
    certify: async (token, challenge, key = namedKey('signer')) => {
      const response = await post('/api/v2/signingCert', proofRequest(token, challenge, key))
      const text = await response.text()
      if (response.status !== 200) throw new Error(`${response.status} ${text}`, { cause: refused.at(-1) })
      const answer = JSON.parse(text) as { signedCertificateEmbeddedSct: { chain: { certificates: string[] } } }
      const pem = answer.signedCertificateEmbeddedSct.chain.certificates
      const [leaf, ...chain] = pem.flatMap((one) => parseCertificatePem(one, 'the certificate'))
      const [precertificate] = submitted.at(-1) ?? []
      if (leaf === undefined || precertificate === undefined) throw new Error('there is no certificate')
      return { leaf, chain, pem, precertificate: parseCertificate(precertificate) }
    },
    close: () => ct.close(),
  }
}

/** A request of version 2 with a key and its proof, the token in the body. */
export function proofRequest(token: string, challenge: string, key: TestKey = namedKey('signer')): object {
  return {
    credentials: { oidcIdentityToken: token },
    publicKeyRequest: {
      publicKey: { algorithm: 'ECDSA', content: key.pem },
      proofOfPossession: Buffer.from(signWith(key, Buffer.from(challenge))).toString('base64'),
    },
  }
}
