/** Every source of ambient tokens against a service of its kind on this machine: what each must do, and how each must fail. */
import { describe, expect, it } from 'vitest'
import { CountersignError } from '../../src/error.ts'
import type { AmbientTokenOptions } from '../../src/identity/ambient-token.ts'
import { ambientToken, listTokenSources, tokenSourceNames } from '../../src/identity/ambient-token.ts'
import type { Fault, Place } from '../support/token-services.ts'
import { jobSecret, temporaryFolder, tokenServices, unsignedToken } from '../support/token-services.ts'
import { startServer } from '../unit/http/test-server.ts'

const token = unsignedToken({ iss: 'https://ci.example.com', sub: 'job', aud: 'sigstore' })
const nowhere: Place = { env: {}, systemRoot: '/nonexistent' }

/** Where nothing else offers a token. */
function ask(place: Place, more: Partial<AmbientTokenOptions> = {}): Promise<string | undefined> {
  return ambientToken({ ...place, ...more })
}

/** One sentence that names no secret and holds nothing of an answer. */
async function failureOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof CountersignError)) throw new Error('it did not fail as it should')
  expect(error.code).toBe('SIGN_IN_FAILED')
  expect(error.message).toMatch(/^fetching ambient OIDC credentials: [^\n]{10,400}$/)
  for (const kept of [jobSecret, 'doctype', 'xxx', token]) expect(error.message).not.toContain(kept)
  return error.message
}

it('knows every source', () => {
  expect(tokenServices.map(({ provider }) => provider)).toEqual(tokenSourceNames)
})

describe.each(tokenServices)('$provider', ({ provider, start, faults, missing }) => {
  it('gives its token, asked by name or found', async () => {
    const place = await start({ token })
    expect(await ask(place, { provider })).toBe(token)
    const offered = (await listTokenSources(place)).filter(({ isOffered }) => isOffered).map(({ name }) => name)
    expect(offered).toContain(provider)
    // A machine that may impersonate another account has one of its own, which comes first, as in cosign.
    expect(offered[0]).toBe(provider === 'google-impersonate' ? 'google-workload-identity' : provider)
    if (offered[0] === provider) expect(await ask(place)).toBe(token)
  })

  it('is not offered elsewhere, and says what is missing', async () => {
    expect(await ask({ ...nowhere, systemRoot: temporaryFolder() })).toBeUndefined()
    // Nothing listens on the discard port; the metadata server has no variable that could be missing.
    const env: Record<string, string> = provider === 'google-workload-identity' ? { GCE_METADATA_HOST: '127.0.0.1:9' } : {}
    expect(await failureOf(ask({ ...nowhere, env }, { provider }))).toContain(missing)
  })

  const expected: Readonly<Record<Fault, RegExp>> = {
    'wrong answer': /its answer has no [a-z_]+$|is not a JSON Web Token$|not Google's metadata server$/,
    'oversized answer': /more than the limit of 262144|longer than the limit of [0-9]+ bytes|is not a JSON Web Token$/,
    'no answer': /was not complete within 0\.3 s|it is no regular file$/,
    refusal: /answered 403|was refused with status 7: "no identity issued"|cannot be read: ELOOP/,
    redirect: /answered with a redirect, which is not allowed here$/,
    'token for somebody else': /gave an identity token for the audience "https:\/\/other\.example", where one for the audience "sigstore"/,
  }
  it.each(faults)('fails with one sentence on: %s', async (fault) => {
    const elsewhere = await startServer((_, response) => response.end('{"value":"stolen","token":"stolen"}'))
    const given = fault === 'token for somebody else' ? unsignedToken({ aud: 'https://other.example' }) : token
    const place = await start({ token: given, fault, redirectTo: `${elsewhere.origin}/token` })
    expect(await failureOf(ask(place, { provider, timeoutMs: 300 }))).toMatch(expected[fault])
    expect(elsewhere.requests).toEqual([])
  })

  // A variable and a file are there at once.
  if (faults.includes('redirect') || provider === 'spiffe') {
    it('ends with the command while it waits', async () => {
      const stop = new AbortController()
      const place = await start({ token, fault: 'no answer' })
      setTimeout(() => stop.abort(), 50)
      await expect(ask(place, { provider, signal: stop.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    })
  }
})

describe('of two that are offered', () => {
  const services = new Map(tokenServices.map((service) => [service.provider, service]))
  const order = [
    'filesystem',
    'envvar',
    'github-actions',
    'circleci',
    'buildkite-agent',
    'spiffe',
    'google-workload-identity',
    'google-impersonate',
  ]
  // The order of cosign 3.1.3, as `cosign debug providers` prints it; CircleCI is not known to it.
  it.each(order.slice(1).map((provider, at) => [order[at] ?? '', provider]))('%s decides, not %s', async (first, second) => {
    const [a, b] = await Promise.all([
      services.get(first)?.start({ token: unsignedToken({ sub: first, aud: 'sigstore' }), fault: 'wrong answer' }),
      services.get(second)?.start({ token }),
    ])
    if (a === undefined || b === undefined) throw new Error('there is no such service')
    const systemRoot = first === 'filesystem' || first === 'spiffe' ? a.systemRoot : b.systemRoot
    // The first fails, and the second's token, which is of another identity, is not taken for it.
    await failureOf(ask({ env: { ...b.env, ...a.env }, systemRoot }))
  })
})
