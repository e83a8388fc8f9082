/**
 * Trusted roots and signing configs, made with the same words by the real cosign and by ours: they say the same. And what ours makes
 * of a server's keys and addresses, cosign signs and verifies with.
 */
import { readFileSync } from 'node:fs'
import { SigningConfig, TrustedRoot } from '@sigstore/protobuf-specs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generatePrivateKey } from '../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../src/crypto/public-key.ts'
import { pemOf } from '../support/universe/certificates.ts'
import { namedKey } from '../support/universe/universe.ts'
import { certificates, fillTrustFolder } from '../unit/cli/trust/trust-workspace.ts'
import type { Ending } from './peer.ts'
import { findPeer } from './peer.ts'
import type { StartedSigstore } from './server/private-sigstore.ts'
import { machineEmail, startSigstore } from './server/private-sigstore.ts'

const cosign = findPeer('cosign') ?? ''

let sigstore: StartedSigstore
let tuf: Record<string, string> = {}

beforeAll(async () => {
  if (cosign === '') return
  sigstore = await startSigstore()
  fillTrustFolder((name, contents) => void sigstore.write(name, contents))
  sigstore.write('p521.pub', namedKey('log', 'p521').pem)
  for (const kind of ['rsa-3072', 'rsa-4096'] as const)
    sigstore.write(`${kind}.pub`, encodePublicKeyPem(generatePrivateKey(kind).publicKey))
  const { intermediate, root, stranger } = certificates
  sigstore.write('unordered.pem', pemOf(root) + pemOf(intermediate))
  sigstore.write('unrelated.pem', pemOf(stranger) + pemOf(root))
  sigstore.write('text', 'no PEM')
  sigstore.write('artifact', 'an artifact\n')
  sigstore.write('other', 'another artifact\n')
  tuf = { TUF_MIRROR: `${sigstore.url}/tuf`, TUF_ROOT_JSON: sigstore.trust('root.json') }
})

afterAll(() => (cosign === '' ? undefined : sigstore.stop()))

/** How both end with the same words, each with a TUF cache of its own. */
async function both(words: readonly string[]): Promise<{ readonly theirs: Ending; readonly ours: Ending }> {
  const env = (name: string) => ({ env: { ...tuf, TUF_ROOT: sigstore.path(`tuf-${name}`) } })
  return { theirs: await sigstore.run(cosign, words, env('theirs')), ours: await sigstore.countersign(words, env('ours')) }
}

async function expectSame(words: readonly string[], meaning: (json: unknown) => unknown): Promise<void> {
  const { theirs, ours } = await both(words)
  expect(theirs.exitCode, `cosign ${words.join(' ')}: ${theirs.stderr}`).toBe(0)
  expect(ours.exitCode, `countersign ${words.join(' ')}: ${ours.stderr}`).toBe(0)
  expect(meaning(JSON.parse(ours.stdout))).toEqual(meaning(JSON.parse(theirs.stdout)))
}

/** A trusted root as protobuf-specs reads it. cosign lists logs of the same time in no order. */
function rootOf(json: unknown): unknown {
  const { tlogs, ctlogs, ...rest } = TrustedRoot.toJSON(TrustedRoot.fromJSON(json)) as Record<string, unknown>
  return { ...rest, tlogs: inOrder(tlogs), ctlogs: inOrder(ctlogs) }
}

function inOrder(logs: unknown): unknown {
  return [...((logs ?? []) as object[])].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

/** A signing config as protobuf-specs reads it. Where nothing is selected, cosign writes an empty object and ours nothing. */
function configOf(json: unknown): unknown {
  const config = SigningConfig.toJSON(SigningConfig.fromJSON(json)) as Record<string, unknown>
  return { rekorTlogConfig: {}, tsaConfig: {}, ...config }
}

const since = 'start-time=2025-01-01T00:00:00Z'
const kinds = ['p256', 'p384', 'p521', 'ed25519', 'rsa', 'rsa-3072', 'rsa-4096']
const logs = (flag: string, more: (kind: string) => string = () => '') =>
  kinds.map((kind) => `--${flag}=url=https://${kind}.example/log,public-key=${kind}.pub,${since}${more(kind)}`)
const fulcio = '--fulcio=url=https://fulcio.example,certificate-chain=fulcio.pem'
const tsa = '--tsa=url=https://tsa.example/api/v1/timestamp,certificate-chain=tsa.pem'
const old = (...pairs: readonly (readonly [string, string])[]) => pairs.flatMap(([flag, value]) => [`--${flag}`, value])

describe.skipIf(cosign === '')('a trusted root', () => {
  it.each<readonly [string, readonly string[]]>([
    ['of nothing', []],
    ['of authorities', [fulcio, tsa]],
    ['of an authority without intermediates', ['--fulcio=url=https://fulcio.example,certificate-chain=root.pem']],
    [
      'of authorities with windows',
      [`${fulcio},${since},end-time=2026-01-01T00:00:00.25+02:00`, `${tsa},start-time=2024-07-01T12:00:00-05:00`],
    ],
    ['of several authorities', [`${fulcio},${since}`, fulcio.replace('fulcio.pem', 'root.pem'), `${tsa},${since}`, tsa]],
    ['of Rekor v1 logs with every kind of key', logs('rekor')],
    ['of Rekor v2 logs with every kind of key', logs('rekor', (kind) => `,origin=${kind}.example`)],
    ['of CT logs with every kind of key', logs('ctfe', () => ',end-time=2027-01-01T00:00:00Z')],
    ['of CT logs with origins', logs('ctfe', (kind) => `,origin=${kind}.example/2025`)],
    ['with blanks between the pairs', [`--rekor= url = https://r.example , public-key = p256.pub , ${since} `]],
    [
      'of old flags: authorities',
      old(['certificate-chain', 'fulcio.pem'], ['fulcio-uri', 'https://f.example'], ['certificate-chain', 'root.pem']),
    ],
    ['of old flags: a timestamp authority', old(['timestamp-certificate-chain', 'tsa.pem'], ['timestamp-uri', 'https://t.example'])],
    ['of old flags: keys alone', kinds.flatMap((kind) => old(['ctfe-key', `${kind}.pub`], ['rekor-key', `${kind}.pub`]))],
    [
      'of old flags: logs with times',
      old(
        ['rekor-key', 'p256.pub'],
        ['rekor-key', 'rsa.pub'],
        ['rekor-url', 'https://one.example'],
        ['rekor-start-time', '2024-01-01T00:00:00Z'],
        ['rekor-start-time', '2025-01-01T00:00:00Z'],
        ['rekor-end-time', '2025-06-01T00:00:00Z'],
        ['ctfe-key', 'p384.pub'],
        ['ctfe-url', 'https://ct.example'],
        ['ctfe-start-time', '2024-01-01T00:00:00Z'],
        ['ctfe-end-time', '2024-06-01T00:00:00+01:00'],
      ),
    ],
    ['of old flags: Rekor v2 logs', kinds.flatMap((kind) => old(['rekor-key', `${kind}.pub,${kind}.example`]))],
    ['of what TUF distributes', ['--with-default-services']],
    ['of what TUF distributes, and more', ['--with-default-services', fulcio, tsa, ...logs('rekor'), ...logs('ctfe')]],
    ...['fulcio', 'ctfe', 'rekor', 'tsa'].map(
      (kind) => [`of what TUF distributes but --no-default-${kind}`, ['--with-default-services', `--no-default-${kind}`]] as const,
    ),
  ])('%s', async (_, words) => expectSame(['trusted-root', 'create', ...words], rootOf))

  it('has the same bytes of keys and certificates in the file of --out', async () => {
    const theirs = await sigstore.run(cosign, ['trusted-root', 'create', fulcio, tsa, '--out', 'theirs.json'])
    const ours = await sigstore.countersign(['trusted-root', 'create', fulcio, tsa, '--out', 'ours.json'])
    expect([theirs.exitCode, theirs.stdout, ours.exitCode, ours.stdout]).toEqual([0, '', 0, ''])
    const read = (name: string): unknown => rootOf(JSON.parse(readFileSync(sigstore.path(name), 'utf8')))
    expect(read('ours.json')).toEqual(read('theirs.json'))
  })

  it.each<readonly [string, readonly string[]]>([
    ['a pair that is none', ['--fulcio=https://f.example']],
    ['no address', ['--fulcio=certificate-chain=fulcio.pem']],
    ['no start of a log', ['--rekor=url=https://r.example,public-key=p256.pub']],
    ['a time that is none', [`${fulcio},start-time=2025-02-30T00:00:00Z`]],
    ['an old time that is none', old(['ctfe-key', 'p256.pub'], ['ctfe-start-time', '2025'])],
    ['a file that is not there', ['--fulcio=url=https://f.example,certificate-chain=no.pem']],
    ['a file without PEM', [`--rekor=url=https://r.example,public-key=text,${since}`]],
    ['a certificate for a key', [`--rekor=url=https://r.example,public-key=root.pem,${since}`]],
    ['a key for a certificate', ['--fulcio=url=https://f.example,certificate-chain=p256.pub']],
    ['a timestamp authority without its leaf', ['--tsa=url=https://t.example,certificate-chain=fulcio.pem']],
    ['old and new flags', [fulcio, '--fulcio-uri', 'https://f.example']],
    ['an output in no folder', [fulcio, '--out', 'no/out.json']],
  ])('is made by neither of %s', async (_, words) => {
    const { theirs, ours } = await both(['trusted-root', 'create', ...words])
    expect([theirs.exitCode, theirs.stdout, ours.exitCode, ours.stdout]).toEqual([1, '', 1, ''])
  })

  it.each<readonly [string, readonly string[]]>([
    ['an unknown key', [`${fulcio},stat-time=2025-01-01T00:00:00Z`]],
    ['a chain in the wrong order', ['--fulcio=url=https://f.example,certificate-chain=unordered.pem']],
    ['certificates that are no chain', ['--fulcio=url=https://f.example,certificate-chain=unrelated.pem']],
    ['an end before the start', [`${fulcio},end-time=2020-01-01T00:00:00Z`]],
    ['an address of nothing', ['--fulcio-uri', 'https://f.example']],
  ])('is made by cosign alone of %s', async (_, words) => {
    const { theirs, ours } = await both(['trusted-root', 'create', ...words])
    expect([theirs.exitCode, ours.exitCode]).toEqual([0, 1])
  })
})

const spec = (name: string, more = '') => `url=https://${name}.example,api-version=1,${since},operator=${name}${more}`

describe.skipIf(cosign === '')('a signing config', () => {
  beforeAll(() => {
    sigstore.write('base.json', readFileSync(sigstore.trust('signing_config.v0.2.json')))
  })

  it.each<readonly [string, readonly string[]]>([
    ['of nothing', []],
    [
      'of every kind of service',
      [
        '--fulcio',
        spec('f'),
        '--oidc-provider',
        spec('o'),
        '--rekor',
        spec('r'),
        '--rekor-config',
        'ANY',
        '--tsa',
        spec('t'),
        '--tsa-config',
        'EXACT:1',
      ],
    ],
    [
      'of several services',
      [
        '--fulcio',
        spec('a'),
        '--fulcio',
        spec('b', ',end-time=2030-01-01T00:00:00.5+01:00'),
        '--rekor',
        spec('c').replace('=1', '=2'),
        '--rekor',
        spec('d'),
        '--rekor-config',
        'all',
      ],
    ],
    ['of a selection alone', ['--rekor-config', 'exact:7', '--tsa-config', 'Any']],
    ['of a base', ['--base-config', 'base.json']],
    [
      'of a base with services of its own',
      ['--base-config', 'base.json', '--oidc-provider', spec('o'), '--tsa', spec('t'), '--tsa-config', 'ALL'],
    ],
    ['of a base with another selection', ['--base-config', 'base.json', '--rekor-config', 'ALL']],
    ...['fulcio', 'oidc', 'rekor', 'tsa'].flatMap((kind) => [
      [`of a base but --no-default-${kind}`, ['--base-config', 'base.json', `--no-default-${kind}`]] as const,
      [`of what TUF distributes but --no-default-${kind}`, ['--with-default-services', `--no-default-${kind}`]] as const,
    ]),
    ['of what TUF distributes', ['--with-default-services']],
    [
      'of what TUF distributes, and more',
      ['--with-default-services', '--fulcio', spec('f'), '--rekor', spec('r'), '--rekor-config', 'EXACT:2'],
    ],
    ['of what TUF distributes for Rekor v2', ['--with-default-rekor-v2']],
  ])('%s', async (_, words) => expectSame(['signing-config', 'create', ...words], configOf))

  it.each<readonly [string, readonly string[]]>([
    ['a log without a selection', ['--rekor', spec('r')]],
    ['a timestamp authority without a selection', ['--tsa', spec('t')]],
    ['a pair that is none', ['--fulcio', 'https://f.example']],
    ['no operator', ['--fulcio', `url=https://f.example,api-version=1,${since}`]],
    ['a version that is none', ['--fulcio', spec('f').replace('version=1', 'version=v1')]],
    ['a time that is none', ['--fulcio', spec('f', ',end-time=soon')]],
    ['an unknown selection', ['--tsa-config', 'SOME']],
    ['a selection with a count too many', ['--tsa-config', 'ANY:1']],
    ['a selection without its count', ['--tsa-config', 'EXACT']],
    ['a selection with a count that is none', ['--tsa-config', 'EXACT:many']],
    ['a base that is not there', ['--base-config', 'no.json']],
    ['a base and what TUF distributes', ['--base-config', 'base.json', '--with-default-services']],
    ['a base and what TUF distributes for Rekor v2', ['--base-config', 'base.json', '--with-default-rekor-v2']],
    ['a base that is something else', ['--base-config', 'text']],
  ])('is made by neither of %s', async (_, words) => {
    const { theirs, ours } = await both(['signing-config', 'create', ...words])
    expect([theirs.exitCode, theirs.stdout, ours.exitCode, ours.stdout]).toEqual([1, '', 1, ''])
  })

  it.each<readonly [string, readonly string[]]>([
    ['an unknown key', ['--fulcio', spec('f', ',version=2')]],
    ['an address that is none', ['--fulcio', spec('f').replace('https://', '')]],
    ['an end before the start', ['--fulcio', spec('f', ',end-time=2020-01-01T00:00:00Z')]],
    ['a selection of none', ['--rekor', spec('r'), '--rekor-config', 'EXACT:0']],
  ])('is made by cosign alone of %s', async (_, words) => {
    const { theirs, ours } = await both(['signing-config', 'create', ...words])
    expect([theirs.exitCode, ours.exitCode]).toEqual([0, 1])
  })
})

describe.skipIf(cosign === '')('the trust files that ours makes of the keys and addresses of a server', () => {
  const window = 'start-time=2000-01-01T00:00:00Z'

  it.each([1, 2])('are what cosign signs and verifies with, on Rekor v%i', async (version) => {
    const host = new URL(sigstore.url).hostname
    const service = (path: string, apiVersion = 1) => `url=${sigstore.url}${path},api-version=${apiVersion},${window},operator=example.com`
    const logKey = version === 1 ? 'rekor.pub' : 'rekor-v2.pub'
    const created = [
      await sigstore.countersign([
        'trusted-root',
        'create',
        `--fulcio=url=${sigstore.url},certificate-chain=${sigstore.trust('fulcio.pem')}`,
        `--ctfe=url=${sigstore.url},public-key=${sigstore.trust('ctfe.pub')},${window}`,
        `--rekor=url=${sigstore.url},public-key=${sigstore.trust(logKey)},${window}${version === 2 ? `,origin=${host}` : ''}`,
        `--tsa=url=${sigstore.url}/api/v1/timestamp,certificate-chain=${sigstore.trust('tsa.pem')}`,
        '--out',
        `root-v${version}.json`,
      ]),
      await sigstore.countersign([
        'signing-config',
        'create',
        `--fulcio=${service('')}`,
        `--oidc-provider=${service('/oidc')}`,
        `--rekor=${service('', version)}`,
        '--rekor-config=ANY',
        `--tsa=${service('/api/v1/timestamp')}`,
        '--tsa-config=ANY',
        `--out=config-v${version}.json`,
      ]),
    ]
    for (const { exitCode, stderr } of created) expect([exitCode, stderr]).toEqual([0, ''])
    const files = ['--trusted-root', `root-v${version}.json`]
    const signing = [...files, '--signing-config', `config-v${version}.json`, '--bundle', `v${version}.json`, '--yes']
    const env = { SIGSTORE_ID_TOKEN: await sigstore.token() }
    const signed = await sigstore.run(cosign, ['sign-blob', 'artifact', ...signing], { env })
    expect(signed.exitCode, signed.stderr).toBe(0)
    const who = ['--certificate-identity', machineEmail, '--certificate-oidc-issuer', sigstore.issuer, '--use-signed-timestamps']
    for (const [artifact, exitCode] of [
      ['artifact', 0],
      ['other', 1],
    ] as const) {
      const words = ['verify-blob', artifact, '--bundle', `v${version}.json`, ...files, ...who]
      expect(await sigstore.run(cosign, words)).toMatchObject({ exitCode })
      expect(await sigstore.countersign(words)).toMatchObject({ exitCode })
    }
  })
})
