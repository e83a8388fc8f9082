/** The clients and the verifier of sigstore-js against both services, over a real port. */
import { serve } from '@hono/node-server'
import { bundleFromJSON } from '@sigstore/bundle'
import { TransparencyLogEntry } from '@sigstore/protobuf-specs'
import { RekorWitness } from '@sigstore/sign'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Service } from '../../../../src/server/service.ts'
import { testRekorV1, testRekorV2 } from '../../../support/rekor.ts'
import { verifyWithSigstoreJs } from '../../../support/sigstore-js.ts'
import { pemOf } from '../../../support/universe/certificates.ts'
import { namedKey, newKey } from '../../../support/universe/keys.ts'
import type { SignedBundle, SigningOptions } from '../../../support/universe/sign.ts'
import { signBlob, signStatement } from '../../../support/universe/sign.ts'
import { universeOf } from '../../../support/universe/services.ts'
import { verifySigned } from '../../../support/universe/verification.ts'

// @sigstore/verify takes no Ed25519 checkpoints of logs, so the log's key is of the kind that both sides know.
const universe = universeOf({ name: 'sigstore-js', tilesKey: 'p256' })
const running: { close(): void }[] = []

afterEach(() => {
  for (const server of running.splice(0)) server.close()
})

async function listen(service: Service): Promise<string> {
  return new Promise((resolve) => {
    const server = serve({ fetch: service.routes.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }: AddressInfo) => {
      resolve(`http://127.0.0.1:${port}`)
    })
    running.push(server)
  })
}

const options: SigningOptions = { universe, key: namedKey('js signer'), log: 'none', timestamps: [{}] }
const blob = (artifact = Buffer.from('an artifact')): SignedBundle => signBlob(options, artifact)
const statement = (): SignedBundle => signStatement(options)

/** The bundle with the entries that the witness answered. */
async function witnessed(signed: SignedBundle, witness: RekorWitness): Promise<object> {
  const { content } = bundleFromJSON(signed.bundle)
  const { tlogEntries } = await witness.testify(content, pemOf(signed.certificate))
  const material = signed.bundle['verificationMaterial'] as object
  return {
    ...signed.bundle,
    verificationMaterial: { ...material, tlogEntries: tlogEntries.map((entry) => TransparencyLogEntry.toJSON(entry)) },
  }
}

function verifyBoth(signed: SignedBundle, bundle: object): void {
  verifySigned(signed, { bundle })
  verifyWithSigstoreJs(signed, { bundle })
}

describe('Rekor v2', () => {
  test.each([
    ['a signature', blob, 'hashedrekord' as const],
    ['an attestation in a log for old clients', statement, 'dsse' as const],
  ])('sigstore-js logs %s, and both verifiers accept the bundle', async (_, sign, envelopesAs) => {
    const rekor = await testRekorV2(universe, { envelopesAs })
    const witness = new RekorWitness({ rekorBaseURL: await listen(rekor.service), majorApiVersion: 2, retry: 0 })
    const signed = sign()
    verifyBoth(signed, await witnessed(signed, witness))
    // Again: what a client does that did not get its answer.
    verifyBoth(signed, await witnessed(signed, witness))
    expect((await rekor.log.head()).size).toBe(1n)
  })

  test('sigstore-js logs an attestation as the hashedrekord that newer clients expect, which its own verifier of this version does not', async () => {
    const rekor = await testRekorV2(universe)
    const witness = new RekorWitness({ rekorBaseURL: await listen(rekor.service), majorApiVersion: 2, retry: 0 })
    const signed = statement()
    const bundle = await witnessed(signed, witness)
    verifySigned(signed, { bundle })
    // It compares the entry's digest with that of the payload, where the specification has that of the encoding.
    expect(() => {
      verifyWithSigstoreJs(signed, { bundle })
    }).toThrow(/digest mismatch/)
  })

  test('a bundle whose entry is of another signature is rejected by both', async () => {
    const rekor = await testRekorV2(universe)
    const witness = new RekorWitness({ rekorBaseURL: await listen(rekor.service), majorApiVersion: 2, retry: 0 })
    const signed = blob()
    const { verificationMaterial } = (await witnessed(signed, witness)) as { verificationMaterial: { tlogEntries: unknown[] } }
    const other = blob(Buffer.from('another artifact'))
    const swapped = {
      ...other.bundle,
      verificationMaterial: { ...(other.bundle['verificationMaterial'] as object), tlogEntries: verificationMaterial.tlogEntries },
    }
    expect(() => verifySigned(other, { bundle: swapped })).toThrow(/log entry/)
    expect(() => {
      verifyWithSigstoreJs(other, { bundle: swapped })
    }).toThrow()
  })

  test('sigstore-js is told why an entry is refused', async () => {
    const rekor = await testRekorV2(universe)
    const witness = new RekorWitness({ rekorBaseURL: await listen(rekor.service), majorApiVersion: 2, retry: 0 })
    const { content } = bundleFromJSON(blob().bundle)
    const stranger = signBlob({ ...options, key: newKey() })
    await expect(witness.testify(content, pemOf(stranger.certificate))).rejects.toMatchObject({
      cause: { statusCode: 400, message: expect.stringContaining('verifying signature') as string },
    })
  })
})

describe('Rekor v1', () => {
  test.each([
    ['a signature as hashedrekord', blob, undefined],
    ['an attestation as dsse', statement, 'dsse' as const],
    ['an attestation as intoto', statement, 'intoto' as const],
  ])('sigstore-js logs %s, and both verifiers accept the bundle', async (_, sign, entryType) => {
    const rekor = await testRekorV1(universe)
    const witness = new RekorWitness({
      rekorBaseURL: await listen(rekor.service),
      retry: 0,
      fetchOnConflict: true,
      ...(entryType === undefined ? {} : { entryType }),
    })
    const signed = sign()
    verifyBoth(signed, await witnessed(signed, witness))
    // Again: it takes the Location of the conflict, and gets the entry from there.
    verifyBoth(signed, await witnessed(signed, witness))
    expect((await rekor.log.head()).size).toBe(1n)
  })

  test('sigstore-js reports the conflict where it is not to follow it', async () => {
    const rekor = await testRekorV1(universe)
    const witness = new RekorWitness({ rekorBaseURL: await listen(rekor.service), retry: 0 })
    const signed = blob()
    await witnessed(signed, witness)
    await expect(witnessed(signed, witness)).rejects.toMatchObject({
      cause: { statusCode: 409, location: expect.stringMatching(/^\/api\/v1\/log\/entries\/[0-9a-f]{80}$/) as string },
    })
  })
})
