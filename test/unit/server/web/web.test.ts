import { describe, expect, test } from 'vitest'
import type { FoundEntry, SearchAnswer, SearchQuery } from '../../../../src/api/search.ts'
import { CountersignError } from '../../../../src/error.ts'
import { firstSteps } from '../../../../src/server/web/start-page.ts'
import { createWeb } from '../../../../src/server/web/web.ts'

const keyHash = 'ab'.repeat(32)

const entry: FoundEntry = {
  log: 'rekor-1',
  api: 'rekor-v1',
  origin: 'sigstore.example.com - 1',
  index: '7',
  leafHash: 'cd'.repeat(32),
  loggedAt: '2026-11-21T12:00:00Z',
  kind: 'hashedrekord',
  version: '0.0.1',
  digest: { algorithm: 'sha256', value: 'ef'.repeat(32) },
  signers: [
    {
      kind: 'certificate',
      keyHash,
      pem: '-----BEGIN CERTIFICATE-----\n',
      subjects: [{ kind: 'email', value: 'alice@example.com' }],
      issuer: 'https://accounts.example.com',
      notBefore: '2026-11-21T11:59:00Z',
      notAfter: '2026-11-21T12:09:00Z',
    },
  ],
  body: Buffer.from('{"kind":"hashedrekord"}').toString('base64'),
  inclusionProof: {
    leafIndex: '7',
    treeSize: '12',
    rootHash: '01'.repeat(32),
    hashes: ['02'.repeat(32)],
    checkpoint: 'sigstore.example.com - 1\n12\nAQE=\n\n— sig\n',
  },
}

const server = {
  origin: 'https://sigstore.example.com',
  endpoints: [{ name: 'Certificate authority', url: 'https://sigstore.example.com', purpose: 'Gives certificates' }],
  steps: firstSteps({
    tufUrl: 'https://sigstore.example.com/tuf',
    rootChecksum: '00'.repeat(32),
    issuerUrl: 'https://sigstore.example.com/oidc',
  }),
}

function answerWith(entries: readonly FoundEntry[], changes: Partial<SearchAnswer> = {}): SearchAnswer {
  return { entries, truncated: false, logs: [{ id: 'rekor-1', origin: 'o', api: 'rekor-v1', size: '12', indexed: '12' }], ...changes }
}

async function visit(
  path: string,
  search?: (query: SearchQuery) => SearchAnswer | Promise<SearchAnswer>,
  onError?: (error: unknown) => void,
) {
  const { routes } = createWeb({ server, ...(search ? { search: async (query) => search(query) } : {}), ...(onError ? { onError } : {}) })
  const answer = await routes.request(path)
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

describe('the start page', () => {
  test('says what the server is, where its parts are and what to type', async () => {
    const { status, text } = await visit('/')
    expect(status).toBe(200)
    expect(text).toContain('Certificate authority')
    const shown = text.replaceAll(/<[^>]*>/g, '')
    expect(shown).toContain(
      'countersign initialize --mirror https://sigstore.example.com/tuf --root https://sigstore.example.com/tuf/1.root.json',
    )
    expect(shown).toContain('countersign sign-blob --bundle')
    expect(shown).toContain('countersign verify-blob --bundle')
  })

  test('has a search only where the server has one', async () => {
    expect((await visit('/')).text).not.toContain('href="/search"')
    expect((await visit('/search')).status).toBe(404)
    expect((await visit('/', () => answerWith([]))).text).toContain('href="/search"')
  })
})

describe('every page', () => {
  test.each(['/', '/search', '/search?q=alice@example.com', '/search?q='])('runs no script and stands in no frame: %s', async (path) => {
    const { headers, text } = await visit(path, () => answerWith([entry]))
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    )
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(headers.get('set-cookie')).toBeNull()
    expect(text).toContain('<html lang="en"')
    expect(text).not.toMatch(/<script|<style|style="|\son\w+=/)
    expect(text.match(/<h1>/g)).toHaveLength(1)
  })

  test('has its style sheet, which browsers keep for ever under its version alone', async () => {
    const [, href = ''] = /href="(\/style\.css\?v=[0-9a-f]{16})"/.exec((await visit('/')).text) ?? []
    const kept = await visit(href)
    expect(kept.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(kept.headers.get('content-type')).toBe('text/css; charset=utf-8')
    for (const path of ['/style.css', '/style.css?v=0000000000000000'])
      expect((await visit(path)).headers.get('cache-control')).toBe('no-cache')
  })
})

describe('the search page', () => {
  test.each([
    ['alice@example.com', 'email'],
    ['https://github.com/org/repo/.github/workflows/release.yml@refs/heads/main', 'subject'],
    ['spiffe://example.com/ns/a', 'subject'],
    ['12', 'index'],
    ['ab'.repeat(32), 'digest'],
    [`sha256:${'ab'.repeat(32)}`, 'digest'],
  ])('guesses what %s is', async (value, field) => {
    const asked: SearchQuery[] = []
    await visit(`/search?q=${encodeURIComponent(value)}`, (query) => (asked.push(query), answerWith([])))
    expect(asked).toEqual([{ field, value, limit: 20 }])
  })

  test('asks for what was chosen, in the log that was chosen', async () => {
    const asked: SearchQuery[] = []
    await visit(`/search?by=key&q=${keyHash}&log=rekor-1`, (query) => (asked.push(query), answerWith([])))
    expect(asked).toEqual([{ field: 'key', value: keyHash, limit: 20, log: 'rekor-1' }])
  })

  test('tells in plain words who signed what and when, with the proof', async () => {
    const { status, text } = await visit('/search?q=alice@example.com', () => answerWith([entry]))
    expect(status).toBe(200)
    for (const words of [
      'alice@example.com',
      'ef'.repeat(32),
      '2026-11-21 12:00:00 UTC',
      'https://accounts.example.com',
      keyHash,
      'leaf 7 of a tree of 12',
      '01'.repeat(32),
      '— sig',
      '{&quot;kind&quot;:&quot;hashedrekord&quot;}',
    ])
      expect(text).toContain(words)
    expect(text).toContain('href="/search?by=index&amp;q=7&amp;log=rekor-1"')
  })

  test('says that a time of Rekor v2 is not signed', async () => {
    const { text } = await visit('/search?q=7', () => answerWith([{ ...entry, api: 'rekor-v2' }]))
    expect(text).toContain('Rekor v2 signs no time')
  })

  test('is kind about what there is not', async () => {
    const { status, text } = await visit('/search?by=index&q=99', () => answerWith([]))
    expect(status).toBe(404)
    expect(text).toContain('There is no entry with the number')
    expect(text).toContain('Entries are never removed')
    expect(text).toContain('value="99"')
  })

  test('says what the index does not have yet', async () => {
    const { text } = await visit('/search?q=a@example.com', () =>
      answerWith([], { logs: [{ id: 'a', origin: 'log.example.com', api: 'rekor-v2', size: '12', indexed: '9' }] }),
    )
    expect(text).toContain('The newest 3 entries of')
  })

  test.each([
    [new CountersignError('REQUEST_INVALID', 'digest should be sha256:<hex>'), 400, 'digest should be sha256:&lt;hex&gt;'],
    [new CountersignError('NOT_FOUND', 'there is no log "x"'), 404, 'there is no log'],
    [new CountersignError('STORAGE_FAILED', 'the password of the database is 12345'), 503, 'does not work at the moment'],
  ])('explains %s', async (error, status, words) => {
    const reported: unknown[] = []
    const page = await visit(
      '/search?q=x',
      () => {
        throw error
      },
      (problem) => void reported.push(problem),
    )
    expect(page.status).toBe(status)
    expect(page.text).toContain(words)
    expect(page.text).not.toContain('12345')
    expect(reported).toEqual(status === 503 ? [error] : [])
  })

  test('asks for something to look for', async () => {
    const { status, text } = await visit('/search?q=%20', () => Promise.reject(new Error('not asked')))
    expect(status).toBe(400)
    expect(text).toContain('Say what to look for')
  })

  test('shows hostile entries as text, wherever it stands', async () => {
    const evil = `"'><script>alert(1)</script><img src=x onerror=alert(1)>\u202Egnp\u0000\uD800`
    const signer = {
      kind: 'certificate',
      keyHash: evil,
      pem: evil,
      subjects: [{ kind: evil, value: evil }],
      issuer: evil,
      notBefore: evil,
      notAfter: evil,
    } as const
    const hostile: FoundEntry = {
      ...entry,
      log: evil,
      origin: evil,
      index: evil.toWellFormed(),
      leafHash: evil,
      loggedAt: evil,
      kind: evil,
      version: evil,
      digest: { algorithm: evil, value: evil },
      signers: [{ ...signer, keyHash: evil.toWellFormed() }],
      body: Buffer.from(evil).toString('base64'),
      inclusionProof: { leafIndex: evil, treeSize: evil, rootHash: evil, hashes: [evil], checkpoint: evil },
    }
    const { text } = await visit(`/search?q=${encodeURIComponent(evil.toWellFormed())}&by=email`, () =>
      answerWith([{ ...hostile, log: evil.toWellFormed() }]),
    )
    expect(text).not.toMatch(/<script|<img/)
    expect(text).not.toMatch(/[\u202E\u0000\uD800]/)
    expect(text).toContain('&lt;script&gt;')
  })

  test('takes markup from nobody, not even from an object that looks like it', async () => {
    const sneaky = { markup: '<script>alert(1)</script>' } as unknown as string
    const { text } = await visit('/search?q=a@example.com', () => answerWith([{ ...entry, kind: sneaky, version: sneaky }]))
    expect(text).not.toContain('<script>')
  })

  test('cuts entries that are too long for a page', async () => {
    const { text } = await visit('/search?q=a@example.com', () =>
      answerWith([{ ...entry, body: Buffer.from('x'.repeat(500_000)).toString('base64') }]),
    )
    expect(text.length).toBeLessThan(60_000)
    expect(text).toContain('480000 characters more')
  })
})
