import { describe, expect, test } from 'vitest'
import { parseUri } from '../../../../src/server/ca/uri.ts'

const workflow = 'https://github.com/octo/app/.github/workflows'

// What Go 1.26 prints: url.Parse(text).String().
const goSays: readonly (readonly [text: string, printed: string])[] = [
  [`${workflow}/release.yml@refs/heads/main`, `${workflow}/release.yml@refs/heads/main`],
  [`${workflow}/release.yml@refs/heads/日本`, `${workflow}/release.yml@refs/heads/%E6%97%A5%E6%9C%AC`],
  [`${workflow}/déploiement.yml@refs/tags/v1`, `${workflow}/d%C3%A9ploiement.yml@refs/tags/v1`],
  [`${workflow}/my release.yml@refs/heads/main`, `${workflow}/my%20release.yml@refs/heads/main`],
  [`${workflow}/r.yml@refs/heads/a!b(c)*'d'`, `${workflow}/r.yml@refs/heads/a!b(c)*'d'`],
  [`${workflow}/r.yml@refs/heads/é!b(c)*'d'`, `${workflow}/r.yml@refs/heads/%C3%A9%21b%28c%29%2A%27d%27`],
  [`${workflow}/r.yml@refs/heads/a%41b`, `${workflow}/r.yml@refs/heads/a%41b`],
  [`${workflow}/r.yml@refs/heads/é%41%2f`, `${workflow}/r.yml@refs/heads/%C3%A9A/`],
  [`${workflow}/r.yml@refs/heads/fix#12`, `${workflow}/r.yml@refs/heads/fix#12`],
  [`${workflow}/r.yml@refs/heads/fix#é!`, `${workflow}/r.yml@refs/heads/fix#%C3%A9!`],
  [`${workflow}/r.yml@refs/heads/fix#`, `${workflow}/r.yml@refs/heads/fix`],
  ['https://github.com/a"b<c>d^e`f{g|h}i\\j', 'https://github.com/a%22b%3Cc%3Ed%5Ee%60f%7Bg%7Ch%7Di%5Cj'],
  ['https://gitlab.com/group/project//.gitlab-ci.yml@refs/heads/main', 'https://gitlab.com/group/project//.gitlab-ci.yml@refs/heads/main'],
  ['https://g.codefresh.io/account/group/pipeline:1/2', 'https://g.codefresh.io/account/group/pipeline:1/2'],
  ['https://github.com/é[a]?q=[b]', 'https://github.com/%C3%A9%5Ba%5D?q=[b]'],
]

describe('a URI in the name of a certificate', () => {
  test.each(goSays)('%s is written as Go writes it', (text, printed) => {
    expect(parseUri(text)?.text).toBe(printed)
  })

  test.each([
    ['https://ci.example.com/x', 'https://ci.example.com'],
    ['https://ci.example.com:8443/x', 'https://ci.example.com:8443'],
    ['https://ci.example.com', 'https://ci.example.com'],
    ['https://ci.example.com?x', 'https://ci.example.com'],
    ['https://CI.example.com/x', 'https://CI.example.com'],
    ['https://[::1]:8443/x', 'https://[::1]:8443'],
  ])('the origin of %s is what stands there', (text, origin) => {
    expect(parseUri(text)?.origin).toBe(origin)
  })

  test.each([
    ['', 'nothing'],
    ['octo/app', 'no scheme'],
    ['https:ci.example.com/x', 'no authority'],
    ['https:/ci.example.com/x', 'half an authority'],
    ['https:///x', 'an empty authority'],
    ['https:\\\\ci.example.com\\x', 'backslashes'],
    ['https://ci.example.com\\@evil.example/x', 'a backslash before the path'],
    ['https://user@ci.example.com/x', 'a user'],
    ['https://ci.example.com@evil.example/x', 'the host as a user'],
    ['https://ci.example.com:x/', 'a port that is none'],
    ['https://ci.exämple.com/x', 'a host beyond ASCII'],
    ['https://ci.example.com /x', 'a blank in the host'],
    [' https://ci.example.com/x', 'a blank in front'],
    ['https://ci.example.com/\nx', 'a line break'],
    ['https://ci.example.com/\u0000', 'a NUL'],
    ['https://ci.example.com/100%', 'a percent sign alone'],
    ['https://ci.example.com/%zz', 'an escape that is none'],
    ['https://ci.example.com/#%z', 'an escape that is none in the fragment'],
    ['https://ci.example.com/?é', 'a query beyond ASCII, which Go would not encode'],
    ['https://ci.example.com/?a b', 'a query with a blank'],
  ])('%j is refused: %s', (text) => {
    expect(parseUri(text)).toBeUndefined()
  })
})
