import { SigningConfig as PublicSigningConfig } from '@sigstore/protobuf-specs'
import { describe, expect, it } from 'vitest'
import {
  selectCertificateAuthority,
  selectOidcIssuer,
  selectTimestampAuthorities,
  selectTransparencyLogs,
} from '../../../src/trust/service-selection.ts'
import { encodeSigningConfig } from '../../../src/trust/signing-config-writer.ts'
import type { SigningConfig } from '../../../src/trust/signing-config.ts'
import { parseSigningConfig } from '../../../src/trust/signing-config.ts'

interface ServiceJson {
  url: string
  majorApiVersion?: number
  validFor?: { start?: string; end?: string }
  operator?: string
}

type Selection = { selector?: string; count?: number }

interface ConfigJson {
  mediaType: string
  caUrls: ServiceJson[]
  oidcUrls: ServiceJson[]
  rekorTlogUrls: ServiceJson[]
  tsaUrls: ServiceJson[]
  rekorTlogConfig?: Selection
  tsaConfig?: Selection
}

const now = Date.UTC(2026, 5, 1)
const hour = 3_600_000
const at = (offset: number): string => new Date(now + offset).toISOString()

function service(url: string, majorApiVersion: number, from: number, to?: number, operator = 'operator'): ServiceJson {
  return { url: `https://${url}`, majorApiVersion, validFor: { start: at(from), ...(to === undefined ? {} : { end: at(to) }) }, operator }
}

/** As the public-good instance publishes it with Rekor v2, bent. */
function config(bend: (json: ConfigJson) => void = () => {}): string {
  const start = '2022-04-13T20:06:15.000Z'
  const one = (url: string, majorApiVersion: number): ServiceJson => ({
    url,
    majorApiVersion,
    validFor: { start },
    operator: 'sigstore.dev',
  })
  const json: ConfigJson = {
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: [one('https://fulcio.sigstore.dev', 1)],
    oidcUrls: [one('https://oauth2.sigstore.dev/auth', 1)],
    rekorTlogUrls: [
      { ...one('https://log2025-1.rekor.sigstore.dev', 2), validFor: { start: '2026-01-01T00:00:00Z' } },
      one('https://rekor.sigstore.dev', 1),
    ],
    tsaUrls: [one('https://timestamp.sigstore.dev/api/v1/timestamp', 1)],
    rekorTlogConfig: { selector: 'ANY' },
    tsaConfig: { selector: 'ANY' },
  }
  bend(json)
  return JSON.stringify(json)
}

const first = (list: readonly ServiceJson[]): ServiceJson => list[0] ?? service('none', 1, 0)
const urls = (services: readonly { readonly url: string }[]): string[] => services.map(({ url }) => url.replace('https://', ''))

describe('parsing', () => {
  it('reads what the public-good instance publishes', () => {
    const { certificateAuthorities, oidcIssuers, transparencyLogs, timestampAuthorities, transparencyLogSelection } =
      parseSigningConfig(config())
    expect(certificateAuthorities).toEqual([
      {
        url: 'https://fulcio.sigstore.dev',
        majorApiVersion: 1,
        window: { start: Date.UTC(2022, 3, 13, 20, 6, 15), end: undefined },
        operator: 'sigstore.dev',
      },
    ])
    expect(urls(oidcIssuers)).toEqual(['oauth2.sigstore.dev/auth'])
    expect(transparencyLogs.map(({ majorApiVersion }) => majorApiVersion)).toEqual([2, 1])
    expect(urls(timestampAuthorities)).toEqual(['timestamp.sigstore.dev/api/v1/timestamp'])
    expect(transparencyLogSelection).toEqual({ selector: 'ANY', count: 0 })
  })

  it('writes what it reads, as protobuf-specs reads it too', () => {
    const json = config((bent) => {
      bent.rekorTlogConfig = { selector: 'EXACT', count: 2 }
      first(bent.caUrls).validFor = { start: '2022-01-01T00:00:00Z', end: '2030-12-31T23:59:59.999Z' }
    })
    const written = encodeSigningConfig(parseSigningConfig(json))
    expect(parseSigningConfig(written)).toEqual(parseSigningConfig(json))
    expect(PublicSigningConfig.toJSON(PublicSigningConfig.fromJSON(JSON.parse(written)))).toEqual(
      PublicSigningConfig.toJSON(PublicSigningConfig.fromJSON(JSON.parse(json))),
    )
  })

  for (const [name, bend, message] of [
    ['v0.1', (json) => (json.mediaType = 'application/vnd.dev.sigstore.signingconfig.v0.1+json'), 'signingConfig.mediaType should be'],
    ['no media type', (json) => Reflect.deleteProperty(json, 'mediaType'), 'signingConfig.mediaType is missing'],
    ['an unknown field', (json) => Object.assign(json, { rekorUrls: [] }), 'signingConfig has an unknown field "rekorUrls"'],
    ['a service with an unknown field', (json) => Object.assign(first(json.caUrls), { key: '' }), 'caUrls[0] has an unknown field "key"'],
    ['a service without a URL', (json) => Reflect.deleteProperty(first(json.caUrls), 'url'), 'caUrls[0].url is missing'],
    ['a file URL', (json) => (first(json.tsaUrls).url = 'file:///etc/passwd'), 'tsaUrls[0].url should be an http or https URL'],
    ['a URL with a password', (json) => (first(json.caUrls).url = 'https://user:secret@fulcio.example.com'), 'without credentials'],
    ['a URL with a blank', (json) => (first(json.caUrls).url = 'https://fulcio.example.com/ x'), 'should be an http or https URL'],
    [
      'a URL with a backslash',
      (json) => (first(json.caUrls).url = 'https://good.example\\@evil.example'),
      'should be an http or https URL',
    ],
    ['no URL at all', (json) => (first(json.caUrls).url = 'fulcio'), 'should be an http or https URL'],
    [
      'a service without a window',
      (json) => Reflect.deleteProperty(first(json.caUrls), 'validFor'),
      'validFor has no start, which is required',
    ],
    ['a service without a start', (json) => (first(json.caUrls).validFor = { end: at(0) }), 'validFor has no start'],
    ['a start that is no time', (json) => (first(json.caUrls).validFor = { start: 'yesterday' }), 'should be an RFC 3339 timestamp'],
    ['30 February', (json) => (first(json.caUrls).validFor = { start: '2024-02-30T00:00:00Z' }), 'should be an RFC 3339 timestamp'],
    ['29 February of a common year', (json) => (first(json.caUrls).validFor = { start: '2023-02-29T00:00:00Z' }), 'an RFC 3339 timestamp'],
    ['31 April', (json) => (first(json.caUrls).validFor = { start: '2024-04-31T00:00:00Z' }), 'should be an RFC 3339 timestamp'],
    ['24 hours', (json) => (first(json.caUrls).validFor = { start: '2024-01-01T24:00:00Z' }), 'should be an RFC 3339 timestamp'],
    ['a negative version', (json) => (first(json.caUrls).majorApiVersion = -1), 'should be from 0 to 4294967295'],
    ['a fractional version', (json) => (first(json.caUrls).majorApiVersion = 1.5), 'majorApiVersion should be a 64-bit integer'],
    ['an unknown selector', (json) => (json.tsaConfig = { selector: 'SOME' }), 'tsaConfig.selector should be ANY, ALL or EXACT'],
    ['a count beyond 32 bits', (json) => (json.tsaConfig = { selector: 'EXACT', count: 2 ** 32 }), 'should be from 0 to 4294967295'],
    ['too many services', (json) => (json.caUrls = Array.from({ length: 257 }, () => service('x', 1, 0))), 'more than the limit of 256'],
  ] as const satisfies readonly (readonly [string, (json: ConfigJson) => unknown, string])[]) {
    it(`refuses ${name}`, () => {
      const refusal = expect.objectContaining({ code: 'SIGNING_CONFIG_INVALID', message: expect.stringContaining(message) })
      expect(() => parseSigningConfig(config((json) => void bend(json)))).toThrow(refusal)
    })
  }

  it('never repeats a password', () => {
    const secret = config((json) => void (first(json.caUrls).url = 'https://user:secret@fulcio.example.com'))
    expect(() => parseSigningConfig(secret)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('secret') }))
  })

  for (const [name, text] of [
    ['two fields of the same name', '{"mediaType":"a","mediaType":"b"}'],
    ['deep nesting', `${'['.repeat(5000)}${']'.repeat(5000)}`],
    ['a megabyte and more', `"${'x'.repeat(1024 * 1024)}"`],
    ['an array', '[]'],
  ] as const)
    it(`refuses ${name}`, () => expect(() => parseSigningConfig(text)).toThrow(expect.objectContaining({ name: 'DecodingError' })))
})

/** The cases are those of sigstore-go's table: the same services, written anew. */
describe('choosing', () => {
  const several: ServiceJson[] = [
    service('past-future-v1', 1, -hour, hour),
    service('past-future-v2', 2, -hour, hour),
    service('now-future-v2', 2, 0, hour),
    service('past-future-v2-other', 2, -hour, hour, 'other'),
  ]
  const logs = (services: readonly ServiceJson[], selection: Selection | undefined): SigningConfig =>
    parseSigningConfig(
      config((json) => {
        json.rekorTlogUrls = [...services]
        Reflect.deleteProperty(json, 'rekorTlogConfig')
        if (selection !== undefined) json.rekorTlogConfig = selection
      }),
    )
  const authorities = (...services: ServiceJson[]): SigningConfig => parseSigningConfig(config((json) => void (json.caUrls = services)))

  for (const [name, selection, versions, expected] of [
    ['all of the newest, one per operator', { selector: 'ALL' }, [2], ['now-future-v2', 'past-future-v2-other']],
    ['all of version 1', { selector: 'ALL' }, [1], ['past-future-v1']],
    ['any', { selector: 'ANY' }, [2], ['now-future-v2']],
    ['exactly one', { selector: 'EXACT', count: 1 }, [2], ['now-future-v2']],
    ['exactly two', { selector: 'EXACT', count: 2 }, [2], ['now-future-v2', 'past-future-v2-other']],
    ['the newest version alone, never two mixed', { selector: 'ALL' }, [1, 2], ['now-future-v2', 'past-future-v2-other']],
    ['the newest version alone, however they are listed', { selector: 'ALL' }, [2, 1], ['now-future-v2', 'past-future-v2-other']],
  ] as const)
    it(`takes ${name}`, () => expect(urls(selectTransparencyLogs(logs(several, selection), now, versions))).toEqual(expected))

  it('takes the older version where the newer is not spoken, or not there', () => {
    expect(urls(selectTransparencyLogs(logs([service('v1', 1, -hour)], { selector: 'ALL' }), now))).toEqual(['v1'])
  })

  it('takes the newer version even if a service of the older started later', () => {
    const services = [service('v2', 2, -hour), service('v1', 1, 0), service('v2-other', 2, -2 * hour, undefined, 'other')]
    expect(urls(selectTransparencyLogs(logs(services, { selector: 'ALL' }), now))).toEqual(['v2', 'v2-other'])
  })

  it('uses windows closed at both ends, and none that starts later', () => {
    const services = [service('ends-now', 1, -hour, 0), service('later', 2, 1)]
    expect(urls(selectTransparencyLogs(logs(services, { selector: 'ANY' }), now))).toEqual(['ends-now'])
    expect(urls(selectTransparencyLogs(logs(services, { selector: 'ANY' }), now + 1))).toEqual(['later'])
  })

  for (const [name, selection, versions, message] of [
    ['a version that none has', { selector: 'ALL' }, [3], 'no transparency log (rekorTlogUrls) that can be used with API version 3'],
    ['no version at all', { selector: 'ALL' }, [], 'no transparency log'],
    ['a count of 0', { selector: 'EXACT' }, [2], 'rekorTlogConfig asks for exactly 0 of the services'],
    [
      'a count beyond the operators',
      { selector: 'EXACT', count: 3 },
      [1, 2],
      'asks for exactly 3 of the services, and operators with a usable transparency log (rekorTlogUrls): 2',
    ],
    ['an undefined selector', { selector: 'SERVICE_SELECTOR_UNDEFINED' }, [2], 'should say which of the services to use'],
    ['an absent selector', {}, [2], 'should say which of the services to use'],
    ['an absent selection', undefined, [2], 'rekorTlogConfig should say which of the services to use'],
  ] as const)
    it(`fails for ${name}`, () => {
      const failure = expect.objectContaining({ code: 'SIGNING_CONFIG_INVALID', message: expect.stringContaining(message) })
      expect(() => selectTransparencyLogs(logs(several, selection), now, versions)).toThrow(failure)
    })

  it('fails when all logs are of another time, and names them', () => {
    const message = expect.stringContaining('found https://past with version 2, valid 2026-05-31T22:00:00.000Z to 2026-05-31T23:00:00.000Z')
    expect(() => selectTransparencyLogs(logs([service('past', 2, -2 * hour, -hour)], { selector: 'ANY' }), now)).toThrow(
      expect.objectContaining({ message }),
    )
  })

  it('takes none where the configuration names none', () => {
    expect(selectTransparencyLogs(logs([], undefined), now)).toEqual([])
    expect(selectTimestampAuthorities(parseSigningConfig(config((json) => void (json.tsaUrls = []))), now)).toEqual([])
  })

  it('takes one certificate authority and one issuer: the newest start, else the first', () => {
    expect(selectCertificateAuthority(authorities(service('a', 1, -hour), service('b', 1, -hour), service('v2', 2, 0)), now).url).toBe(
      'https://a',
    )
    expect(selectCertificateAuthority(authorities(service('old', 1, -hour), service('new', 1, 0)), now).url).toBe('https://new')
    expect(selectOidcIssuer(parseSigningConfig(config()), now).url).toBe('https://oauth2.sigstore.dev/auth')
  })

  it('takes the issuer with the newest start among those whose window holds the present, ends included', () => {
    const issuers = (...services: ServiceJson[]): SigningConfig => parseSigningConfig(config((json) => void (json.oidcUrls = services)))
    const services = [service('old', 1, -2 * hour), service('ends', 1, -hour, 0), service('later', 1, 1), service('v2', 2, 0)]
    expect(selectOidcIssuer(issuers(...services), now).url).toBe('https://ends')
    expect(selectOidcIssuer(issuers(...services), now + 1).url).toBe('https://later')
    expect(() => selectOidcIssuer(issuers(service('later', 1, 1)), now)).toThrow(
      'no OIDC issuer (oidcUrls) that can be used with API version 1',
    )
    expect(() => selectOidcIssuer(issuers(), now)).toThrow('found none')
  })

  describe('among timestamp authorities', () => {
    const services = [
      service('a', 1, -hour, undefined, 'one'),
      service('b', 1, -2 * hour, undefined, 'two'),
      service('a-new', 1, -1, undefined, 'one'),
      service('later', 1, hour, undefined, 'three'),
      service('v2', 2, -hour, undefined, 'four'),
    ]
    const authoritiesOf = (selection: Selection): SigningConfig =>
      parseSigningConfig(config((json) => void Object.assign(json, { tsaUrls: services, tsaConfig: selection })))

    it.each<readonly [string, Selection, readonly string[]]>([
      ['all: one of each operator, the newest', { selector: 'ALL' }, ['a-new', 'b']],
      ['any: the newest', { selector: 'ANY' }, ['a-new']],
      ['exactly one: the newest', { selector: 'EXACT', count: 1 }, ['a-new']],
      ['exactly two', { selector: 'EXACT', count: 2 }, ['a-new', 'b']],
      ['any, whatever count stands beside it', { selector: 'ANY', count: 7 }, ['a-new']],
    ])('takes %s', (_, selection, expected) => expect(urls(selectTimestampAuthorities(authoritiesOf(selection), now))).toEqual(expected))

    it.each<readonly [string, Selection, string]>([
      ['more than there are operators', { selector: 'EXACT', count: 3 }, 'tsaConfig asks for exactly 3 of the services'],
      ['an undefined selector', {}, 'tsaConfig should say which of the services to use'],
    ])('fails for %s', (_, selection, message) => {
      expect(() => selectTimestampAuthorities(authoritiesOf(selection), now)).toThrow(message)
    })
  })

  it('needs no selection where there is nothing to select, and minds none', () => {
    const bare = parseSigningConfig(
      config((json) => void Object.assign(json, { rekorTlogUrls: [], rekorTlogConfig: { selector: 'EXACT', count: 3 } })),
    )
    expect(selectTransparencyLogs(bare, now)).toEqual([])
  })

  it('fails without a certificate authority, or with one of an API that is not spoken', () => {
    const message = expect.stringContaining(
      'no certificate authority (caUrls) that can be used with API version 1 at 2026-06-01T00:00:00.000Z; found',
    )
    for (const services of [[], [service('v2', 2, -hour)]])
      expect(() => selectCertificateAuthority(authorities(...services), now)).toThrow(expect.objectContaining({ message }))
  })

  it('counts services without an operator as of one', () => {
    const nameless = [service('a', 2, 0, undefined, ''), service('b', 2, -hour, undefined, '')]
    expect(urls(selectTransparencyLogs(logs(nameless, { selector: 'ALL' }), now))).toEqual(['a'])
  })

  it('does not use the public Rekor v2 before its window starts', () => {
    const published = parseSigningConfig(config())
    expect(urls(selectTransparencyLogs(published, Date.UTC(2025, 11, 31)))).toEqual(['rekor.sigstore.dev'])
    expect(urls(selectTransparencyLogs(published, Date.UTC(2026, 0, 1)))).toEqual(['log2025-1.rekor.sigstore.dev'])
  })
})
