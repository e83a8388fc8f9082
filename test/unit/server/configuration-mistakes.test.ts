import { expect, it } from 'vitest'
import { parseConfiguration } from '../../../src/server/configuration.ts'

const configuration = `version: 1
url: https://sigstore.example
ca: { key: a, chain: b, since: 2026-01-01T00:00:00Z }
tsa: { key: a, chain: b, since: 2026-01-01T00:00:00Z }
logs: [{ id: l, kind: ctlog, origin: o, key: k, since: 2026-01-01T00:00:00Z }]
tuf: { snapshot: s, timestamp: t }
issuer: { secret: s }
issuers: i
`

it('names the line and the name of an entry that the configuration does not have', () => {
  expect(() => parseConfiguration(`${configuration}limitz: {}\n`, 'server.yaml')).toThrow(/line 9, limitz: Unrecognized key/)
  expect(() => parseConfiguration(configuration.replace('kind: ctlog', 'kynd: ctlog, kind: ctlog'), 'server.yaml')).toThrow(
    /line 5, logs\.0\.kynd: Unrecognized key/,
  )
})
