import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/error.ts'
import { isTag, parseReference, parseRepository, referenceTarget, referenceText } from '../../../src/oci/reference.ts'

const digest = `sha256:${'a'.repeat(64)}`

describe('an image reference', () => {
  it.each([
    ['alpine', 'index.docker.io/library/alpine:latest'],
    ['alpine:3.20', 'index.docker.io/library/alpine:3.20'],
    ['org/app', 'index.docker.io/org/app:latest'],
    ['docker.io/alpine', 'index.docker.io/library/alpine:latest'],
    ['Docker.IO/org/app:v1', 'index.docker.io/org/app:v1'],
    ['registry-1.docker.io/org/app', 'index.docker.io/org/app:latest'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app:v1', 'localhost:5000/app:v1'],
    ['127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c:latest'],
    ['[::1]:5000/app', '[::1]:5000/app:latest'],
    ['GHCR.io/org/app', 'ghcr.io/org/app:latest'],
    [`ghcr.io/org/app@${digest}`, `ghcr.io/org/app@${digest}`],
    [`ghcr.io/org/app:v1@${digest}`, `ghcr.io/org/app@${digest}`],
    ['org/a__b-c.d', 'index.docker.io/org/a__b-c.d:latest'],
  ])('%s is %s', (text, whole) => {
    expect(referenceText(parseReference(text))).toBe(whole)
  })

  it('asks for the digest where there is one, whatever the tag says', () => {
    expect(referenceTarget(parseReference(`ghcr.io/org/app:v1@${digest}`))).toBe(digest)
    expect(referenceTarget(parseReference('ghcr.io/org/app:v1'))).toBe('v1')
  })

  it.each([
    '',
    ':v1',
    'ghcr.io/',
    'ghcr.io/Org/app',
    'ghcr.io/org//app',
    'ghcr.io/../app',
    'ghcr.io/org/app/..',
    'ghcr.io/org/.app',
    'ghcr.io/org/app:',
    'ghcr.io/org/app:../../etc',
    'ghcr.io/org/app:-v1',
    `ghcr.io/org/app:${'v'.repeat(129)}`,
    'ghcr.io/org/app@sha256:abc',
    `ghcr.io/org/app@sha1:${'a'.repeat(40)}`,
    `ghcr.io/org/app@${digest.toUpperCase()}`,
    `ghcr.io/org/app@${digest}@${digest}`,
    'ghcr.io:99999/app',
    '127.1/app',
    '2130706433:80/app',
    '0x7f.1/app',
    '0177.0.0.1/app',
    'a0.0/app',
    'ghcr.io:/app',
    'https://ghcr.io/org/app',
    'me:secret@ghcr.io/app',
    'ghcr.io/org/app?x=1',
    'ghcr.io/org/app#x',
    'ghcr.io/org/app%2f..',
    'ghcr.io\\@evil.example/app',
    'ghcr.io/org/app\n',
    ' ghcr.io/org/app',
    `ghcr.io/${'a'.repeat(256)}`,
    'a'.repeat(5000),
    'xn--/ä',
  ])('%j is refused with the part that is wrong', (text) => {
    expect(() => parseReference(text)).toThrow(/^could not parse reference ".*": /s)
  })

  it('is read in a time that does not grow with what is wrong about it', () => {
    for (const text of ['a-'.repeat(2000), `${'a.'.repeat(1900)}!/x`, '_'.repeat(4000), `x/${'a_'.repeat(1900)}`]) {
      expect(() => parseReference(text)).toThrow('could not parse reference')
    }
  })
})

describe('the name of a repository', () => {
  it('has neither a tag nor a digest', () => {
    expect(parseRepository('ghcr.io/org/signatures')).toEqual({ registry: 'ghcr.io', repository: 'org/signatures' })
    expect(() => parseRepository('ghcr.io/org/signatures:v1')).toThrow('could not parse reference')
    expect(() => parseRepository(`ghcr.io/org/signatures@${digest}`)).toThrow('could not parse reference')
  })
})

describe('a tag', () => {
  it('is a name that cannot lead anywhere else', () => {
    expect(['v1', '_x', 'a'.repeat(128), 'sha256-abc.sig'].every(isTag)).toBe(true)
    expect(['', '.', '..', 'a/b', 'a:b', '-a', 'a'.repeat(129), 'a b', 'a\n'].some(isTag)).toBe(false)
  })
})

describe('any reference that is taken', () => {
  it('means the same when it is written out, and leads to one place on its registry', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}(?:[._-][a-z0-9]{1,8})?$/)
    const texts = fc.oneof(
      fc
        .tuple(
          fc.option(fc.constantFrom('ghcr.io', 'localhost:5000', 'docker.io', '[::1]:80')),
          fc.array(part, { minLength: 1, maxLength: 3 }),
          fc.option(part),
        )
        .map(([host, parts, tag]) => `${host === null ? '' : `${host}/`}${parts.join('/')}${tag === null ? '' : `:${tag}`}`),
      fc.string({ maxLength: 40 }),
    )
    fc.assert(
      fc.property(texts, (text) => {
        let reference
        try {
          reference = parseReference(text)
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError)
          return
        }
        expect(parseReference(referenceText(reference))).toEqual(reference)
        const path = `/v2/${reference.repository}/manifests/${referenceTarget(reference)}`
        const url = new URL(`https://${reference.registry}${path}`)
        expect([url.pathname, url.search, url.hash, url.username]).toEqual([path, '', '', ''])
      }),
      { numRuns: 2000 },
    )
  })
})
