/** sigstore-js against a private Sigstore by its parts, each with the address that its user gives it. */
import { readFileSync } from 'node:fs'
import { bundleFromJSON, bundleToJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import type { Witness } from '@sigstore/sign'
import { DSSEBundleBuilder, FulcioSigner, MessageSignatureBundleBuilder, RekorWitness, TSAWitness } from '@sigstore/sign'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { artifact, statement } from './clients.ts'
import { cell } from './matrix.ts'
import type { StartedSigstore } from './private-sigstore.ts'
import { machineEmail, startSigstore } from './private-sigstore.ts'

let sigstore: StartedSigstore

beforeAll(async () => {
  sigstore = await startSigstore()
  sigstore.write('artifact', artifact)
  sigstore.write('other', 'another artifact\n')
})

afterAll(async () => sigstore.stop())

const patience = { timeout: 20_000, retry: 0 } as const
const log = (end: string): Witness => new RekorWitness({ rekorBaseURL: sigstore.url + end, ...patience })

/** What is logged, with which witnesses; an address may end with a slash. */
const rounds: readonly (readonly [what: string, end: string, witnesses: (end: string) => Witness[]])[] = [
  ['dsse in Rekor v1', '', (end) => [new RekorWitness({ rekorBaseURL: sigstore.url + end, entryType: 'dsse', ...patience })]],
  ['intoto in Rekor v1', '', (end) => [new RekorWitness({ rekorBaseURL: sigstore.url + end, entryType: 'intoto', ...patience })]],
  ['hashedrekord in Rekor v1', '/', (end) => [log(end)]],
  ['hashedrekord in Rekor v1, with a timestamp', '', (end) => [log(end), new TSAWitness({ tsaBaseURL: sigstore.url + end, ...patience })]],
  [
    'hashedrekord in Rekor v2, with a timestamp',
    '/',
    (end) => [
      new RekorWitness({ rekorBaseURL: sigstore.url + end, majorApiVersion: 2, ...patience }),
      new TSAWitness({ tsaBaseURL: sigstore.url + end, ...patience }),
    ],
  ],
]

describe('@sigstore/sign', () => {
  for (const [what, end, witnesses] of rounds) {
    it(`signs a ${what}`, cell(`${what}, by sigstore-js`, 'countersign'), async () => {
      const signer = new FulcioSigner({
        fulcioBaseURL: sigstore.url + end,
        identityProvider: { getToken: () => sigstore.token() },
        ...patience,
      })
      const isMessage = what.startsWith('hashedrekord')
      const options = { signer, witnesses: witnesses(end) }
      const bundle = isMessage
        ? await new MessageSignatureBundleBuilder(options).create({ data: Buffer.from(artifact) })
        : await new DSSEBundleBuilder(options).create({
            data: Buffer.from(JSON.stringify(statement)),
            type: 'application/vnd.in-toto+json',
          })
      expect(bundle.verificationMaterial.tlogEntries[0]?.kindVersion?.kind).toBe(what.split(' ')[0])
      sigstore.write('bundle.json', JSON.stringify(bundleToJSON(bundle)))

      const verb = isMessage ? ['verify-blob'] : ['verify-blob-attestation', '--type', 'slsaprovenance1']
      const flags = [
        '--bundle',
        'bundle.json',
        '--trusted-root',
        sigstore.trust('trusted_root.json'),
        '--certificate-oidc-issuer',
        sigstore.issuer,
      ]
      const verify = async (file: string, identity: string): Promise<number | null> =>
        (await sigstore.countersign([...verb, file, ...flags, '--certificate-identity', identity])).exitCode
      expect(await verify('artifact', machineEmail)).toBe(0)
      expect(await verify('other', machineEmail)).toBe(1)
      expect(await verify('artifact', 'somebody-else@example.com')).toBe(1)

      const root = TrustedRoot.fromJSON(JSON.parse(readFileSync(sigstore.trust('trusted_root.json'), 'utf8')))
      const entity = toSignedEntity(bundleFromJSON(bundleToJSON(bundle)), Buffer.from(artifact))
      expect(new Verifier(toTrustMaterial(root)).verify(entity).identity?.subjectAlternativeName).toBe(machineEmail)
    })
  }

  it('gets no certificate with a token that was changed', async () => {
    const [head, , signature] = (await sigstore.token()).split('.')
    const claims = { iss: sigstore.issuer, aud: 'sigstore', sub: 'somebody-else', email: 'somebody-else@example.com', email_verified: true }
    const token = [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
    const signer = new FulcioSigner({
      fulcioBaseURL: sigstore.url,
      identityProvider: { getToken: () => Promise.resolve(token) },
      ...patience,
    })
    await expect(signer.sign(Buffer.from(artifact))).rejects.toMatchObject({
      cause: expect.objectContaining({ statusCode: 400 }) as unknown,
    })
  })
})
