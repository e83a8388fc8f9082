import { describe, expect, it } from 'vitest'
import type { StoredManifest } from '../../../src/oci/manifest.ts'
import { encodeIndex, encodeManifest, mediaType, parseManifest, storedManifest } from '../../../src/oci/manifest.ts'

const digest = `sha256:${'a'.repeat(64)}`
const config = { mediaType: mediaType.config, digest, size: 2 }
const layer = { mediaType: mediaType.layer, digest, size: 3, annotations: { b: '2', a: '1' } }

function stored(document: unknown, type: string = mediaType.manifest): StoredManifest {
  return storedManifest(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)), type)
}

const good = { schemaVersion: 2, mediaType: mediaType.manifest, config, layers: [layer] }

describe('a manifest', () => {
  it('is read back as it was encoded, its members in the order that cosign writes', () => {
    const subject = { mediaType: mediaType.index, digest, size: 9 }
    const encoded = encodeManifest({ config, layers: [layer], annotations: { z: '1', y: '2' }, subject, artifactType: 'text/x' })
    expect(parseManifest(encoded)).toMatchObject({ kind: 'manifest', config, layers: [layer], subject, artifactType: 'text/x' })
    expect(Object.keys(JSON.parse(Buffer.from(encoded.bytes).toString()) as object)).toEqual([
      'schemaVersion',
      'mediaType',
      'config',
      'layers',
      'annotations',
      'subject',
      'artifactType',
    ])
  })

  it('is what it was served as where it does not say', () => {
    expect(parseManifest(stored({ config, layers: [] })).kind).toBe('manifest')
    expect(parseManifest(stored({ manifests: [config] }, mediaType.index)).kind).toBe('index')
    expect(parseManifest(stored({ manifests: null }, mediaType.index))).toMatchObject({ manifests: [] })
  })

  it('may have members that nobody here needs', () => {
    const other = { ...layer, urls: ['https://elsewhere.example/layer'], data: 'aGk=', 'org.example': { deep: [1] } }
    expect(parseManifest(stored({ ...good, layers: [other], more: true }))).toMatchObject({ layers: [layer] })
  })

  it('of an index keeps platforms, and which version of an operating system they are for', () => {
    const platform = { os: 'windows', architecture: 'amd64', 'os.version': '10.0.1' }
    const encoded = encodeIndex([{ ...config, platform }])
    expect(parseManifest(encoded)).toMatchObject({ kind: 'index', manifests: [{ ...config, platform }] })
  })

  it.each([
    ['no JSON', 'hello', mediaType.manifest],
    ['an array', [], mediaType.manifest],
    ['another media type than it was served with', { ...good, mediaType: mediaType.index }, mediaType.manifest],
    ['an image that is served as an index', { config, layers: [layer] }, mediaType.index],
    ['an index that is served as an image', { manifests: [config], config }, mediaType.manifest],
    ['both', { ...good, manifests: [config] }, mediaType.manifest],
    ['both, as an index', { mediaType: mediaType.index, manifests: [config], layers: [] }, mediaType.index],
    ['an unknown media type', { ...good, mediaType: 'text/html' }, 'text/html'],
    ['no media type at all', { config, layers: [] }, ''],
    ['the first version of Docker', { schemaVersion: 1, fsLayers: [] }, 'application/vnd.docker.distribution.manifest.v1+prettyjws'],
    ['no configuration', { layers: [] }, mediaType.manifest],
    ['a layer without a digest', { ...good, layers: [{ mediaType: 'x', size: 1 }] }, mediaType.manifest],
    ['a digest that is a path', { ...good, layers: [{ ...layer, digest: 'sha256:../../etc/passwd' }] }, mediaType.manifest],
    ['a digest in upper case', { ...good, layers: [{ ...layer, digest: digest.toUpperCase() }] }, mediaType.manifest],
    ['a digest of a broken algorithm', { ...good, layers: [{ ...layer, digest: `md5:${'a'.repeat(32)}` }] }, mediaType.manifest],
    ['a size below zero', { ...good, layers: [{ ...layer, size: -1 }] }, mediaType.manifest],
    ['a size that is text', { ...good, layers: [{ ...layer, size: '3' }] }, mediaType.manifest],
    ['half a byte', { ...good, layers: [{ ...layer, size: 0.5 }] }, mediaType.manifest],
    ['an annotation that is a number', { ...good, annotations: { a: 1 } }, mediaType.manifest],
    ['a subject that is text', { ...good, subject: digest }, mediaType.manifest],
    ['1,001 layers', { ...good, layers: Array.from({ length: 1001 }, () => layer) }, mediaType.manifest],
    ['10,001 images', { manifests: Array.from({ length: 10_001 }, () => config) }, mediaType.index],
    [
      '1,001 annotations',
      { ...good, annotations: Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`a${at}`, ''])) },
      mediaType.manifest,
    ],
    ['the same member twice', '{"config":{},"config":{},"layers":[]}', mediaType.manifest],
  ])('is refused: %s', (_, document, type) => {
    expect(() => parseManifest(stored(document, type))).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(MANIFEST|JSON)_INVALID$/) as unknown }),
    )
  })

  it('is refused when it is larger than registries take', () => {
    const large = storedManifest(Buffer.alloc(4 * 1024 * 1024 + 1, 0x20), mediaType.manifest)
    expect(() => parseManifest(large)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }))
  })

  it('has no members that it inherits', () => {
    const manifest = parseManifest(stored(JSON.stringify(good).replace('"b":"2"', '"__proto__":"2"')))
    const [first] = manifest.kind === 'manifest' ? manifest.layers : []
    expect(Object.keys(first?.annotations ?? {})).toContain('__proto__')
  })
})
