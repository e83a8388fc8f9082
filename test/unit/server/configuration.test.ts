import { describe, expect, test } from 'vitest'
import { parseConfiguration } from '../../../src/server/configuration.ts'

const lines = [
  'version: 1',
  'url: https://sigstore.example.com',
  'ca: { key: keys/ca.key, chain: certificates/ca.pem, since: 2026-01-01T00:00:00Z }',
  'tsa: { key: keys/tsa.key, chain: certificates/tsa.pem, since: 2026-01-01T00:00:00Z }',
  'logs:',
  '  - { id: ctlog-1, kind: ctlog, origin: sigstore.example.com, key: keys/ctlog-1.key, since: 2026-01-01T00:00:00Z }',
  'tuf: { snapshot: keys/tuf-snapshot.key, timestamp: keys/tuf-timestamp.key }',
  'issuer: { secret: keys/issuer.secret }',
  'issuers: issuers.yaml',
]
const parse = (text: string): unknown => parseConfiguration(text, 'server.yaml')
const withLine = (from: string, to: string): string => lines.map((line) => (line.startsWith(from) ? to : line)).join('\n')

describe('the configuration of a server', () => {
  test('needs little and has defaults for the rest', () => {
    expect(parse(lines.join('\n'))).toMatchObject({
      url: 'https://sigstore.example.com',
      limits: { 'writes-per-second': 200, burst: 1_000 },
      rekor: { default: 'v2' },
      logs: [{ id: 'ctlog-1', state: 'active', since: Date.UTC(2026, 0, 1) }],
    })
  })

  test.each([
    ['a URL with a path', 'url', 'url: https://sigstore.example.com/here', /line 2, url: an origin without a path/],
    ['a URL with a slash at its end', 'url', 'url: https://sigstore.example.com/', /line 2, url/],
    ['a URL of another scheme', 'url', 'url: ftp://sigstore.example.com', /line 2, url/],
    ['another version', 'version', 'version: 2', /line 1, version/],
    ['an unknown member', 'issuers', 'issuers: issuers.yaml\nissuerz: typo', /issuerz/],
    ['a number where a name should be', 'issuers', 'issuers: 7', /line 9, issuers/],
    ['no logs', 'logs', 'logs: []\nlogs-were:', /logs/],
    ['an instant that is none', 'ca', 'ca: { key: k, chain: c, since: yesterday }', /line 3, ca\.since/],
    ['a key that stands there twice', 'url', 'url: https://a.example\nurl: https://b.example', /line 3: Map keys must be unique/],
    ['YAML that is none', 'tuf', 'tuf: {', /line \d+: /],
    ['an alias that stands for itself', 'issuers', 'issuers: &a [*a]', /cannot be used/],
  ])('with %s is refused, with the line', (_, from, to, message) => {
    expect(() => parse(withLine(from, to))).toThrow(message)
  })

  test.each(['key', 'chain', 'since'])('says that the certificate authority lacks its %s', (member) => {
    const members = { key: 'k', chain: 'c', since: '2026-01-01T00:00:00Z' }
    const rest = Object.entries(members).filter(([name]) => name !== member)
    expect(() => parse(withLine('ca', `ca: { ${rest.map(([name, value]) => `${name}: ${value}`).join(', ')} }`))).toThrow(`ca.${member}`)
  })

  test('of more than a million characters is not read', () => {
    expect(() => parse(`# ${'x'.repeat(1_000_001)}`)).toThrow(/more than 1000000 characters/)
  })
})
