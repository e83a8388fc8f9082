import { describe, expect, test } from 'vitest'
import { parseIssuerConfiguration } from '../../../../src/server/ca/issuer-configuration.ts'
import { principalOf } from '../../../../src/server/ca/principal.ts'

const url = 'https://ci.example.com'

function principal(settings: string, claims: Readonly<Record<string, unknown>>) {
  const issuer = parseIssuerConfiguration(`{ oidc-issuers: { '${url}': { ${settings} } } }`, 'issuers.yaml').find(url)
  if (issuer === undefined) throw new Error('it is not configured')
  return principalOf(issuer, url, claims)
}

const github = {
  sub: 'repo:octo/app:ref:refs/heads/日本',
  event_name: 'push',
  sha: '3f',
  workflow: 'R',
  repository: 'octo/app',
  repository_owner: 'octo',
  repository_id: '1',
  repository_owner_id: '2',
  repository_visibility: 'public',
  ref: 'refs/heads/日本',
  job_workflow_ref: 'octo/app/.github/workflows/r.yml@refs/heads/日本',
  job_workflow_sha: '3f',
  workflow_ref: 'octo/app/.github/workflows/r.yml@refs/heads/日本',
  workflow_sha: '3f',
  runner_environment: 'github-hosted',
  run_id: '7',
  run_attempt: '1',
}

describe('the URI that a certificate is for', () => {
  test('is percent-encoded where a branch has letters beyond ASCII, and the extensions have them as they are', () => {
    const { name, extensions } = principal('type: ci-provider, ci-provider: github-workflow', github)
    expect(name).toEqual({ kind: 'uri', value: 'https://github.com/octo/app/.github/workflows/r.yml@refs/heads/%E6%97%A5%E6%9C%AC' })
    expect(extensions.buildSignerUri).toBe('https://github.com/octo/app/.github/workflows/r.yml@refs/heads/日本')
    expect(extensions.sourceRepositoryRef).toBe('refs/heads/日本')
    expect(extensions.tokenSubject).toBe('repo:octo/app:ref:refs/heads/日本')
  })

  test.each([
    'https://ci.example.com.evil.example/x',
    'https://ci.example.com@evil.example/x',
    'https://ci.example.com\\@evil.example/x',
    'https://ci.example.com:8443/x',
    'https://CI.example.com/x',
    ' https://ci.example.com/x',
    'https:ci.example.com/x',
    'http://ci.example.com/x',
    '//ci.example.com/x',
  ])('is not %j where the subject domain is https://ci.example.com', (sub) => {
    expect(() => principal("type: uri, subject-domain: 'https://ci.example.com'", { sub })).toThrow(/should be a URI of/)
  })

  test('is the subject of the token where that is of the subject domain', () => {
    const { name, extensions } = principal("type: uri, subject-domain: 'https://ci.example.com'", { sub: 'https://ci.example.com/é' })
    expect(name).toEqual({ kind: 'uri', value: 'https://ci.example.com/%C3%A9' })
    expect(extensions.tokenSubject).toBe('https://ci.example.com/é')
  })
})
