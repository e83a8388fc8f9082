/** `trusted-root create`. */
import { chmodSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { noteKeyHash } from '../../../../src/merkle/signed-note.ts'
import { parsePublicKey } from '../../../../src/crypto/public-key.ts'
import { digest } from '../../../../src/crypto/digest.ts'
import { loadTrustMaterial } from '../../../../src/trust/trust-material.ts'
import { encodePem } from '../../../../src/encoding/pem.ts'
import { now, serve, TestRepository } from '../../tuf/test-repository.ts'
import { pemOf } from '../../../support/universe/certificates.ts'
import { namedKey, universeOf } from '../../../support/universe/universe.ts'
import type { TrustedRootJson } from '../../../support/universe/universe.ts'
import type { TrustWorkspace } from './trust-workspace.ts'
import { certificates, createTrustWorkspace } from './trust-workspace.ts'

const since = 'start-time=2025-01-01T00:00:00Z'
const fulcio = '--fulcio=url=https://fulcio.example,certificate-chain=fulcio.pem'
const tsa = '--tsa=url=https://tsa.example/api/v1/timestamp,certificate-chain=tsa.pem'
const rekor = `--rekor=url=https://rekor.example,public-key=p256.pub,${since}`
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

let workspace: TrustWorkspace
beforeEach(() => {
  workspace = createTrustWorkspace()
})

const create = async (...words: readonly string[]): Promise<TrustedRootJson> =>
  (await workspace.json('trusted-root', 'create', ...words)) as TrustedRootJson

describe('a trusted root', () => {
  it('has the chains and keys of its flags, trusted from when their certificates begin or as was said', async () => {
    const ct = `--ctfe=url=https://ct.example,public-key=p384.pub,${since},end-time=2026-01-01T00:00:00.5+01:00`
    const root = await create(fulcio, tsa, rekor, ct)
    expect(root).toEqual({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [
        {
          baseUrl: 'https://rekor.example',
          hashAlgorithm: 'SHA2_256',
          publicKey: {
            rawBytes: base64(namedKey('log').spki),
            keyDetails: 'PKIX_ECDSA_P256_SHA_256',
            validFor: { start: '2025-01-01T00:00:00Z' },
          },
          logId: { keyId: base64(digest('sha256', namedKey('log').spki)) },
        },
      ],
      certificateAuthorities: [
        {
          subject: { organization: 'universe.test', commonName: 'root' },
          uri: 'https://fulcio.example',
          certChain: { certificates: [{ rawBytes: base64(certificates.intermediate) }, { rawBytes: base64(certificates.root) }] },
          validFor: { start: '2024-01-01T00:00:00Z' },
        },
      ],
      ctlogs: [
        {
          baseUrl: 'https://ct.example',
          hashAlgorithm: 'SHA2_256',
          publicKey: {
            rawBytes: base64(namedKey('log', 'p384').spki),
            keyDetails: 'PKIX_ECDSA_P384_SHA_384',
            validFor: { start: '2025-01-01T00:00:00Z', end: '2025-12-31T23:00:00.500Z' },
          },
          logId: { keyId: base64(digest('sha256', namedKey('log', 'p384').spki)) },
        },
      ],
      timestampAuthorities: [
        {
          subject: { organization: 'universe.test', commonName: 'root' },
          uri: 'https://tsa.example/api/v1/timestamp',
          certChain: {
            certificates: [certificates.tsaLeaf, certificates.tsaIntermediate, certificates.root].map((der) => ({ rawBytes: base64(der) })),
          },
          // From the beginning of the certificate that signs.
          validFor: { start: '2024-06-01T00:00:01Z' },
        },
      ],
    })
    expect(loadTrustMaterial(JSON.stringify(root)).unusable).toEqual([])
  })

  it('identifies a log with an origin by the hash that its checkpoints carry', async () => {
    const of = (name: string) => `--rekor=url=https://log1.example/x,public-key=${name}.pub,${since},origin=log1.example`
    const { tlogs } = await create(of('ed25519'), of('rsa'), of('p256'))
    const expected = (['ed25519', 'rsa', 'p256'] as const).map((kind) =>
      base64(noteKeyHash('log1.example', parsePublicKey(namedKey('log', kind).spki))),
    )
    expect(tlogs.map(({ logId }) => logId.keyId)).toEqual(expected)
  })

  it('lists services by the time from which they are trusted, otherwise as they were given', async () => {
    const of = (name: string, start: string) =>
      `--rekor=url=https://${name}.example,public-key=${name}.pub,start-time=${start}-01-01T00:00:00Z`
    const { tlogs } = await create(
      of('p256', '2026'),
      of('rsa', '2024'),
      of('p384', '2026'),
      `${of('ed25519', '2025')},origin=ed25519.example`,
    )
    expect(tlogs.map(({ baseUrl }) => baseUrl)).toEqual(['rsa', 'ed25519', 'p256', 'p384'].map((name) => `https://${name}.example`))
  })

  it('is printed alone on standard output, or written to a file that only its owner reads', async () => {
    expect(await workspace.run('trusted-root', 'create', fulcio, '--out', 'out.json')).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect(JSON.parse(workspace.read('out.json'))).toEqual(await create(fulcio))
    expect(workspace.modeOf('out.json')).toBe(0o600)
  })

  it('that is empty is made, with a warning', async () => {
    const { exitCode, stdout, stderr } = await workspace.run('trusted-root', 'create')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ tlogs: [], certificateAuthorities: [] })
    expect(stderr).toContain('WARNING: the trusted root is empty: nothing can be verified with it')
  })

  it('is not read from variables that are meant for other verbs', async () => {
    const env = { HOME: workspace.folder, COSIGN_REKOR_URL: 'https://rekor.example', COUNTERSIGN_FULCIO: 'nonsense', COSIGN_OUT: 'x' }
    const { exitCode, stdout } = await workspace.runIn({ env }, 'trusted-root', 'create', rekor)
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ tlogs: [{ baseUrl: 'https://rekor.example' }] })
  })

  it('of a Rekor v2 log whose origin is not its host is made, with a warning', async () => {
    const words = `--rekor=url=https://rekor.example,public-key=ed25519.pub,${since},origin=log1.example`
    const { exitCode, stderr } = await workspace.run('trusted-root', 'create', words)
    expect(exitCode).toBe(0)
    expect(stderr).toContain('WARNING: the origin log1.example is not the host of https://rekor.example')
  })
})

it('a log with an Ed25519 key and no origin is taken for Rekor v1, with a warning', async () => {
  const { exitCode, stdout, stderr } = await workspace.run(
    'trusted-root',
    'create',
    `--rekor=url=https://log1.example/x,public-key=ed25519.pub,${since}`,
  )
  expect(exitCode).toBe(0)
  expect((JSON.parse(stdout) as TrustedRootJson).tlogs[0]?.logId.keyId).toBe(base64(digest('sha256', namedKey('log', 'ed25519').spki)))
  expect(stderr).toBe(
    'WARNING: https://log1.example/x is taken for a Rekor v1 log; one of Rekor v2, as its Ed25519 key suggests, needs origin=log1.example\n',
  )
})

describe('with the flags of before cosign 3', () => {
  const old = async (...words: readonly string[]) => {
    const { exitCode, stdout, stderr } = await workspace.run('trusted-root', 'create', ...words)
    expect(exitCode, stderr).toBe(0)
    return { root: JSON.parse(stdout) as TrustedRootJson, stderr }
  }

  it('makes the same of the same, and says which flags are old', async () => {
    const { root, stderr } = await old(
      '--certificate-chain',
      'fulcio.pem',
      '--fulcio-uri',
      'https://fulcio.example',
      '--rekor-key',
      'p256.pub',
      '--rekor-url',
      'https://rekor.example',
      '--rekor-start-time',
      '2025-01-01T00:00:00Z',
    )
    expect(root).toEqual(await create(fulcio, rekor))
    expect(stderr).toContain('Flag --rekor-key has been deprecated, use --rekor instead')
  })

  it('matches flags by position, and trusts from 1970 what has no start', async () => {
    const { root } = await old(
      '--ctfe-key',
      'p256.pub',
      '--ctfe-key',
      'rsa.pub',
      '--ctfe-url',
      'https://ct1.example',
      '--ctfe-end-time',
      '2025-06-01T00:00:00Z',
    )
    expect(root.ctlogs.map(({ baseUrl, publicKey }) => [baseUrl, publicKey.validFor])).toEqual([
      ['https://ct1.example', { start: '1970-01-01T00:00:00Z', end: '2025-06-01T00:00:00Z' }],
      ['', { start: '1970-01-01T00:00:00Z' }],
    ])
  })

  it('takes the name of a Rekor v2 log from behind its key', async () => {
    const { root } = await old('--rekor-key', 'ed25519.pub,log1.example')
    expect(root.tlogs[0]?.logId.keyId).toBe(base64(noteKeyHash('log1.example', parsePublicKey(namedKey('log', 'ed25519').spki))))
  })

  it('trusts a timestamp authority from the beginning of its root', async () => {
    const { root } = await old('--timestamp-certificate-chain', 'tsa.pem', '--timestamp-uri', 'https://tsa.example')
    expect(root.timestampAuthorities).toMatchObject([{ uri: 'https://tsa.example', validFor: { start: '2024-01-01T00:00:00Z' } }])
  })
})

describe('what TUF distributes', () => {
  const universe = universeOf()
  const published = JSON.parse(universe.trustedRoot()) as TrustedRootJson
  let env: Record<string, string>

  beforeEach(async () => {
    const repository = new TestRepository()
    repository.setTarget('trusted_root.json', universe.trustedRoot())
    repository.publish()
    workspace.write('tuf.json', repository.firstRoot)
    const { address } = await serve(repository)
    env = {
      HOME: workspace.folder,
      TUF_ROOT: path.join(workspace.folder, 'tuf'),
      TUF_MIRROR: address,
      TUF_ROOT_JSON: path.join(workspace.folder, 'tuf.json'),
    }
  })

  const createWith = async (...words: readonly string[]) => {
    const { exitCode, stdout, stderr } = await workspace.runIn({ env, now }, 'trusted-root', 'create', ...words)
    expect(exitCode, stderr).toBe(0)
    return JSON.parse(stdout) as TrustedRootJson
  }
  const keyIds = (logs: TrustedRootJson['tlogs']) => logs.map(({ logId }) => logId.keyId).sort()

  it('is the beginning', async () => {
    const root = await createWith('--with-default-services', fulcio)
    expect(keyIds(root.tlogs)).toEqual(keyIds(published.tlogs))
    expect(keyIds(root.ctlogs)).toEqual(keyIds(published.ctlogs))
    expect(root.certificateAuthorities).toHaveLength(published.certificateAuthorities.length + 1)
    expect(root.timestampAuthorities).toHaveLength(published.timestampAuthorities.length)
  })

  it.each([
    ['fulcio', 'certificateAuthorities'],
    ['rekor', 'tlogs'],
    ['ctfe', 'ctlogs'],
    ['tsa', 'timestampAuthorities'],
  ] as const)('is left out in part: %s', async (flag, part) => {
    const root = await createWith('--with-default-services', `--no-default-${flag}`)
    for (const name of ['certificateAuthorities', 'tlogs', 'ctlogs', 'timestampAuthorities'] as const) {
      expect(root[name]).toHaveLength(name === part ? 0 : published[name].length)
    }
  })

  it('gives way to a log of the same key', async () => {
    const [log] = published.tlogs
    workspace.write('published.pub', encodePem('PUBLIC KEY', Buffer.from(log?.publicKey.rawBytes ?? '', 'base64')))
    const root = await createWith('--with-default-services', `--rekor=url=https://other.example,public-key=published.pub,${since}`)
    expect(root.tlogs).toHaveLength(published.tlogs.length)
    expect(root.tlogs.find(({ logId }) => logId.keyId === log?.logId.keyId)).toMatchObject({ baseUrl: 'https://other.example' })
  })

  it('is not asked for when nothing says so, and leaving out a part of nothing is pointed out', async () => {
    const { exitCode, stderr } = await workspace.run('trusted-root', 'create', fulcio, '--no-default-rekor')
    expect(exitCode).toBe(0)
    expect(stderr).toBe('WARNING: --no-default-rekor has no effect without --with-default-services\n')
  })

  it('fails in one sentence where it cannot be had', async () => {
    const unreachable = { ...env, TUF_MIRROR: 'http://127.0.0.1:9', TUF_ROOT: path.join(workspace.folder, 'other') }
    const { exitCode, stdout, stderr } = await workspace.runIn(
      { env: unreachable, now },
      'trusted-root',
      'create',
      '--with-default-services',
    )
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^Error: getting the default trusted root: the TUF repository http:\/\/127\.0\.0\.1:9 is out of reach/)
  })
})

describe('is refused', () => {
  const refused: readonly (readonly [string, readonly string[], string])[] = [
    ['a pair that is none', ['--fulcio=https://fulcio.example'], 'parsing fulcio spec: invalid key-value pair: "https://fulcio.example"'],
    [
      'an unknown key',
      ['--fulcio=ur=x'],
      'parsing fulcio spec: unknown key "ur", expected one of url, certificate-chain, start-time, end-time',
    ],
    [
      'a key of another kind of service',
      [`${rekor},certificate-chain=x`],
      'unknown key "certificate-chain", expected one of url, public-key',
    ],
    ['a key twice', [`${fulcio},url=https://b.example`], "the key 'url' is given twice"],
    ['no address', ['--fulcio=certificate-chain=fulcio.pem'], "parsing fulcio spec: missing or empty required key 'url'"],
    ['an empty address', ['--fulcio=url=,certificate-chain=fulcio.pem'], "missing or empty required key 'url'"],
    ['no chain', ['--tsa=url=https://tsa.example'], "parsing tsa spec: missing or empty required key 'certificate-chain'"],
    ['no key', [`--rekor=url=https://rekor.example,${since}`], "parsing rekor spec: missing or empty required key 'public-key'"],
    ['no start', ['--ctfe=url=https://ct.example,public-key=p256.pub'], "parsing ctfe spec: missing or empty required key 'start-time'"],
    ['an address that is none', ['--fulcio=url=fulcio,certificate-chain=fulcio.pem'], 'url should be an http or https URL, found "fulcio"'],
    [
      'an address with a password',
      ['--fulcio=url=https://u:hunter2@f.example,certificate-chain=fulcio.pem'],
      'url should be a URL without credentials',
    ],
    ['a start that is no time', [`${fulcio},start-time=yesterday`], 'parsing start-time: "yesterday" is no RFC 3339 time'],
    [
      'a start without a zone',
      [`${fulcio},start-time=2025-01-01T00:00:00`],
      'parsing start-time: "2025-01-01T00:00:00" is no RFC 3339 time',
    ],
    ['a day that is not in the month', [`${fulcio},start-time=2025-02-29T00:00:00Z`], 'parsing start-time: "2025-02-29T00:00:00Z" is no'],
    ['an hour that no day has', [`${fulcio},end-time=2025-02-28T24:00:00Z`], 'parsing end-time: "2025-02-28T24:00:00Z" is no'],
    ['an empty end', [`${fulcio},end-time=`], "the key 'end-time' has no value: give one, or leave it out"],
    [
      'an end before the start',
      [`${rekor},end-time=2024-01-01T00:00:00Z`],
      'parsing rekor spec: end-time 2024-01-01T00:00:00.000Z is before the start, 2025-01-01T00:00:00.000Z',
    ],
    [
      'an end before the certificate begins',
      [`${fulcio},end-time=2023-01-01T00:00:00Z`],
      'end-time 2023-01-01T00:00:00.000Z is before the start, 2024-01-01T00:00:00.000Z',
    ],
    [
      'a file that is not there',
      ['--fulcio=url=https://f.example,certificate-chain=no.pem'],
      'the certificate chain no.pem cannot be read: no such file',
    ],
    ['a folder', ['--fulcio=url=https://f.example,certificate-chain=.'], 'the certificate chain . is a directory, a file was expected'],
    ['an empty file', ['--fulcio=url=https://f.example,certificate-chain=empty'], 'the certificate chain empty is empty'],
    [
      'a file without PEM',
      ['--fulcio=url=https://f.example,certificate-chain=text'],
      'the certificate chain text does not hold certificates in PEM',
    ],
    [
      'a key for a chain',
      ['--fulcio=url=https://f.example,certificate-chain=p256.pub'],
      'holds a "PUBLIC KEY" where a CERTIFICATE was expected',
    ],
    [
      'a chain in the wrong order',
      ['--fulcio=url=https://f.example,certificate-chain=reversed.pem'],
      'the certificate chain reversed.pem is not a chain: certificate 1, of O=universe.test, CN=root, was not issued by certificate 2, of O=universe.test, CN=intermediate',
    ],
    [
      'two chains in a file',
      ['--fulcio=url=https://f.example,certificate-chain=two.pem'],
      'is not a chain: certificate 2, of O=universe.test, CN=root',
    ],
    [
      "a signer's certificate",
      ['--fulcio=url=https://f.example,certificate-chain=signer.pem'],
      'should hold certificate authorities, found the certificate of O=universe.test, CN=signer, which is none',
    ],
    [
      'a timestamp authority without its leaf',
      ['--tsa=url=https://t.example,certificate-chain=fulcio.pem'],
      'first certificate in chain must be a leaf certificate',
    ],
    [
      'a chain that is not for timestamps',
      ['--tsa=url=https://t.example,certificate-chain=signer.pem'],
      'should begin with the certificate that signs timestamps, found that of O=universe.test, CN=signer, which is not for that',
    ],
    [
      'a timestamp authority without its root',
      ['--tsa=url=https://t.example,certificate-chain=leaf.pem'],
      'certificate chain must have at least two certificates',
    ],
    [
      'two keys',
      [`--rekor=url=https://r.example,public-key=keys.pub,${since}`],
      'the public key keys.pub cannot be used: expected one PUBLIC KEY, found 2 PEM blocks',
    ],
    [
      'a certificate for a key',
      [`--rekor=url=https://r.example,public-key=root.pem,${since}`],
      'expected a PUBLIC KEY, found a "CERTIFICATE"',
    ],
    [
      'a private key',
      [`--rekor=url=https://r.example,public-key=private.pem,${since}`],
      'expected a PUBLIC KEY, found a "PRIVATE KEY", which belongs to its owner alone',
    ],
    [
      'a key that is not there',
      [`--ctfe=url=https://r.example,public-key=no.pub,${since}`],
      'parsing ctfe spec: the public key no.pub cannot be read',
    ],
    [
      'a name that no checkpoint has',
      [`${rekor},origin=log one`],
      'origin should be a name without blanks and plus signs, found "log one"',
    ],
    ['a log twice', [rekor, `--rekor=url=https://b.example,public-key=p256.pub,${since}`], 'two transparency logs have the identifier'],
    [
      'old and new flags for one kind',
      [fulcio, '--certificate-chain', 'fulcio.pem'],
      'cannot use --fulcio and old fulcio flags at the same time: found --certificate-chain',
    ],
    [
      'an old time beside a new log',
      [rekor, '--rekor-end-time', '2026-01-01T00:00:00Z'],
      'cannot use --rekor and old rekor flags at the same time',
    ],
    [
      'old and new CT logs',
      [`--ctfe=url=https://c.example,public-key=rsa.pub,${since}`, '--ctfe-key', 'p256.pub'],
      'cannot use --ctfe and old ctfe flags',
    ],
    ['old and new timestamp authorities', [tsa, '--timestamp-uri', 'https://t.example'], 'cannot use --tsa and old tsa flags'],
    [
      'an old address without its chain',
      ['--fulcio-uri', 'https://f.example'],
      '--fulcio-uri is given more often (1) than --certificate-chain (0)',
    ],
    [
      'more old starts than keys',
      ['--ctfe-key', 'p256.pub', '--ctfe-start-time', 'a', '--ctfe-start-time', 'b'],
      '--ctfe-start-time is given more often (2) than --ctfe-key (1)',
    ],
    [
      'an old time that is none',
      ['--rekor-key', 'p256.pub', '--rekor-start-time', '2025'],
      'parsing --rekor-start-time: "2025" is no RFC 3339 time',
    ],
    [
      'an old end before the start',
      ['--ctfe-key', 'p256.pub', '--ctfe-end-time', '1969-01-01T00:00:00Z'],
      '--ctfe-end-time: end-time 1969-01-01T00:00:00.000Z is before',
    ],
    ['an argument', ['root.json'], 'unknown command "root.json" for "countersign trusted-root create"'],
  ]

  it.each(refused)('%s', async (_, words, message) => {
    const { root, intermediate, stranger, signer, tsaLeaf } = certificates
    workspace.write('empty', '')
    workspace.write('text', 'no certificate\n')
    workspace.write('reversed.pem', pemOf(root) + pemOf(intermediate))
    workspace.write('two.pem', pemOf(intermediate) + pemOf(root) + pemOf(stranger))
    workspace.write('signer.pem', pemOf(signer) + pemOf(intermediate) + pemOf(root))
    workspace.write('leaf.pem', pemOf(tsaLeaf))
    workspace.write('keys.pub', namedKey('log').pem + namedKey('other').pem)
    workspace.write('private.pem', namedKey('log').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
    workspace.write('kept.json', 'what was there')
    const { exitCode, stdout, stderr } = await workspace.run('trusted-root', 'create', '--out', 'kept.json', ...words)
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('hunter2')
    expect(workspace.read('kept.json')).toBe('what was there')
  })

  it.each([
    ['a folder that is not there', 'no/out.json', 'create trusted root file: no/out.json cannot be written: no such file or directory'],
    ['a folder', 'folder', 'create trusted root file: folder cannot be written: it is a directory, a file was expected'],
  ])('an output in the place of %s', async (_, out, message) => {
    mkdirSync(path.join(workspace.folder, 'folder'))
    const { exitCode, stderr } = await workspace.run('trusted-root', 'create', fulcio, '--out', out)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
  })

  it.skipIf(process.getuid?.() === 0)('an output in a folder that may not be written to', async () => {
    const folder = path.join(workspace.folder, 'locked')
    mkdirSync(folder)
    chmodSync(folder, 0o500)
    const { exitCode, stderr } = await workspace.run('trusted-root', 'create', fulcio, '--out', 'locked/out.json')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('locked/out.json cannot be written: permission denied')
  })
})
