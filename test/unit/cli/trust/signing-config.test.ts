/** `signing-config create`. */
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { parseSigningConfig } from '../../../../src/trust/signing-config.ts'
import { now, serve, TestRepository } from '../../tuf/test-repository.ts'
import type { TrustWorkspace } from './trust-workspace.ts'
import { createTrustWorkspace } from './trust-workspace.ts'

interface ConfigJson {
  mediaType: string
  caUrls: { url: string }[]
  oidcUrls: { url: string }[]
  rekorTlogUrls: { url: string; majorApiVersion: number }[]
  tsaUrls: { url: string }[]
  rekorTlogConfig?: object
  tsaConfig?: object
}

let workspace: TrustWorkspace
beforeEach(() => {
  workspace = createTrustWorkspace()
})

const spec = (name: string, more = '') =>
  `url=https://${name}.example,api-version=1,start-time=2025-01-01T00:00:00Z,operator=${name}${more}`
const create = async (...words: readonly string[]) => (await workspace.json('signing-config', 'create', ...words)) as ConfigJson
const names = (services: readonly { url: string }[]) => services.map(({ url }) => url.replace(/^https:\/\/(.*)\.example$/, '$1'))
const namesOf = (config: ConfigJson) =>
  Object.fromEntries((['caUrls', 'oidcUrls', 'rekorTlogUrls', 'tsaUrls'] as const).map((part) => [part, names(config[part])]))

const base = JSON.stringify({
  mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
  caUrls: [{ url: 'https://base-ca.example', majorApiVersion: 1, validFor: { start: '2024-01-01T00:00:00Z' }, operator: 'base' }],
  oidcUrls: [{ url: 'https://base-oidc.example', majorApiVersion: 1, validFor: { start: '2024-01-01T00:00:00Z' }, operator: 'base' }],
  rekorTlogUrls: [{ url: 'https://base-log.example', majorApiVersion: 1, validFor: { start: '2024-01-01T00:00:00Z' }, operator: 'base' }],
  tsaUrls: [{ url: 'https://base-tsa.example', majorApiVersion: 1, validFor: { start: '2024-01-01T00:00:00Z' }, operator: 'base' }],
  rekorTlogConfig: { selector: 'ANY' },
  tsaConfig: { selector: 'EXACT', count: 1 },
})

describe('a signing config', () => {
  it('has the services of its flags, in their order', async () => {
    const config = await create(
      '--fulcio',
      spec('ca'),
      '--oidc-provider',
      spec('oidc'),
      '--rekor',
      spec('log1', ',end-time=2027-01-01T00:00:00+01:00'),
      '--rekor',
      spec('log2'),
      '--rekor-config',
      'ALL',
      '--tsa',
      ' operator = tsa , url = https://tsa.example , api-version = 1 , start-time = 2025-01-01T00:00:00.25Z ',
      '--tsa-config',
      'exact:1',
    )
    const validFor = { start: '2025-01-01T00:00:00Z' }
    const service = (name: string) => ({ url: `https://${name}.example`, majorApiVersion: 1, validFor, operator: name })
    expect(config).toEqual({
      mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
      caUrls: [service('ca')],
      oidcUrls: [service('oidc')],
      rekorTlogUrls: [{ ...service('log1'), validFor: { ...validFor, end: '2026-12-31T23:00:00Z' } }, service('log2')],
      tsaUrls: [{ ...service('tsa'), validFor: { start: '2025-01-01T00:00:00.250Z' } }],
      rekorTlogConfig: { selector: 'ALL' },
      tsaConfig: { selector: 'EXACT', count: 1 },
    })
    expect(parseSigningConfig(JSON.stringify(config)).transparencyLogs).toHaveLength(2)
  })

  it('without any service is made too: it records signatures nowhere', async () => {
    expect(namesOf(await create())).toEqual({ caUrls: [], oidcUrls: [], rekorTlogUrls: [], tsaUrls: [] })
  })

  it('is written to a file that only its owner reads', async () => {
    expect(await workspace.run('signing-config', 'create', '--fulcio', spec('ca'), '--out', 'out.json')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    })
    expect(JSON.parse(workspace.read('out.json'))).toEqual(await create('--fulcio', spec('ca')))
    expect(workspace.modeOf('out.json')).toBe(0o600)
  })

  it.each([
    [['--rekor', spec('log'), '--rekor-config', 'EXACT:2'], 'rekorTlogConfig asks for exactly 2 of the services'],
    [
      ['--fulcio', spec('ca').replace('api-version=1', 'api-version=2')],
      'no certificate authority (caUrls) that can be used with API version 1',
    ],
    [['--tsa', spec('tsa', ',end-time=2025-02-01T00:00:00Z'), '--tsa-config', 'ANY'], 'no timestamp authority (tsaUrls) that can be used'],
    [['--oidc-provider', spec('oidc').replace('2025', '2099')], 'no OIDC issuer (oidcUrls) that can be used'],
  ])('that cannot be used now is made, with a warning: %o', async (words, message) => {
    const { exitCode, stdout, stderr } = await workspace.run('signing-config', 'create', ...words)
    expect(exitCode).toBe(0)
    expect(parseSigningConfig(stdout)).toBeDefined()
    expect(stderr).toContain(`WARNING: signing with this config would fail now: `)
    expect(stderr).toContain(message)
  })
})

describe('with a base config', () => {
  beforeEach(() => workspace.write('base.json', base))

  it('has its services and selections', async () => {
    expect(parseSigningConfig(JSON.stringify(await create('--base-config', 'base.json')))).toEqual(parseSigningConfig(base))
  })

  it('replaces the services of a kind that a flag has', async () => {
    const config = await create('--base-config', 'base.json', '--fulcio', spec('own'), '--rekor', spec('own-log'), '--rekor-config', 'ALL')
    expect(namesOf(config)).toEqual({ caUrls: ['own'], oidcUrls: ['base-oidc'], rekorTlogUrls: ['own-log'], tsaUrls: ['base-tsa'] })
    expect(config.rekorTlogConfig).toEqual({ selector: 'ALL' })
  })

  it.each([
    ['fulcio', 'caUrls'],
    ['oidc', 'oidcUrls'],
    ['rekor', 'rekorTlogUrls'],
    ['tsa', 'tsaUrls'],
  ])('leaves out a kind: %s', async (flag, part) => {
    const config = await create('--base-config', 'base.json', `--no-default-${flag}`)
    const expected = { caUrls: ['base-ca'], oidcUrls: ['base-oidc'], rekorTlogUrls: ['base-log'], tsaUrls: ['base-tsa'] }
    expect(namesOf(config)).toEqual({ ...expected, [part]: [] })
    expect(config.rekorTlogConfig === undefined).toBe(flag === 'rekor')
    expect(config.tsaConfig === undefined).toBe(flag === 'tsa')
  })

  it('takes another selection for the same services', async () => {
    expect((await create('--base-config', 'base.json', '--rekor-config', 'ALL')).rekorTlogConfig).toEqual({ selector: 'ALL' })
  })
})

describe('what TUF distributes', () => {
  let env: Record<string, string>
  beforeEach(async () => {
    const repository = new TestRepository()
    repository.setTarget('signing_config.v0.2.json', base)
    repository.setTarget('signing_config_rekor_v2.v0.2.json', base.replaceAll('base-log', 'base-log2'))
    repository.publish()
    workspace.write('tuf.json', repository.firstRoot)
    const { address } = await serve(repository)
    const tuf = (name: string) => path.join(workspace.folder, name)
    env = { HOME: workspace.folder, TUF_ROOT: tuf('tuf'), TUF_MIRROR: address, TUF_ROOT_JSON: tuf('tuf.json') }
  })

  const createWith = async (...words: readonly string[]) => {
    const { exitCode, stdout, stderr } = await workspace.runIn({ env, now }, 'signing-config', 'create', ...words)
    expect(exitCode, stderr).toBe(0)
    return JSON.parse(stdout) as ConfigJson
  }

  it('is added to', async () => {
    const config = await createWith('--with-default-services', '--fulcio', spec('own'), '--rekor-config', 'ALL')
    expect(namesOf(config)).toMatchObject({ caUrls: ['base-ca', 'own'], rekorTlogUrls: ['base-log'] })
    expect(config).toMatchObject({ rekorTlogConfig: { selector: 'ALL' }, tsaConfig: { selector: 'EXACT', count: 1 } })
  })

  it.each([[[]], [['--with-default-services']]])('is the one for Rekor v2 when asked for, with %o', async (words) => {
    expect(names((await createWith('--with-default-rekor-v2', ...words)).rekorTlogUrls)).toEqual(['base-log2'])
  })

  it('is left out in part', async () => {
    const config = await createWith('--with-default-services', '--no-default-rekor', '--no-default-oidc')
    expect(namesOf(config)).toEqual({ caUrls: ['base-ca'], oidcUrls: [], rekorTlogUrls: [], tsaUrls: ['base-tsa'] })
  })

  it('fails in one sentence where it is not distributed', async () => {
    const bare = new TestRepository()
    workspace.write('bare.json', bare.firstRoot)
    const { address } = await serve(bare)
    const other = { HOME: workspace.folder, TUF_MIRROR: address, TUF_ROOT_JSON: path.join(workspace.folder, 'bare.json') }
    const { exitCode, stdout, stderr } = await workspace.runIn({ env: other, now }, 'signing-config', 'create', '--with-default-rekor-v2')
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      /^Error: getting the default signing config: the TUF repository \S+ has no target "signing_config_rekor_v2\.v0\.2\.json"/,
    )
  })
})

describe('is refused', () => {
  const rekor = ['--rekor', spec('log')]
  const refused: readonly (readonly [string, readonly string[], string])[] = [
    ['a log without a selection', rekor, '--rekor-config must be provided when --rekor is specified'],
    ['a timestamp authority without a selection', ['--tsa', spec('tsa')], '--tsa-config must be provided when --tsa is specified'],
    ['a pair that is none', ['--fulcio', 'https://ca.example'], 'parsing fulcio spec: invalid key-value pair: "https://ca.example"'],
    [
      'an unknown key',
      ['--oidc-provider', spec('oidc', ',client-id=x')],
      'parsing oidc-provider spec: unknown key "client-id", expected one of url, api-version',
    ],
    ['no address', ['--fulcio', 'api-version=1'], "parsing fulcio spec: missing or empty required key 'url'"],
    ['no version', ['--fulcio', 'url=https://a.example'], "missing or empty required key 'api-version'"],
    [
      'no operator',
      ['--fulcio', 'url=https://a.example,api-version=1,start-time=2025-01-01T00:00:00Z'],
      "missing or empty required key 'operator'",
    ],
    ['an address that is none', ['--fulcio', spec('a').replace('https://', '')], 'url should be an http or https URL, found "a.example"'],
    ['a file for an address', ['--fulcio', spec('a').replace('https', 'file')], 'url should be an http or https URL'],
    ['an address with a password', ['--fulcio', spec('a').replace('://', '://u:hunter2@')], 'url should be a URL without credentials'],
    [
      'a version that is none',
      ['--fulcio', spec('a').replace('version=1', 'version=v1')],
      'parsing api-version: "v1" is no number from 1 to 4294967295',
    ],
    ['version 0', ['--fulcio', spec('a').replace('version=1', 'version=0')], 'parsing api-version: "0" is no number'],
    [
      'a version beyond 32 bits',
      ['--fulcio', spec('a').replace('version=1', 'version=4294967296')],
      'parsing api-version: "4294967296" is no number',
    ],
    [
      'a start that is no time',
      ['--fulcio', spec('a').replace('2025', '25')],
      'parsing start-time: "25-01-01T00:00:00Z" is no RFC 3339 time',
    ],
    ['an end that is no time', ['--fulcio', spec('a', ',end-time=never')], 'parsing end-time: "never" is no RFC 3339 time'],
    [
      'an end before the start',
      ['--fulcio', spec('a', ',end-time=2024-01-01T00:00:00Z')],
      'end-time 2024-01-01T00:00:00.000Z is before the start',
    ],
    [
      'an unknown selection',
      [...rekor, '--rekor-config', 'SOME'],
      'parsing rekor-config: invalid service config mode: "SOME", expected ANY, ALL or EXACT:<count>',
    ],
    ['ANY with a count', [...rekor, '--rekor-config', 'ANY:1'], 'parsing rekor-config: mode ANY does not accept a count'],
    ['ALL with a count', ['--tsa-config', 'all:'], 'parsing tsa-config: mode ALL does not accept a count'],
    ['EXACT without a count', [...rekor, '--rekor-config', 'EXACT'], 'mode EXACT requires a count, e.g. EXACT:2'],
    ['EXACT of none', [...rekor, '--rekor-config', 'EXACT:0'], 'invalid count for EXACT mode: "0" is no number from 1'],
    ['EXACT of no number', [...rekor, '--rekor-config', 'EXACT:-1'], 'invalid count for EXACT mode: "-1" is no number from 1'],
    [
      'a base that is not there',
      ['--base-config', 'no.json'],
      'loading base config from no.json: the signing config no.json cannot be read: no such file',
    ],
    ['a base that is no JSON', ['--base-config', 'p256.pub'], 'loading base config from p256.pub: '],
    [
      'a base and what TUF distributes',
      ['--base-config', 'root.json', '--with-default-services'],
      'if any flags in the group [base-config with-default-services] are set none of the others can be',
    ],
    ['a base of another kind', ['--base-config', 'root.json'], 'loading base config from root.json: signingConfig.mediaType should be'],
    [
      'an output in no folder',
      ['--fulcio', spec('ca'), '--out', 'no/out.json'],
      'create signing config file: no/out.json cannot be written: no such file',
    ],
  ]

  it.each(refused)('%s', async (_, words, message) => {
    workspace.write('root.json', '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}')
    const { exitCode, stdout, stderr } = await workspace.run('signing-config', 'create', ...words)
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('hunter2')
  })
})
