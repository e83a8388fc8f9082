import { describe, expect, it } from 'vitest'
import { parseIssuerConfiguration } from '../../../../src/server/ca/issuer-configuration.ts'
import { universeOf } from '../../../support/universe/services.ts'
import { pemOf } from '../../../support/universe/certificates.ts'

const read = (yaml: string) => parseIssuerConfiguration(yaml, 'issuers.yaml')
const one = (url: string, ...lines: readonly string[]): string =>
  `oidc-issuers:\n  ${url}:\n${lines.map((line) => `    ${line}\n`).join('')}`
const family = (url: string, ...lines: readonly string[]): string => one(url, ...lines).replace('oidc-issuers', 'meta-issuers')
const refusal = (yaml: string): string => {
  try {
    read(yaml)
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIGURATION_INVALID' })
    return (error as Error).message
  }
  throw new Error('it was accepted')
}

describe('the configuration of issuers', () => {
  it('has every key of Fulcio', () => {
    const pem = pemOf(universeOf().root.der).trimEnd().split('\n')
    const { issuers } = read(
      one(
        'https://a.test',
        'issuer-url: https://a.test',
        'client-id: us',
        'type: email',
        'issuer-claim: $.federated_claims.connector_id',
        'contact: tac@a.test',
        'description: "all of it"',
        'challenge-claim: sub',
        'skip-email-verification: true',
        'environment: staging',
        'key-hosts: [keys.a.test, "other.test:8443"]',
        'ca-cert: |',
        ...pem.map((line) => `  ${line}`),
      ),
    )
    expect(issuers).toMatchObject([
      {
        url: 'https://a.test',
        clientId: 'us',
        type: 'email',
        rule: { kind: 'email', issuerClaim: ['federated_claims', 'connector_id'], skipEmailVerification: true },
        challengeClaim: 'sub',
        caCertificate: `${pem.join('\n')}\n`,
        keyHosts: ['keys.a.test', 'other.test:8443'],
      },
    ])
  })

  it('trusts nobody when it is empty', () => {
    for (const yaml of ['', '{}', '# nothing', 'oidc-issuers: {}']) expect(read(yaml).issuers).toEqual([])
  })

  it('has the usual audience and challenge where it says nothing', () => {
    expect(read(one('https://a.test', 'type: email')).issuers).toMatchObject([{ clientId: 'sigstore', challengeClaim: 'email' }])
    expect(read(one('https://a.test', 'type: kubernetes')).issuers).toMatchObject([{ challengeClaim: 'sub' }])
  })

  it('may be written as Fulcio writes it, with anchors for names of providers', () => {
    const { find } = read(
      [
        'define:',
        '  - &mine "my-provider"',
        'oidc-issuers:',
        '  https://ci.test:',
        '    issuer-url: https://ci.test',
        '    client-id: sigstore',
        '    type: ci-provider',
        '    ci-provider: *mine',
        'ci-issuer-metadata:',
        '  *mine:',
        '    default-template-values:',
        '      url: "https://ci.test"',
        '    extension-templates:',
        '      build-signer-uri: "{{ .url }}/{{ .job }}"',
        '      build-trigger: "event"',
        '      source-repository-uri: ""',
        '    subject-alternative-name-template: "{{ .url }}/{{ .job }}"',
        '',
      ].join('\n'),
    )
    const rule = find('https://ci.test')?.rule
    if (rule?.kind !== 'ci') throw new Error('it is no CI provider')
    expect(rule.subject({ job: 'x' })).toBe('https://ci.test/x')
    expect([...rule.extensions.keys()]).toEqual(['buildSignerUri', 'buildTrigger'])
  })

  it.each(['github-workflow', 'gitlab-pipeline', 'buildkite-job', 'codefresh-workflow'])(
    'the deprecated type %s is that provider',
    (type) => {
      expect(read(one('https://a.test', `type: ${type}`)).find('https://a.test')?.rule.kind).toBe('ci')
      expect(read(one('https://a.test', 'type: ci-provider', `ci-provider: ${type}`)).find('https://a.test')?.rule.kind).toBe('ci')
    },
  )

  it.each(['circleci-job', 'buddy-pipeline'])('the provider %s needs no metadata', (name) => {
    expect(read(one('https://a.test', 'type: ci-provider', `ci-provider: ${name}`)).find('https://a.test')?.rule.kind).toBe('ci')
  })

  it("metadata of a known provider's name replace ours", () => {
    const metadata = 'ci-issuer-metadata:\n  github-workflow:\n    subject-alternative-name-template: "https://ghes.test/{{ .ref }}"\n'
    const rule = read(`${one('https://a.test', 'type: github-workflow')}${metadata}`).find('https://a.test')?.rule
    if (rule?.kind !== 'ci') throw new Error('it is no CI provider')
    expect(rule.subject({ ref: 'r' })).toBe('https://ghes.test/r')
    expect(rule.extensions.size).toBe(0)
  })

  it.each([
    ['oidc-issuers: [', 'line 1'],
    ['oidc-issuers:\n  https://a.test:\n    type: email\n  https://a.test:\n    type: email\n', 'line 4'],
    [one('https://a.test', 'type: email', 'type: uri'), 'line 4'],
    [one('https://a.test', 'type: letter'), 'line 3, oidc-issuers → https://a.test → type'],
    [one('https://a.test', 'client-id: x'), 'line 2, oidc-issuers → https://a.test → type'],
    [one('https://a.test', 'type: email', 'colour: red'), 'line 4, oidc-issuers → https://a.test: there is no colour here'],
    ['oidc-issuer: {}\n', 'line 1, there is no oidc-issuer here'],
    ['define: 1\n\nmeta_issuers: {}\n', 'line 3, there is no meta_issuers here'],
    [one('https://a.test', 'type: email', 'client-id: [a]'), 'line 4, oidc-issuers → https://a.test → client-id'],
    [one('https://a.test', 'type: email', 'client-id: ""'), 'line 4'],
    [one('https://a.test', 'type: email', 'skip-email-verification: "yes"'), 'line 4'],
    [one('https://a.test', 'type: email', 'challenge-claim: name'), 'line 4'],
    [one('https://a.test', 'type: email', 'issuer-claim: connector'), 'line 4'],
    [one('https://a.test', 'type: email', 'issuer-claim: $..x'), 'line 4'],
    [one('https://a.test', 'type: email', 'key-hosts: ["https://x"]'), 'line 4'],
    [one('https://a.test', 'type: email', 'issuer-url: https://b.test'), 'line 2, the issuer https://a.test: its issuer-url is another'],
    [
      one('https://a.test', 'type: uri', 'issuer-claim: $.x', 'subject-domain: https://a.test'),
      'issuer-claim is for issuers of the type email',
    ],
    [one('https://a.test', 'type: email', 'ca-cert: nonsense'), 'line 2, the issuer https://a.test: its ca-cert'],
    [one('https://a.test', 'type: ci-provider'), 'needs the name of a provider'],
    [one('https://a.test', 'type: ci-provider', 'ci-provider: constructor'), 'there is no ci-provider constructor'],
    [one('https://a.test', 'type: spiffe'), 'needs a spiffe-trust-domain'],
    [one('https://a.test', 'type: spiffe', 'spiffe-trust-domain: "a/b"'), 'line 4'],
    [family('https://*.test', 'type: spiffe', 'spiffe-trust-domain: a.test'), 'line 2, the issuer https://*.test: spiffe cannot'],
    [family('https://*.test', 'type: uri', 'subject-domain: https://a.test'), 'uri cannot'],
    [family('https://*.test', 'type: username', 'subject-domain: a.test'), 'username cannot'],
    [one('not-a-url', 'type: email'), 'not an https:// URL'],
    [one('ftp://a.test', 'type: email'), 'not an https:// URL'],
    [one('"javascript:alert(1)"', 'type: email'), 'not an https:// URL'],
    [one('https://user@a.test', 'type: email'), 'no user, query or fragment'],
    [one('https://a.test?x', 'type: email'), 'no user, query or fragment'],
    [one('"https://a.test#x"', 'type: email'), 'no user, query or fragment'],
    [family('https://*@a.test', 'type: email'), 'no user, query or fragment'],
    [family('https://a.test:*', 'type: email'), 'not an https:// URL'],
    [family('https://*', 'type: kubernetes'), 'ends in a domain'],
    [family('https://*/id/*', 'type: kubernetes'), 'ends in a domain'],
    [family('https://local*/x', 'type: kubernetes'), 'ends in a domain'],
    [family('https://*.*.*.*/id', 'type: kubernetes'), 'ends in a domain'],
    [family('http://169.254.*.*', 'type: kubernetes'), 'ends in a domain'],
    [family('http*://a.test', 'type: email'), 'not an https:// URL'],
    [`${one('https://a.test', 'type: github-workflow')}ci-issuer-metadata:\n  x:\n    extension-templates: {}\n`, 'line 5'],
    [
      `${one('https://a.test', 'type: ci-provider', 'ci-provider: x')}ci-issuer-metadata:\n  x:\n    extension-templates: {colour: sha}\n    subject-alternative-name-template: sha\n`,
      'there is no extension colour',
    ],
    [
      `${one('https://a.test', 'type: ci-provider', 'ci-provider: x')}ci-issuer-metadata:\n  x:\n    subject-alternative-name-template: "{{ .a"\n`,
      'never closed',
    ],
    ['- a\n- b\n', 'expected'],
    ['text', 'expected'],
    [`a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [${'*a,'.repeat(10)}]\nc: &c [${'*b,'.repeat(10)}]\nd: [${'*c,'.repeat(10)}]\n`, 'alias'],
    ['#'.repeat(1_000_001), '1000000 characters'],
  ])('%# refuses what is wrong, and says where: %s', (yaml, message) => {
    expect(refusal(yaml)).toMatch(/^issuers\.yaml cannot be used: /)
    expect(refusal(yaml)).toContain(message)
  })
})

describe('the subject domain of an issuer', () => {
  it.each([
    ['https://accounts.example.com', 'uri', 'https://example.com'],
    ['https://example.com', 'uri', 'https://users.example.com'],
    ['https://example.com', 'uri', 'https://example.com'],
    ['http://localhost:8080', 'uri', 'http://localhost'],
    ['https://accounts.example.com', 'username', 'example.com'],
    ['http://localhost:8080', 'username', 'localhost'],
    ['https://10.1.2.3', 'username', '10.1.2.3'],
  ])('of %s, type %s, may be %s', (url, type, domain) => {
    expect(read(one(url, `type: ${type}`, `subject-domain: ${domain}`)).issuers[0]?.rule).toMatchObject({
      kind: type,
      subjectDomain: domain,
    })
  })

  it.each([
    ['https://accounts.example.com', 'uri', 'https://example.org'],
    ['https://accounts.example.com', 'uri', 'http://example.com'],
    ['https://accounts.example.com', 'uri', 'https://com'],
    ['https://accounts.example.com', 'uri', 'example.com'],
    ['https://accounts.example.com', 'uri', 'https://example.com/path'],
    ['https://accounts.example.com', 'uri', 'https://example.com/'],
    ['https://accounts.example.com', 'uri', 'https://user@example.com'],
    ['https://accounts.example.com', 'uri', 'https://EXAMPLE.com'],
    ['https://accounts.example.com', 'uri', 'https://badexample.com'],
    ['https://10.1.2.3', 'uri', 'https://99.9.2.3'],
    ['https://10.1.2.3', 'username', '99.9.2.3'],
    ['https://accounts.example.com', 'username', 'example.org'],
    ['https://accounts.example.com', 'username', 'https://example.com'],
    ['https://accounts.example.com', 'username', 'example.com!x'],
    ['https://accounts.example.com', 'username', 'com'],
    ['https://localhost', 'username', 'otherhost'],
  ])('of %s, type %s, is never %s', (url, type, domain) => {
    expect(refusal(one(url, `type: ${type}`, `subject-domain: ${domain}`))).toContain('subject-domain')
  })

  it('has to be there', () => {
    expect(refusal(one('https://a.test', 'type: uri'))).toContain('needs a subject-domain')
    expect(refusal(one('https://a.test', 'type: username'))).toContain('needs a subject-domain')
  })
})

describe('a family of issuers (GHSA-59jp-pj84-45mr)', () => {
  const { find } = read(
    `${family('https://oidc.eks.*.amazonaws.com/id/*', 'type: kubernetes')}  https://token.actions.githubusercontent.com/*:\n    type: github-workflow\n` +
      one('https://token.actions.githubusercontent.com/special', 'type: email'),
  )

  it('has the issuers that its pattern matches', () => {
    expect(find('https://oidc.eks.us-west-2.amazonaws.com/id/B02C_93-x')?.type).toBe('kubernetes')
    expect(find('https://token.actions.githubusercontent.com/acme')?.type).toBe('github-workflow')
  })

  it('gives way to an issuer that is named exactly', () => {
    expect(find('https://token.actions.githubusercontent.com/special')?.type).toBe('email')
  })

  it.each([
    'https://evil.test?https://oidc.eks.us.amazonaws.com/id/x',
    'https://evil.test/https://oidc.eks.us.amazonaws.com/id/x',
    'https://evil.test#https://oidc.eks.us.amazonaws.com/id/x',
    'https://oidc.eks.us.amazonaws.com/id/x@evil.test',
    'https://oidc.eks.us.amazonaws.com/id/x/../../evil',
    'https://oidc.eks.us.amazonaws.com/id/..',
    'https://oidc.eks.us.amazonaws.com/id/x?y',
    'https://oidc.eks.us.amazonaws.com/id/x#y',
    'https://oidc.eks.us.amazonaws.com/id/x/',
    'https://oidc.eks.us.amazonaws.com/id/',
    'https://oidc.eks.us.amazonaws.com/id/x/y',
    'https://oidc.eks.us.amazonaws.com:8443/id/x',
    'https://user@oidc.eks.us.amazonaws.com/id/x',
    'https://user:password@oidc.eks.us.amazonaws.com/id/x',
    'https://oidc.eks.evil.test/.amazonaws.com/id/x',
    'https://oidc.eks.evil.test%2f.amazonaws.com/id/x',
    'https://oidc.eks.a.b.amazonaws.com/id/x',
    'https://oidc.eks..amazonaws.com/id/x',
    'https://oidcXeks.us.amazonaws.com/id/x',
    'https://oidc.eks.us.amazonawsXcom/id/x',
    'https://oidc.eks.us.amazonaws.com/id/x\n',
    '\nhttps://oidc.eks.us.amazonaws.com/id/x',
    'https://evil.test\nhttps://oidc.eks.us.amazonaws.com/id/x',
    ' https://oidc.eks.us.amazonaws.com/id/x',
    'https://oidc.eks.us.amazonaws.com/id/é',
    'https://oidc.eks.us.amazonaws.com/id/x\u0000',
    'http://oidc.eks.us.amazonaws.com/id/x',
    'HTTPS://oidc.eks.us.amazonaws.com/id/x',
    'https:\\\\oidc.eks.us.amazonaws.com/id/x',
    'https://token.actions.githubusercontent.com',
    'https://token.actions.githubusercontent.com/',
    'https://token.actions.githubusercontent.com/.',
    'https://token.actions.githubusercontent.com/special ',
    'https://token.actions.githubusercontent.com/%2e%2e',
    '',
  ])('has no issuer %j', (url) => {
    expect(find(url)).toBeUndefined()
  })
})
