/** Documents of every kind of predicate: what the tools of the field write is taken, what their specifications forbid is refused by name. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodePredicate } from '../../../src/bundle/predicate.ts'
import {
  cycloneDx,
  link,
  openVex,
  predicateDocuments,
  slsaProvenance02,
  slsaProvenance1,
  spdx,
  vulnerabilityScan,
} from '../../support/predicates.ts'
import { CountersignError } from '../../../src/error.ts'
import { failureOf } from '../encoding/failure.ts'

const now = Date.parse('2026-03-04T05:06:07.890Z')
const encode = (type: string, document: Parameters<typeof encodePredicate>[1]) => encodePredicate(type, document, now)

/** A document with some of its parts replaced, by path; undefined takes the part out. */
function bent(document: string, changes: Readonly<Record<string, unknown>>): string {
  const root = JSON.parse(document) as Record<string, unknown>
  for (const [path, value] of Object.entries(changes)) {
    const steps = path.split('/')
    let parent: Record<string, unknown> = root
    for (const step of steps.slice(0, -1)) parent = parent[step] as Record<string, unknown>
    const last = steps.at(-1) ?? ''
    if (value === undefined) delete parent[last]
    else parent[last] = value
  }
  return JSON.stringify(root)
}

describe('a document', () => {
  it.each(Object.entries(predicateDocuments).filter(([type]) => type !== 'custom' && type !== 'spdx'))(
    'of the type %s is taken, and means the same afterwards',
    (type, document) => {
      expect(JSON.parse(encode(type, Buffer.from(document)).json)).toEqual(JSON.parse(document))
      expect(JSON.parse(encode(type, JSON.parse(document) as object).json)).toEqual(JSON.parse(document))
    },
  )

  it('keeps its numbers exact, its unknown fields, and sorts its keys', () => {
    const { type, json } = encode('slsaprovenance', slsaProvenance02)
    expect(type).toBe('https://slsa.dev/provenance/v0.2')
    expect(json).toContain('"github_run_id":92233720368547758079')
    expect(json).toContain('"buildInvocationID":"5570938237-1"')
    expect(json).toMatch(/^\{"buildConfig":.*"buildType":.*"builder":.*"invocation":.*"materials":.*"metadata":/)
    expect(encode('https://example.com/x', { size: 2n ** 64n }).json).toBe('{"size":18446744073709551616}')
  })

  it('of a custom type is put in as text, with the time', () => {
    expect(encode('custom', 'a "text"\n')).toEqual({
      type: 'https://cosign.sigstore.dev/attestation/v1',
      json: '{"Data":"a \\"text\\"\\n","Timestamp":"2026-03-04T05:06:07Z"}',
    })
    expect(JSON.parse(encode('https://cosign.sigstore.dev/attestation/v1', '').json)).toMatchObject({ Data: '' })
  })

  it('of SPDX as text is a JSON string; as JSON, an object', () => {
    expect(encode('spdx', 'SPDXVersion: SPDX-2.3\n')).toEqual({ type: 'https://spdx.dev/Document', json: '"SPDXVersion: SPDX-2.3\\n"' })
    expect(encode('https://spdx.dev/Document', spdx).json).toMatch(/^\{"SPDXID"/)
  })

  it('may begin with a byte order mark', () => {
    expect(encode('link', `\uFEFF${link}`).json).toBe(encode('link', link).json)
  })

  it.each([
    [
      'slsaprovenance, as BuildKit writes it',
      'slsaprovenance',
      '{"builder":{"id":""},"buildType":"https://mobyproject.org/buildkit@v1","materials":null}',
    ],
    [
      'slsaprovenance1, without parameters',
      'slsaprovenance1',
      '{"buildDefinition":{"buildType":"t","externalParameters":null},"runDetails":{"builder":{"id":"x"}}}',
    ],
    [
      'slsaprovenance1, with the older spelling of its invocation',
      'slsaprovenance1',
      bent(slsaProvenance1, { 'runDetails/metadata': { invocationID: '9' } }),
    ],
    ['link, as its predicate specification has it', 'link', bent(link, { _type: undefined, products: undefined, command: [] })],
    ['vuln, without a result', 'vuln', bent(vulnerabilityScan, { 'scanner/result': null })],
    ['spdxjson of version 2.2, without creators', 'spdxjson', bent(spdx, { spdxVersion: 'SPDX-2.2', 'creationInfo/creators': undefined })],
    ['spdxjson of the first schema of version 2.2', 'spdxjson', `{"Document":${spdx}}`],
    [
      'spdxjson of version 3',
      'spdxjson',
      '{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[{"type":"SpdxDocument"}]}',
    ],
    [
      'cyclonedx of version 1.5, without a version of its own',
      'cyclonedx',
      '{"bomFormat":"CycloneDX","specVersion":"1.5","components":[]}',
    ],
    [
      'openvex of version 0.0.1',
      'openvex',
      '{"@context":"https://openvex.dev/ns","@id":"x","author":"a","timestamp":"2023-01-08T18:02:03Z","version":"1","statements":[{"vulnerability":"CVE-2023-1","products":["pkg:npm/a@1"],"status":"fixed"}]}',
    ],
    ['a type of its own', 'urn:example:tests', '{}'],
    ['a type of its own, without a scheme', 'example.com/tests/v1', '{}'],
  ])('of %s, is taken', (_, type, document) => {
    expect(JSON.parse(encode(type, document).json)).toEqual(JSON.parse(document))
  })
})

const wrong: readonly (readonly [type: string, document: string, message: string])[] = [
  ['slsaprovenance', bent(slsaProvenance02, { builder: undefined }), 'predicate.builder is missing'],
  ['slsaprovenance', bent(slsaProvenance02, { 'builder/id': undefined }), 'predicate.builder.id is missing'],
  ['slsaprovenance', bent(slsaProvenance02, { buildType: ['x'] }), 'predicate.buildType should be a string, found an array'],
  [
    'slsaprovenance02',
    bent(slsaProvenance02, { 'invocation/parameters': 'all' }),
    'predicate.invocation.parameters should be an object, found the string "all"',
  ],
  [
    'slsaprovenance02',
    bent(slsaProvenance02, { 'invocation/configSource/digest/sha1': 5 }),
    'predicate.invocation.configSource.digest.sha1 should be a string, found 5',
  ],
  [
    'slsaprovenance02',
    bent(slsaProvenance02, { 'metadata/buildStartedOn': 'yesterday' }),
    'predicate.metadata.buildStartedOn should be a time such as 2026-01-31T12:00:00Z (RFC 3339), found "yesterday"',
  ],
  [
    'slsaprovenance02',
    bent(slsaProvenance02, { 'metadata/buildStartedOn': '2026-02-30T00:00:00Z' }),
    'predicate.metadata.buildStartedOn should be a time',
  ],
  [
    'slsaprovenance02',
    bent(slsaProvenance02, { 'metadata/completeness/materials': 'no' }),
    'predicate.metadata.completeness.materials should be true or false',
  ],
  [
    'slsaprovenance02',
    bent(slsaProvenance02, { 'materials/0': 'git' }),
    'predicate.materials[0] should be an object, found the string "git"',
  ],
  ['slsaprovenance02', slsaProvenance1, 'predicate.builder is missing'],
  ['slsaprovenance1', slsaProvenance02, 'predicate.buildDefinition is missing'],
  [
    'slsaprovenance1',
    bent(slsaProvenance1, { 'buildDefinition/buildType': 1 }),
    'predicate.buildDefinition.buildType should be a string, found 1',
  ],
  [
    'slsaprovenance1',
    bent(slsaProvenance1, { 'buildDefinition/externalParameters': [] }),
    'predicate.buildDefinition.externalParameters should be an object, found an array',
  ],
  [
    'slsaprovenance1',
    bent(slsaProvenance1, { 'buildDefinition/resolvedDependencies/1/mediaType': {} }),
    'predicate.buildDefinition.resolvedDependencies[1].mediaType should be a string, found an object',
  ],
  ['slsaprovenance1', bent(slsaProvenance1, { runDetails: undefined }), 'predicate.runDetails is missing'],
  [
    'slsaprovenance1',
    bent(slsaProvenance1, { 'runDetails/builder/version/runner': 2 }),
    'predicate.runDetails.builder.version.runner should be a string, found 2',
  ],
  [
    'slsaprovenance1',
    bent(slsaProvenance1, { 'runDetails/metadata/startedOn': 12 }),
    'predicate.runDetails.metadata.startedOn should be a string, found 12',
  ],
  ['https://slsa.dev/provenance/v1', '{}', 'predicate.buildDefinition is missing'],
  ['link', bent(link, { name: undefined }), 'predicate.name is missing'],
  ['link', bent(link, { _type: 'layout' }), 'predicate._type should be "link"'],
  ['link', bent(link, { command: 'tar zcvf' }), 'predicate.command should be an array, found the string "tar zcvf"'],
  ['link', bent(link, { 'command/1': 1 }), 'predicate.command[1] should be a string'],
  ['link', bent(link, { materials: [] }), 'predicate.materials should be an object, found an array'],
  ['link', bent(link, { 'products/app.tar.gz': 'x' }), 'predicate.products.app.tar.gz should be an object, found the string "x"'],
  ['vuln', bent(vulnerabilityScan, { scanner: undefined }), 'predicate.scanner is missing'],
  ['vuln', bent(vulnerabilityScan, { 'metadata/scanFinishedOn': undefined }), 'predicate.metadata.scanFinishedOn is missing'],
  ['vuln', bent(vulnerabilityScan, { 'metadata/scanStartedOn': '' }), 'predicate.metadata.scanStartedOn should be a time'],
  ['vuln', bent(vulnerabilityScan, { 'invocation/builder.id': 4 }), 'predicate.invocation.builder.id should be a string, found 4'],
  // What a scanner writes without being asked for cosign's form.
  ['vuln', '{"SchemaVersion":2,"Results":[]}', 'predicate.scanner is missing'],
  ['spdxjson', bent(spdx, { spdxVersion: undefined }), 'predicate.spdxVersion is missing'],
  ['spdxjson', bent(spdx, { spdxVersion: '2.3' }), 'predicate.spdxVersion should be a version such as SPDX-2.3, found "2.3"'],
  ['spdxjson', bent(spdx, { dataLicense: undefined }), 'predicate.dataLicense is missing'],
  ['spdxjson', bent(spdx, { 'creationInfo/created': undefined }), 'predicate.creationInfo.created is missing'],
  ['spdxjson', bent(spdx, { 'packages/0/name': undefined }), 'predicate.packages[0].name is missing'],
  [
    'spdxjson',
    bent(spdx, { 'relationships/0/relatedSpdxElement': 1 }),
    'predicate.relationships[0].relatedSpdxElement should be a string, found 1',
  ],
  ['spdxjson', `{"sbom":${spdx}}`, 'predicate.spdxVersion is missing'],
  ['spdxjson', cycloneDx, 'predicate.spdxVersion is missing'],
  ['cyclonedx', spdx, 'predicate.bomFormat is missing'],
  ['cyclonedx', bent(cycloneDx, { bomFormat: 'SPDX' }), 'predicate.bomFormat should be "CycloneDX", found "SPDX"'],
  ['cyclonedx', bent(cycloneDx, { specVersion: 1.6 }), 'predicate.specVersion should be a string, found 1.6'],
  ['cyclonedx', bent(cycloneDx, { version: 1.5 }), 'predicate.version should be a 64-bit integer, found 1.5'],
  ['cyclonedx', bent(cycloneDx, { 'components/0/components/0/type': undefined }), 'predicate.components[0].components[0].type is missing'],
  ['cyclonedx', bent(cycloneDx, { 'dependencies/0': {} }), 'predicate.dependencies[0].ref is missing'],
  [
    'openvex',
    bent(openVex, { '@context': 'https://csaf.example' }),
    'predicate.@context should be https://openvex.dev/ns with a version, found "https://csaf.example"',
  ],
  ['openvex', bent(openVex, { author: undefined }), 'predicate.author is missing'],
  ['openvex', bent(openVex, { version: 1.5 }), 'predicate.version should be a 64-bit integer, found 1.5'],
  ['openvex', bent(openVex, { statements: {} }), 'predicate.statements should be an array, found an object'],
  [
    'openvex',
    bent(openVex, { 'statements/0/status': 'fine' }),
    'predicate.statements[0].status should be one of not_affected, affected, fixed, under_investigation, found "fine"',
  ],
  [
    'openvex',
    bent(openVex, { 'statements/0/justification': 'trust me' }),
    'predicate.statements[0].justification should be one of component_not_present',
  ],
  [
    'openvex',
    bent(openVex, { 'statements/0/justification': undefined, 'statements/0/impact_statement': '' }),
    'predicate.statements[0] has the status not_affected, and neither a justification nor an impact_statement',
  ],
  [
    'openvex',
    bent(openVex, { 'statements/1/action_statement': undefined }),
    'predicate.statements[1] has the status affected, and no action_statement',
  ],
  ['openvex', bent(openVex, { 'statements/2/vulnerability': {} }), 'predicate.statements[2].vulnerability.name is missing'],
  ['openvex', bent(openVex, { 'statements/0/products/0': 7 }), 'predicate.statements[0].products[0] should be an object'],
  ['https://example.com/x', '[]', 'predicate should be an object, found an array'],
  ['https://example.com/x', '"text"', 'predicate should be an object, found the string "text"'],
]

describe('a document that is refused', () => {
  it.each(wrong)('of the type %s: %s', (type, document, message) => {
    expect(failureOf(() => encode(type, document))).toContain(` STATEMENT_INVALID: ${message}`)
  })

  it.each([
    ['is no JSON', 'cyclonedx', '<bom/>', 'JSON_INVALID'],
    ['is empty', 'cyclonedx', '', 'JSON_INVALID'],
    ['has a key twice', 'https://example.com/x', '{"a":1,"a":2}', 'JSON_INVALID'],
    ['is nested too deep for a statement', 'https://example.com/x', `{"a":${'['.repeat(99)}${']'.repeat(99)}}`, 'JSON_INVALID'],
    ['is no text', 'custom', Buffer.from([0xff, 0xfe]), 'ENCODING_INVALID'],
    ['is no text', 'spdx', Buffer.from([0xc3]), 'ENCODING_INVALID'],
    ['is an object where a text belongs', 'custom', {}, 'STATEMENT_INVALID'],
    ['has a type that is a typing mistake', 'slsaprovenence', '{}', 'USAGE'],
  ])('%s', (_, type, document, code) => {
    expect(failureOf(() => encode(type, document))).toContain(` ${code}: `)
  })
})

describe('a document in which anything was put in the place of anything', () => {
  it.each(Object.entries(predicateDocuments).filter(([type]) => !['custom', 'spdx'].includes(type)))(
    'of the type %s is refused in a sentence, or taken as it is',
    (type, document) => {
      const places = pathsOf(JSON.parse(document), [])
      fc.assert(
        fc.property(fc.constantFrom(...places), fc.jsonValue(), (place, value) => {
          const changed = bent(document, { [place]: value })
          try {
            expect(JSON.parse(encode(type, changed).json)).toEqual(JSON.parse(changed))
          } catch (error) {
            if (!(error instanceof CountersignError)) throw error
            expect(error.message).toMatch(/^predicate[.[]/)
          }
        }),
      )
    },
  )
})

/** Every place in a document that `bent` can name: keys with a slash it cannot. */
function pathsOf(value: unknown, above: readonly string[]): string[] {
  if (typeof value !== 'object' || value === null) return []
  const members = Object.entries(value).filter(([key]) => !key.includes('/'))
  return members.flatMap(([key, member]) => [[...above, key].join('/'), ...pathsOf(member, [...above, key])])
}
