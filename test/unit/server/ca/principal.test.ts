import { describe, expect, it } from 'vitest'
import { parseIssuerConfiguration } from '../../../../src/server/ca/issuer-configuration.ts'
import type { Principal, TokenPayload } from '../../../../src/server/ca/principal.ts'
import { principalOf } from '../../../../src/server/ca/principal.ts'

const url = 'https://accounts.example.com'

function principal(yaml: string, payload: TokenPayload): Principal {
  const issuer = parseIssuerConfiguration(`oidc-issuers:\n  ${url}:\n    ${yaml}\n`, 'issuers.yaml').find(url)
  if (issuer === undefined) throw new Error('there is no issuer')
  return principalOf(issuer, url, payload)
}

function refusal(yaml: string, payload: TokenPayload): string {
  try {
    principal(yaml, payload)
  } catch (error) {
    expect(error).toMatchObject({ code: 'TOKEN_INVALID' })
    return (error as Error).message
  }
  throw new Error('it was accepted')
}

describe('an e-mail address', () => {
  it.each(['a@b', 'dev@example.com', "o'hara+tag=1@sub.example-1.com", 'A.B@EXAMPLE.com', `${'a'.repeat(64)}@example.com`])(
    'may be %s',
    (email) => {
      expect(principal('type: email', { sub: 's', email, email_verified: true }).name).toEqual({ kind: 'email', value: email })
    },
  )

  it.each([
    '',
    'dev',
    '@example.com',
    'dev@',
    'dev@@example.com',
    'a@b.test, c@d.test',
    'a@b.test,c@d.test',
    'a@b.test;c@d.test',
    'a@b.test c@d.test',
    'a@b.test\nc@d.test',
    'a@b.test\u0000@c.test',
    'a@b.test\u0000',
    'Dev <dev@example.com>',
    '<dev@example.com>',
    'dev(comment)@example.com',
    '"dev x"@example.com',
    '"dev"@example.com',
    'dev@[127.0.0.1]',
    'dev@exa mple.com',
    'dev@example..com',
    'dev@.example.com',
    'dev@example.com.',
    'dev@-example.com',
    'dev@example-.com',
    'dev@exämple.com',
    'dév@example.com',
    'ｄev@example.com',
    '.dev@example.com',
    'dev.@example.com',
    'de..v@example.com',
    'dev@example.com/x',
    ' dev@example.com',
    'dev@example.com ',
    'mailto:dev@example.com',
    `${'a'.repeat(65)}@example.com`,
    `dev@${'a.'.repeat(130)}com`,
    `dev@${'a'.repeat(64)}.com`,
  ])('is never %j', (email) => {
    expect(refusal('type: email', { sub: 's', email, email_verified: true })).toMatch(/e-mail|no claim/)
  })

  it.each([undefined, null, 42, true, ['dev@example.com'], { email: 'dev@example.com' }])('is a text, not %j', (email) => {
    expect(refusal('type: email', { sub: 's', email, email_verified: true })).toContain('no claim email')
  })

  it.each([undefined, null, false, 'false', 'TRUE', 'True', '1', 1, 'yes', '', ['true'], {}])(
    'of which email_verified is %j is refused',
    (verified) => {
      expect(refusal('type: email', { sub: 's', email: 'dev@example.com', email_verified: verified })).toContain('not verified')
    },
  )

  it.each([true, 'true'])('of which email_verified is %j is taken', (verified) => {
    const { challenges } = principal('type: email', { sub: 's', email: 'dev@example.com', email_verified: verified })
    expect(challenges).toContain('dev@example.com')
  })

  it.each([
    ['$.federated_claims.connector_id', {}],
    ['$.federated_claims.connector_id', { federated_claims: null }],
    ['$.federated_claims.connector_id', { federated_claims: { connector_id: '' } }],
    ['$.federated_claims.connector_id', { federated_claims: { connector_id: ['github'] } }],
    ['$.federated_claims.connector_id', { federated_claims: ['connector_id'] }],
    ['$.constructor.name', {}],
    ['$.sub.length', {}],
  ])('at a connector that %s does not name in %j is refused', (path, claims) => {
    const payload = { sub: 's', email: 'dev@example.com', email_verified: true, ...claims }
    expect(refusal(`type: email\n    issuer-claim: ${path}`, payload)).toContain('names its issuer')
  })
})

describe('a URI', () => {
  const yaml = 'type: uri\n    subject-domain: https://example.com'

  it.each([
    'https://example.com',
    'https://example.com/',
    'https://example.com/a/b?c=d#e',
    'https://example.com?x',
    'https://example.com/@x',
  ])('of the domain is %s', (sub) => {
    expect(principal(yaml, { sub }).name).toEqual({ kind: 'uri', value: sub })
  })

  it.each([
    'https://example.com.evil.test/',
    'https://example.com@evil.test/',
    'https://example.com:443@evil.test/',
    'https://example.com:8443/',
    'https://user@example.com/',
    'https://sub.example.com/',
    'https://EXAMPLE.com/',
    'HTTPS://example.com/',
    'http://example.com/',
    'https:example.com/',
    'https:///example.com/',
    'https:\\\\example.com/',
    'https://example.com\\@evil.test/',
    'https://example.com/\u0000',
    'https://example.com/\n',
    ' https://example.com/',
    'https://example.com​/',
    'dev@example.com',
    'example.com',
    '',
  ])('of the domain is never %j', (sub) => {
    expect(refusal(yaml, { sub })).toMatch(/URI|no claim/)
  })
})

it.each([
  ['https://example.com/\\evil', 'https://example.com/%5Cevil'],
  ['https://example.com/a b', 'https://example.com/a%20b'],
  ['https://example.com/é', 'https://example.com/%C3%A9'],
])('the URI %j is certified as Go writes it, %s', (sub, value) => {
  expect(principal('type: uri\n    subject-domain: https://example.com', { sub }).name).toEqual({ kind: 'uri', value })
})

describe('a user name', () => {
  const yaml = 'type: username\n    subject-domain: example.com'

  it.each(['jo', 'jörg', 'system:admin', 'a.b-c_d', '0'])('may be %s', (sub) => {
    expect(principal(yaml, { sub }).name).toEqual({ kind: 'username', value: `${sub}!example.com` })
  })

  it.each(['', 'jo!evil.test', '!', 'jo@example.com', '@', 'jo\u0000', 'jo\n', 'j o', 'jo\u200b', 'jo\u202e', 'x'.repeat(3_000)])(
    'is never %j',
    (sub) => {
      expect(refusal(yaml, { sub })).not.toBe('')
    },
  )

  it.each([undefined, 1, ['jo'], null])('is a text, not %j', (sub) => {
    expect(refusal(yaml, { sub })).toContain('no claim sub')
  })
})

describe('a SPIFFE ID', () => {
  const yaml = 'type: spiffe\n    spiffe-trust-domain: example.com'

  it.each(['spiffe://example.com/a', 'spiffe://example.com/ns/a/sa/b-c_d.e', 'spiffe://example.com/A'])(
    'of the trust domain is %s',
    (sub) => {
      expect(principal(yaml, { sub }).name).toEqual({ kind: 'uri', value: sub })
    },
  )

  it.each([
    'spiffe://example.com',
    'spiffe://example.com/',
    'spiffe://example.com//a',
    'spiffe://example.com/a/',
    'spiffe://example.com/./a',
    'spiffe://example.com/../a',
    'spiffe://example.com/a?b',
    'spiffe://example.com/a#b',
    'spiffe://example.com/a%2fb',
    'spiffe://example.com:80/a',
    'spiffe://user@example.com/a',
    'spiffe://example.com.evil.test/a',
    'spiffe://evil.test/example.com',
    'spiffe://EXAMPLE.com/a',
    'SPIFFE://example.com/a',
    'https://example.com/a',
    'spiffe://example.com/a\n',
    'xspiffe://example.com/a',
    '',
  ])('of the trust domain is never %j', (sub) => {
    expect(refusal(yaml, { sub })).toMatch(/SPIFFE|no claim/)
  })
})

describe('a service account of Kubernetes', () => {
  const account = (namespace: unknown, name: unknown): TokenPayload => ({
    sub: 's',
    'kubernetes.io': { namespace, serviceaccount: { name } },
  })

  it('is named by namespace and name', () => {
    expect(principal('type: kubernetes', account('a-1', 'b.c')).name.value).toBe('https://kubernetes.io/namespaces/a-1/serviceaccounts/b.c')
  })

  it.each([
    account('a/b', 'c'),
    account('..', 'c'),
    account('a', '../b'),
    account('a', 'b/serviceaccounts/c'),
    account('', 'c'),
    account('a', ''),
    account('A', 'c'),
    account('a\n', 'c'),
    account(['a'], 'c'),
    account('a', 1),
    { sub: 'system:serviceaccount:a:b' },
    { sub: 's', 'kubernetes.io': 'a' },
    { sub: 's', 'kubernetes.io': { namespace: 'a', serviceaccount: 'b' } },
    { sub: 's', 'kubernetes.io': [] },
  ])('is never %j', (payload) => {
    expect(refusal('type: kubernetes', payload)).toContain('service account')
  })
})

describe('an identity of Chainguard', () => {
  it.each(['', '..', 'a/../b', './a', 'a//b', '/a', 'a/', 'a?b', 'a#b', 'a b', 'a\\b', 'a%2e%2e', 'a@b', 'é'])('is never %j', (sub) => {
    expect(refusal('type: chainguard-identity', { sub })).toMatch(/no path|no claim/)
  })
})

describe('the name that a CI provider makes of claims', () => {
  const job = {
    sub: 's',
    organization_slug: 'acme',
    pipeline_slug: 'app',
    runner_environment: 'self-hosted',
    build_commit: 'aa',
    build_source: 'ui',
    build_number: 1,
    job_id: 'j',
  }

  it('is one URI', () => {
    expect(principal('type: buildkite-job', job).name.value).toBe('https://buildkite.com/acme/app')
  })

  it.each<[string, unknown]>([
    ['missing', undefined],
    ['null', null],
    ['a list', ['acme']],
    ['an object', { name: 'acme' }],
    ['a fraction', 1.5],
    ['a line with a break', 'a\nb'],
    ['a text with NUL', 'a\u0000b'],
    ['a text with half an escape', 'a%2'],
    ['of more than 2048 characters', 'x'.repeat(2_048)],
  ])('is refused when one of them is %s', (_, value) => {
    expect(refusal('type: buildkite-job', { ...job, pipeline_slug: value })).toMatch(/no claim pipeline_slug|no URI|2048/)
  })

  it('is refused when a further claim is missing that an extension is made of', () => {
    expect(refusal('type: buildkite-job', { ...job, build_source: undefined })).toContain('no claim build_source')
  })
})

describe('what proves possession', () => {
  it.each<[string, TokenPayload, readonly string[]]>([
    ['type: email', { sub: 's', email: 'a@b.test', email_verified: true }, ['a@b.test', 's']],
    ['type: email\n    challenge-claim: sub', { sub: 's', email: 'a@b.test', email_verified: true }, ['s', 'a@b.test']],
    ['type: email', { email: 'a@b.test', email_verified: true }, ['a@b.test']],
    ['type: chainguard-identity', { sub: 's' }, ['s']],
    ['type: chainguard-identity', { sub: 's', email: '' }, ['s']],
    ['type: chainguard-identity', { sub: 's', email: 'unverified@b.test' }, ['s', 'unverified@b.test']],
  ])('for %j and %j is a signature of one of %j', (yaml, payload, challenges) => {
    expect([...new Set(principal(yaml, payload).challenges)]).toEqual(challenges)
  })
})
