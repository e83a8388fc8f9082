/**
 * `bundle create` and `bundle upgrade` with the same words by the real cosign and by ours, over what cosign itself wrote in the formats
 * of before bundles: they make the same bundles, and both verify them.
 */
import { readFileSync } from 'node:fs'
import { Bundle } from '@sigstore/protobuf-specs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ending } from './peer.ts'
import { findPeer } from './peer.ts'
import type { StartedSigstore } from './server/private-sigstore.ts'
import { machineEmail, startSigstore } from './server/private-sigstore.ts'

const cosign = findPeer('cosign') ?? ''

interface EntryJson {
  inclusionPromise?: { signedEntryTimestamp: string }
  inclusionProof?: { checkpoint?: object }
}

interface BundleJson {
  mediaType: string
  verificationMaterial: { tlogEntries?: EntryJson[]; certificate?: object; x509CertificateChain?: object }
}

let sigstore: StartedSigstore
let env: Record<string, string> = {}

beforeAll(async () => {
  if (cosign === '') return
  sigstore = await startSigstore()
  sigstore.write('artifact', 'an artifact\n')
  sigstore.write('other', 'another artifact\n')
  sigstore.write('predicate', '{"buildDefinition":{}}')
  env = {
    SIGSTORE_ID_TOKEN: await sigstore.token(),
    COSIGN_PASSWORD: 'a password',
    SIGSTORE_ROOT_FILE: sigstore.trust('fulcio.pem'),
    SIGSTORE_REKOR_PUBLIC_KEY: sigstore.trust('rekor.pub'),
    SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: sigstore.trust('ctfe.pub'),
    SIGSTORE_TSA_CERTIFICATE_FILE: sigstore.trust('tsa.pem'),
  }
  await prepare('generate-key-pair', '--output-key-prefix', 'own')
  await prepare('generate-key-pair', '--output-key-prefix', 'stranger')
})

afterAll(() => (cosign === '' ? undefined : sigstore.stop()))

/** Runs cosign where it must succeed. */
async function prepare(...words: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await sigstore.run(cosign, words, { env })
  expect(exitCode, `cosign ${words.join(' ')}: ${stderr}`).toBe(0)
}

async function both(words: readonly string[]): Promise<{ readonly theirs: Ending; readonly ours: Ending }> {
  return { theirs: await sigstore.run(cosign, words, { env }), ours: await sigstore.countersign(words, { env }) }
}

const read = (name: string): BundleJson => JSON.parse(readFileSync(sigstore.path(name), 'utf8')) as BundleJson

/**
 * What the bundle says to protobuf-specs, whoever made it and when: cosign keeps the old spelling of the media type in `create`, and a
 * log makes a new promise each time that it is asked.
 */
function meaningOf(json: unknown): unknown {
  const { mediaType, verificationMaterial: material, ...content } = Bundle.toJSON(Bundle.fromJSON(json)) as BundleJson
  expect(mediaType).toMatch(/version=0\.3|\.v0\.3\+json/)
  const tlogEntries = material.tlogEntries?.map(({ inclusionPromise, ...rest }) => {
    expect(inclusionPromise?.signedEntryTimestamp).toMatch(/^[A-Za-z0-9+/]+=*$/)
    return rest
  })
  return { ...content, verificationMaterial: { ...material, tlogEntries } }
}

/** Both make a bundle with the same words, which says the same. @returns the names of the files */
async function expectSame(verb: readonly string[], words: readonly string[]): Promise<readonly string[]> {
  const names = ['theirs.json', 'ours.json'] as const
  const theirs = await sigstore.run(cosign, ['bundle', ...verb, ...words, '--out', names[0]], { env })
  const ours = await sigstore.countersign(['bundle', ...verb, ...words, '--out', names[1]], { env })
  expect(theirs.exitCode, `cosign bundle ${verb[0]} ${words.join(' ')}: ${theirs.stderr}`).toBe(0)
  expect(ours.exitCode, `countersign bundle ${verb[0]} ${words.join(' ')}: ${ours.stderr}`).toBe(0)
  expect([theirs.stdout, ours.stdout]).toEqual(['', ''])
  expect(meaningOf(read(names[1]))).toEqual(meaningOf(read(names[0])))
  return names
}

/** Both programs verify both bundles, and refuse them for another artifact. */
async function expectVerified(names: readonly string[], verb: string, words: readonly string[]): Promise<void> {
  for (const name of names) {
    for (const [artifact, exitCode] of [
      ['artifact', 0],
      ['other', 1],
    ] as const) {
      // The environment's keys are for the formats of before bundles.
      const asked = [verb, artifact, '--bundle', name, '--trusted-root', sigstore.trust('trusted_root.json'), ...words]
      const theirs = await sigstore.run(cosign, asked)
      const ours = await sigstore.countersign(asked)
      expect([theirs.exitCode, ours.exitCode], `${asked.join(' ')}: ${theirs.stderr} ${ours.stderr}`).toEqual([exitCode, exitCode])
    }
  }
}

const who = () => ['--certificate-identity', machineEmail, '--certificate-oidc-issuer', sigstore.issuer]
const byKey = ['--key', 'own.pub']
const log = () => ['--rekor-url', sigstore.url]
const services = () => ['--use-signing-config=false', '--new-bundle-format=false', '--fulcio-url', sigstore.url, ...log(), '--yes']
const stamped = () => ['--timestamp-server-url', `${sigstore.url}/api/v1/timestamp`, '--rfc3161-timestamp']

/**
 * cosign 3.1.3 looks for its own attestations by another text of the envelope than it had logged, and finds none of them. Where it has
 * mended that, this says so by failing.
 */
async function expectFoundByOursAlone(name: string, signer: readonly string[], key: readonly string[]): Promise<void> {
  const type = ['--type', 'slsaprovenance1']
  const certificate = key.length === 0 ? ['--output-certificate', `${name}.att.pem`] : []
  const outputs = ['--output-signature', `${name}.att`, ...certificate, '--bundle', `${name}.att.old`]
  await prepare('attest-blob', 'artifact', ...signer, '--predicate', 'predicate', ...type, ...services(), ...outputs)
  const material = key.length === 0 ? ['--certificate', `${name}.att.pem`] : key
  const judged = key.length === 0 ? who() : key
  const { theirs } = await both(['bundle', 'create', '--artifact', 'artifact', '--bundle', `${name}.att.old`, ...key, ...log()])
  expect(theirs.stderr).toContain('Error: signature not found in transparency log')
  for (const words of [
    ['--bundle', `${name}.att.old`, ...key],
    ['--attestation', `${name}.att`, ...material],
    ['--signature', `${name}.att`, ...material],
  ]) {
    const ours = await sigstore.countersign(['bundle', 'create', '--artifact', 'artifact', ...words, ...log(), '--out', 'ours.json'])
    expect(ours.exitCode, `${words.join(' ')}: ${ours.stderr}`).toBe(0)
    await expectVerified(['ours.json'], 'verify-blob-attestation', [...judged, ...type])
  }
}

describe.skipIf(cosign === '')('what cosign signed with a key', () => {
  it('and recorded', async () => {
    await prepare('sign-blob', 'artifact', '--key', 'own.key', ...services(), '--output-signature', 'k.sig', '--bundle', 'k.old')
    for (const given of [
      ['--signature', 'k.sig'],
      ['--bundle', 'k.old'],
    ]) {
      const names = await expectSame(['create'], ['--artifact', 'artifact', ...given, ...byKey, ...log()])
      await expectVerified(names, 'verify-blob', byKey)
    }
  })

  it('and recorded nowhere', async () => {
    await prepare('sign-blob', 'artifact', '--key', 'own.key', ...services(), '--tlog-upload=false', '--output-signature', 'n.sig')
    const names = await expectSame(['create'], ['--artifact', 'artifact', '--signature', 'n.sig', ...byKey, '--ignore-tlog'])
    await expectVerified(names, 'verify-blob', [...byKey, '--insecure-ignore-tlog'])
  })

  it('as an attestation', () => expectFoundByOursAlone('k', ['--key', 'own.key'], byKey))
})

describe.skipIf(cosign === '')('what cosign signed keyless', () => {
  it('with signature, certificate and timestamp in files of their own', async () => {
    const outputs = ['--output-signature', 's.sig', '--output-certificate', 's.pem', ...stamped(), 's.tsr']
    await prepare('sign-blob', 'artifact', ...services(), ...outputs)
    const words = ['--signature', 's.sig', '--certificate', 's.pem', '--rfc3161-timestamp', 's.tsr']
    const names = await expectSame(['create'], ['--artifact', 'artifact', ...words, ...log()])
    await expectVerified(names, 'verify-blob', [...who(), '--use-signed-timestamps'])
  })

  it('as a local bundle', async () => {
    await prepare('sign-blob', 'artifact', ...services(), '--bundle', 's.old')
    const names = await expectSame(['create'], ['--artifact', 'artifact', '--bundle', 's.old', ...log()])
    await expectVerified(names, 'verify-blob', who())
  })

  it('as an attestation', () => expectFoundByOursAlone('s', [], []))
})

describe.skipIf(cosign === '')('a bundle is made', () => {
  const refused: readonly (readonly [string, readonly string[]])[] = [
    ['no artifact', ['--signature', 'k.sig', ...byKey]],
    ['no signature', ['--artifact', 'artifact', ...byKey]],
    ['a signature that is not there', ['--artifact', 'artifact', '--signature', 'no.sig', ...byKey]],
    ['neither certificate nor key', ['--artifact', 'artifact', '--signature', 'k.sig', '--ignore-tlog']],
    ['an entry that is to be ignored', ['--artifact', 'artifact', '--bundle', 's.old', '--ignore-tlog']],
    ['a certificate beside a local bundle', ['--artifact', 'artifact', '--bundle', 's.old', '--certificate', 's.pem']],
    [
      'a timestamp that is none',
      ['--artifact', 'artifact', '--signature', 'k.sig', ...byKey, '--rfc3161-timestamp', 'artifact', '--ignore-tlog'],
    ],
    ['an output in no folder', ['--artifact', 'artifact', '--signature', 'k.sig', ...byKey, '--ignore-tlog', '--out', 'no/x']],
  ]
  it.each(refused)('by neither of %s', async (_, words) => {
    const { theirs, ours } = await both(['bundle', 'create', ...words])
    expect([theirs.exitCode, ours.exitCode], theirs.stderr + ours.stderr).toEqual([1, 1])
    expect([theirs.stdout, ours.stdout]).toEqual(['', ''])
  })

  it('by neither of a signature that is not in the log', async () => {
    const { theirs, ours } = await both(['bundle', 'create', '--artifact', 'artifact', '--signature', 'n.sig', ...byKey, ...log()])
    expect([theirs.exitCode, ours.exitCode]).toEqual([1, 1])
  })

  const unchecked: readonly (readonly [string, readonly string[]])[] = [
    ['a signature over another artifact', ['--artifact', 'other', '--signature', 'k.sig', ...byKey, '--ignore-tlog']],
    ['a signature with another key', ['--artifact', 'artifact', '--signature', 'k.sig', '--key', 'stranger.pub', '--ignore-tlog']],
    [
      'a timestamp of another signature',
      ['--artifact', 'artifact', '--signature', 'k.sig', ...byKey, '--rfc3161-timestamp', 's.tsr', '--ignore-tlog'],
    ],
  ]
  it.each(unchecked)('by cosign alone of %s', async (_, words) => {
    const { theirs, ours } = await both(['bundle', 'create', ...words])
    expect([theirs.exitCode, ours.exitCode, ours.stdout], theirs.stderr).toEqual([0, 1, ''])
  })
})

describe.skipIf(cosign === '')('an old bundle', () => {
  /** A bundle of today, as a client of before would have written it. */
  function writeOld(name: string, version: '0.1' | '0.2', bend: (bundle: BundleJson) => void = () => {}): string {
    const { verificationMaterial, ...rest } = read('today.json')
    const { certificate, ...material } = verificationMaterial
    const old = {
      ...rest,
      mediaType: `application/vnd.dev.sigstore.bundle+json;version=${version}`,
      verificationMaterial: { ...material, x509CertificateChain: { certificates: [certificate] } },
    }
    bend(old)
    return sigstore.write(name, JSON.stringify(old))
  }

  beforeAll(async () => {
    const config = JSON.parse(readFileSync(sigstore.trust('signing_config.v0.2.json'), 'utf8')) as {
      rekorTlogUrls: { majorApiVersion: number }[]
    }
    config.rekorTlogUrls = config.rekorTlogUrls.filter(({ majorApiVersion }) => majorApiVersion === 1)
    sigstore.write('config.json', JSON.stringify(config))
    const files = ['--signing-config', 'config.json', '--trusted-root', sigstore.trust('trusted_root.json'), '--bundle', 'today.json']
    const { SIGSTORE_ID_TOKEN, COSIGN_PASSWORD } = env
    const signed = await sigstore.run(cosign, ['sign-blob', 'artifact', '--yes', ...files], {
      env: { SIGSTORE_ID_TOKEN: SIGSTORE_ID_TOKEN ?? '', COSIGN_PASSWORD: COSIGN_PASSWORD ?? '' },
    })
    expect(signed.exitCode, signed.stderr).toBe(0)
  })

  it('of version 0.2 becomes one of version 0.3', async () => {
    const names = await expectSame(['upgrade', writeOld('old.json', '0.2')], log())
    await expectVerified(names, 'verify-blob', who())
  })

  it('of version 0.1 gets the proof that it lacks', async () => {
    const withoutProof = ({ verificationMaterial }: BundleJson): void => {
      for (const entry of verificationMaterial.tlogEntries ?? []) delete entry.inclusionProof
    }
    const old = writeOld('old.json', '0.1', withoutProof)
    const names = await expectSame(['upgrade', old], log())
    await expectVerified(names, 'verify-blob', who())
    const { theirs, ours } = await both(['bundle', 'upgrade', old, ...log()])
    const lines = (text: string): string[] => text.split('\n').map((line) => line.trim())
    expect(lines(ours.stderr)).toEqual(lines(theirs.stderr))
  })

  it('of version 0.1 without a checkpoint is made whole by ours alone', async () => {
    const withoutCheckpoint = ({ verificationMaterial }: BundleJson): void => {
      for (const entry of verificationMaterial.tlogEntries ?? []) delete entry.inclusionProof?.checkpoint
    }
    const old = writeOld('old.json', '0.1', withoutCheckpoint)
    const { theirs, ours } = await both(['bundle', 'upgrade', old, ...log()])
    expect([theirs.exitCode, ours.exitCode]).toEqual([0, 0])
    await expectVerified([sigstore.write('whole.json', ours.stdout)], 'verify-blob', who())
    const words = ['verify-blob', 'artifact', '--bundle', sigstore.write('broken.json', theirs.stdout)]
    expect((await sigstore.run(cosign, [...words, '--trusted-root', sigstore.trust('trusted_root.json'), ...who()])).exitCode).toBe(1)
  })

  it('of version 0.3 is printed as it is by both', async () => {
    const { theirs, ours } = await both(['bundle', 'upgrade', 'today.json'])
    expect(ours).toEqual(theirs)
    expect(ours.stdout).toBe(`${readFileSync(sigstore.path('today.json'), 'utf8')}\n`)
  })

  it.each(['no.json', 'artifact', 's.old'])('that is none is upgraded by neither: %s', async (name) => {
    const { theirs, ours } = await both(['bundle', 'upgrade', name, ...log()])
    expect([theirs.exitCode, ours.exitCode]).toEqual([1, 1])
  })
})
