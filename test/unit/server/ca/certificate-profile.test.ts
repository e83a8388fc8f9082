/** Certificates field by field, as Fulcio's certificate specification has them, read by our parser, by openssl and by pkijs. */
import { webcrypto } from 'node:crypto'
import * as pkijs from 'pkijs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeHex } from '../../../../src/encoding/hex.ts'
import { loadTrustMaterial } from '../../../../src/trust/trust-material.ts'
import { verifyCertificate, verifyScts } from '../../../../src/verify/certificate.ts'
import { parseEmbeddedScts } from '../../../../src/x509/sct.ts'
import type { Issued, TestCa } from '../../../support/certificate-authority.ts'
import { testCa } from '../../../support/certificate-authority.ts'
import type { TestIssuer } from '../../../support/foreign-issuer.ts'
import { testIssuer, testWeb } from '../../../support/foreign-issuer.ts'
import type { Openssl } from '../../../support/openssl.ts'
import { createOpenssl, hasOpenssl } from '../../../support/openssl.ts'
import type { KeyKind } from '../../../support/universe/keys.ts'
import { digestOf, namedKey } from '../../../support/universe/keys.ts'
import { epoch, universeOf } from '../../../support/universe/services.ts'

/** An issuer of the configuration, a token of it, and what the certificate for it says. */
interface Case {
  readonly url: string
  /** Of the configuration, beside the URL; a family when it names one. */
  readonly yaml: string
  readonly family?: string
  readonly claims: Readonly<Record<string, unknown>>
  /** What the client signs. */
  readonly challenge: string
  /** The name as openssl prints it. */
  readonly san: string
  /** By the last number of the identifier, all of them. */
  readonly extensions: Readonly<Record<number, string>>
}

const github = {
  sub: 'repo:acme/app:ref:refs/heads/main',
  event_name: 'push',
  sha: 'aaaa',
  workflow: 'Release',
  repository: 'acme/app',
  ref: 'refs/heads/main',
  job_workflow_ref: 'acme/flows/.github/workflows/release.yml@refs/tags/v1',
  job_workflow_sha: 'bbbb',
  runner_environment: 'github-hosted',
  repository_id: '1234567890123',
  repository_owner: 'acme',
  repository_owner_id: 42,
  workflow_ref: 'acme/app/.github/workflows/main.yml@refs/heads/main',
  workflow_sha: 'cccc',
  run_id: 9_007_199_254_740_991,
  run_attempt: 1,
  repository_visibility: 'private',
}

const githubExtensions = (issuer: string): Record<number, string> => ({
  1: issuer,
  2: 'push',
  3: 'aaaa',
  4: 'Release',
  5: 'acme/app',
  6: 'refs/heads/main',
  8: issuer,
  9: 'https://github.com/acme/flows/.github/workflows/release.yml@refs/tags/v1',
  10: 'bbbb',
  11: 'github-hosted',
  12: 'https://github.com/acme/app',
  13: 'aaaa',
  14: 'refs/heads/main',
  15: '1234567890123',
  16: 'https://github.com/acme',
  17: '42',
  18: 'https://github.com/acme/app/.github/workflows/main.yml@refs/heads/main',
  19: 'cccc',
  20: 'push',
  21: 'https://github.com/acme/app/actions/runs/9007199254740991/attempts/1',
  22: 'private',
  24: 'repo:acme/app:ref:refs/heads/main',
})

const gitlab = {
  sub: 'project_path:group/app:ref_type:branch:ref:main',
  ci_config_ref_uri: 'gitlab.com/group/app//.gitlab-ci.yml@refs/heads/main',
  ci_config_sha: 'dddd',
  runner_environment: 'gitlab-hosted',
  project_path: 'group/app',
  sha: 'eeee',
  ref: 'main',
  ref_type: 'branch',
  project_id: '7',
  namespace_path: 'group',
  namespace_id: '8',
  pipeline_source: 'push',
  job_id: '99',
  project_visibility: 'public',
  environment: 'production',
}

const gitlabExtensions = (issuer: string): Record<number, string> => ({
  1: issuer,
  8: issuer,
  9: 'https://gitlab.com/group/app//.gitlab-ci.yml@refs/heads/main',
  10: 'dddd',
  11: 'gitlab-hosted',
  12: 'https://gitlab.com/group/app',
  13: 'eeee',
  14: 'refs/heads/main',
  15: '7',
  16: 'https://gitlab.com/group',
  17: '8',
  18: 'https://gitlab.com/group/app//.gitlab-ci.yml@refs/heads/main',
  19: 'dddd',
  20: 'push',
  21: 'https://gitlab.com/group/app/-/jobs/99',
  22: 'public',
  23: 'production',
  24: 'project_path:group/app:ref_type:branch:ref:main',
})

const circle = (name: string): string => `oidc.circleci.com/${name}`
const circleClaims = {
  sub: 'org/o/project/p/user/u',
  [circle('project-id')]: 'p-1',
  [circle('pipeline-definition-id')]: 'd-1',
  [circle('pipeline-id')]: 'l-1',
  [circle('workflow-id')]: 'w-1',
  [circle('job-id')]: 'j-1',
  [circle('ssh-rerun')]: false,
  [circle('vcs-origin')]: 'github.com/acme/app',
  [circle('vcs-ref')]: 'refs/heads/main',
}
const circleExtensions = {
  1: 'https://circle.test',
  8: 'https://circle.test',
  9: 'https://circleci.com/api/v2/projects/p-1/pipeline-definitions/d-1',
  11: '""',
  12: 'github.com/acme/app',
  14: 'refs/heads/main',
  18: 'https://circleci.com/api/v2/pipeline/l-1/config',
  21: 'https://app.circleci.com//workflow/w-1/job/j-1',
  24: 'org/o/project/p/user/u',
}

const cases: Readonly<Record<string, Case>> = {
  email: {
    url: 'https://email.test',
    yaml: 'type: email',
    claims: { sub: 'user-1', email: 'dev@example.com', email_verified: true },
    challenge: 'dev@example.com',
    san: 'email:dev@example.com',
    extensions: { 1: 'https://email.test', 8: 'https://email.test', 24: 'user-1' },
  },
  'email, of a connector': {
    url: 'https://dex.test/auth',
    yaml: 'type: email\n    issuer-claim: $.federated_claims.connector_id',
    claims: {
      sub: 'Cg',
      email: 'o.hara+tag@example.com',
      email_verified: 'true',
      federated_claims: { connector_id: 'https://github.com/login/oauth', user_id: '1' },
    },
    challenge: 'o.hara+tag@example.com',
    san: 'email:o.hara+tag@example.com',
    extensions: { 1: 'https://github.com/login/oauth', 8: 'https://github.com/login/oauth', 24: 'Cg' },
  },
  'email that nobody verified': {
    url: 'https://adfs.test',
    yaml: 'type: email\n    skip-email-verification: true',
    claims: { sub: 'u', email: 'dev@example.com' },
    challenge: 'dev@example.com',
    san: 'email:dev@example.com',
    extensions: { 1: 'https://adfs.test', 8: 'https://adfs.test', 24: 'u' },
  },
  uri: {
    url: 'https://accounts.uri.test',
    yaml: 'type: uri\n    subject-domain: https://users.uri.test',
    claims: { sub: 'https://users.uri.test/jo?x=1#y', email: 'jo@uri.test' },
    challenge: 'https://users.uri.test/jo?x=1#y',
    san: 'URI:https://users.uri.test/jo?x=1#y',
    extensions: { 1: 'https://accounts.uri.test', 8: 'https://accounts.uri.test', 24: 'https://users.uri.test/jo?x=1#y' },
  },
  username: {
    url: 'https://accounts.name.test',
    yaml: 'type: username\n    subject-domain: name.test',
    claims: { sub: 'jörg' },
    challenge: 'jörg',
    san: 'othername: 1.3.6.1.4.1.57264.1.7::jörg!name.test',
    extensions: { 1: 'https://accounts.name.test', 8: 'https://accounts.name.test', 24: 'jörg' },
  },
  spiffe: {
    url: 'https://spire.test',
    yaml: 'type: spiffe\n    spiffe-trust-domain: prod.test',
    claims: { sub: 'spiffe://prod.test/ns/a/sa/b' },
    challenge: 'spiffe://prod.test/ns/a/sa/b',
    san: 'URI:spiffe://prod.test/ns/a/sa/b',
    extensions: { 1: 'https://spire.test', 8: 'https://spire.test', 24: 'spiffe://prod.test/ns/a/sa/b' },
  },
  kubernetes: {
    url: 'https://oidc.eks.us-west-2.amazonaws.com/id/ABC',
    family: 'https://oidc.eks.*.amazonaws.com/id/*',
    yaml: 'type: kubernetes',
    claims: {
      sub: 'system:serviceaccount:build:signer',
      'kubernetes.io': { namespace: 'build', serviceaccount: { name: 'signer', uid: 'u' }, pod: { name: 'p' } },
    },
    challenge: 'system:serviceaccount:build:signer',
    san: 'URI:https://kubernetes.io/namespaces/build/serviceaccounts/signer',
    extensions: {
      1: 'https://oidc.eks.us-west-2.amazonaws.com/id/ABC',
      8: 'https://oidc.eks.us-west-2.amazonaws.com/id/ABC',
      24: 'system:serviceaccount:build:signer',
    },
  },
  'chainguard-identity': {
    url: 'https://issuer.enforce.test',
    yaml: 'type: chainguard-identity',
    claims: { sub: 'aaaa/bbbb', email: 'dev@example.com' },
    challenge: 'dev@example.com',
    san: 'URI:https://issuer.enforce.test/aaaa/bbbb',
    extensions: { 1: 'https://issuer.enforce.test', 8: 'https://issuer.enforce.test', 24: 'aaaa/bbbb' },
  },
  'GitHub Actions': {
    url: 'https://token.actions.githubusercontent.com',
    yaml: 'type: ci-provider\n    ci-provider: github-workflow',
    claims: github,
    challenge: github.sub,
    san: 'URI:https://github.com/acme/flows/.github/workflows/release.yml@refs/tags/v1',
    extensions: githubExtensions('https://token.actions.githubusercontent.com'),
  },
  'GitHub Actions with an environment, of an enterprise': {
    url: 'https://token.actions.githubusercontent.com/acme',
    family: 'https://token.actions.githubusercontent.com/*',
    yaml: 'type: github-workflow',
    claims: { ...github, environment: 'production' },
    challenge: github.sub,
    san: 'URI:https://github.com/acme/flows/.github/workflows/release.yml@refs/tags/v1',
    extensions: { ...githubExtensions('https://token.actions.githubusercontent.com/acme'), 23: 'production' },
  },
  'a branch on GitLab': {
    url: 'https://gitlab.com',
    yaml: 'type: gitlab-pipeline',
    claims: gitlab,
    challenge: gitlab.sub,
    san: 'URI:https://gitlab.com/group/app//.gitlab-ci.yml@refs/heads/main',
    extensions: gitlabExtensions('https://gitlab.com'),
  },
  'a tag on GitLab': {
    url: 'https://gitlab.test',
    yaml: 'type: ci-provider\n    ci-provider: gitlab-pipeline',
    claims: { ...gitlab, ref: 'v1', ref_type: 'tag' },
    challenge: gitlab.sub,
    san: 'URI:https://gitlab.com/group/app//.gitlab-ci.yml@refs/heads/main',
    extensions: { ...gitlabExtensions('https://gitlab.test'), 14: 'refs/tags/v1' },
  },
  Buildkite: {
    url: 'https://agent.buildkite.test',
    yaml: 'type: buildkite-job',
    claims: {
      sub: 'organization:acme:pipeline:app',
      organization_slug: 'acme',
      pipeline_slug: 'app',
      build_number: 12,
      job_id: 'j-1',
      build_commit: 'ffff',
      build_source: 'webhook',
      runner_environment: 'self-hosted',
    },
    challenge: 'organization:acme:pipeline:app',
    san: 'URI:https://buildkite.com/acme/app',
    extensions: {
      1: 'https://agent.buildkite.test',
      8: 'https://agent.buildkite.test',
      11: 'self-hosted',
      13: 'ffff',
      20: 'webhook',
      21: 'https://buildkite.com/acme/app/builds/12#j-1',
      24: 'organization:acme:pipeline:app',
    },
  },
  Codefresh: {
    url: 'https://codefresh.test',
    yaml: 'type: codefresh-workflow',
    claims: {
      sub: 'account:1:pipeline:2',
      account_name: 'acme',
      account_id: 'a1',
      pipeline_name: 'app/build',
      pipeline_id: 'p1',
      workflow_id: 'w1',
      scm_repo_url: 'https://github.com/acme/app',
      scm_ref: 'main',
      platform_url: 'https://codefresh.acme.test',
    },
    challenge: 'account:1:pipeline:2',
    san: 'URI:https://codefresh.acme.test/acme/app/build:a1/p1',
    extensions: {
      1: 'https://codefresh.test',
      8: 'https://codefresh.test',
      9: 'https://codefresh.acme.test/build/w1',
      12: 'https://github.com/acme/app',
      14: 'main',
      18: 'https://codefresh.acme.test/api/pipelines/p1',
      21: 'https://codefresh.acme.test/build/w1',
      24: 'account:1:pipeline:2',
    },
  },
  CircleCI: {
    url: 'https://circle.test',
    yaml: 'type: ci-provider\n    ci-provider: circleci-job',
    claims: circleClaims,
    challenge: circleClaims.sub,
    san: 'URI:https://circleci.com/api/v2/projects/p-1/pipeline-definitions/d-1',
    extensions: circleExtensions,
  },
  'CircleCI, again over SSH': {
    url: 'https://oidc.circle.test/org/o-1',
    family: 'https://oidc.circle.test/org/*',
    yaml: 'type: ci-provider\n    ci-provider: circleci-job',
    claims: { ...circleClaims, [circle('ssh-rerun')]: true },
    challenge: circleClaims.sub,
    san: 'URI:https://circleci.com/api/v2/projects/p-1/pipeline-definitions/d-1',
    extensions: {
      ...circleExtensions,
      1: 'https://oidc.circle.test/org/o-1',
      8: 'https://oidc.circle.test/org/o-1',
      11: 'ssh-rerun',
    },
  },
  Buddy: {
    url: 'https://oidc.buddy.test',
    yaml: 'type: ci-provider\n    ci-provider: buddy-pipeline',
    claims: {
      sub: 'workspace:acme',
      workspace_domain: 'acme',
      project_name: 'app',
      pipeline_id: 5,
      execution_id: '6',
      runner_environment: 'platform-hosted',
      revision: 'abcd',
      triggered_on: 'PUSH',
      base_url: 'https://app.eu.buddy.works',
    },
    challenge: 'workspace:acme',
    san: 'URI:https://app.eu.buddy.works/acme/app/pipelines/pipeline/5',
    extensions: {
      1: 'https://oidc.buddy.test',
      8: 'https://oidc.buddy.test',
      9: 'https://app.eu.buddy.works/acme/app/pipelines/pipeline/5',
      11: 'platform-hosted',
      12: 'https://app.eu.buddy.works/acme/app',
      13: 'abcd',
      16: 'https://app.eu.buddy.works/acme',
      20: 'PUSH',
      21: 'https://app.eu.buddy.works/acme/app/pipelines/pipeline/5/execution/6',
      24: 'workspace:acme',
    },
  },
}

const names = Object.keys(cases)
const arc = '1.3.6.1.4.1.57264.1'
const sctList = '1.3.6.1.4.1.11129.2.4.2'
const poison = '1.3.6.1.4.1.11129.2.4.3'
const hex = (bytes: Uint8Array | undefined): string => (bytes === undefined ? '' : encodeHex(bytes))
const standard = ['2.5.29.15', '2.5.29.37', '2.5.29.14', '2.5.29.35', '2.5.29.17']

const issuers = new Map<string, TestIssuer>()
const issued = new Map<string, Issued>()
let ca: TestCa
let openssl: Openssl

beforeAll(async () => {
  const sections = (['oidc-issuers', 'meta-issuers'] as const).map((section) => {
    const members = Object.values(cases).filter(({ family }) => (family !== undefined) === (section === 'meta-issuers'))
    return `${section}:\n${members.map(({ url, family, yaml }) => `  ${family ?? url}:\n    ${yaml}\n`).join('')}`
  })
  for (const { url } of Object.values(cases)) issuers.set(url, testIssuer(url, epoch))
  openssl = createOpenssl()
  ca = await testCa({ issuers: sections.join(''), web: testWeb(...issuers.values()) })
  for (const [name, { url, claims, challenge }] of Object.entries(cases)) {
    const token = issuers.get(url)?.token(claims) ?? ''
    issued.set(name, await ca.certify(token, challenge))
  }
})

afterAll(async () => {
  openssl.remove()
  await ca.close()
})

function of(name: string): { readonly expected: Case; readonly certificate: Issued } {
  const expected = cases[name]
  const certificate = issued.get(name)
  if (expected === undefined || certificate === undefined) throw new Error(`there is no ${name}`)
  return { expected, certificate }
}

/** What stands in an OCTET STRING: the bare text up to .6, a UTF8String from .8 on. Written down by hand. */
function extensionValue(number: number, text: string): string {
  const bytes = Buffer.from(text)
  if (number <= 6) return bytes.toString('hex')
  const length = bytes.length < 0x80 ? Buffer.of(bytes.length) : Buffer.of(0x81, bytes.length)
  return Buffer.concat([Buffer.of(0x0c), length, bytes]).toString('hex')
}

describe.each(names)('the certificate for a token of %s', (name) => {
  it('has the extensions of the profile in their order, with their values and no others', () => {
    const { expected, certificate } = of(name)
    const { extensions } = certificate.leaf
    const sigstore = Object.entries(expected.extensions).map(([number, text]) => [`${arc}.${number}`, extensionValue(Number(number), text)])
    expect(extensions.map(({ oid }) => oid)).toEqual([...standard, ...sigstore.map(([oid]) => oid), sctList])
    expect(extensions.filter(({ critical }) => critical).map(({ oid }) => oid)).toEqual(['2.5.29.15', '2.5.29.17'])
    const found = extensions.filter(({ oid }) => oid.startsWith(`${arc}.`)).map(({ oid, value }) => [oid, encodeHex(value)])
    expect(found).toEqual(sigstore)
  })

  it('is of ten minutes from now, with a number of 20 bytes, an empty subject and the key identifiers', () => {
    const { leaf, chain } = of(name).certificate
    expect([leaf.notBefore, leaf.notAfter]).toEqual([epoch, epoch + 600_000])
    expect(leaf.serialNumber).toHaveLength(20)
    expect(leaf.serialNumber[0]).toBeLessThan(0x80)
    expect(leaf.serialNumber[0]).toBeGreaterThan(0)
    expect(encodeHex(leaf.subject)).toBe('3000')
    expect(hex(leaf.issuer)).toBe(hex(chain[0]?.subject))
    expect(leaf.subjectKeyIdentifier).toHaveLength(20)
    // RFC 7093 section 2, method 1; the uncompressed point of a P-256 key is the end of its SubjectPublicKeyInfo.
    expect(hex(leaf.subjectKeyIdentifier)).toBe(hex(digestOf('sha256', leaf.spki.subarray(-65)).subarray(0, 20)))
    expect(hex(leaf.authorityKeyIdentifier)).toBe(hex(chain[0]?.subjectKeyIdentifier))
    expect(leaf.keyUsage).toEqual({ digitalSignature: true, contentCommitment: false, keyCertSign: false })
    expect(leaf.extendedKeyUsage).toEqual(['1.3.6.1.5.5.7.3.3'])
    expect(leaf.basicConstraints).toBeUndefined()
    expect(hex(leaf.spki)).toBe(hex(namedKey('signer').spki))
  })

  it('was logged as a precertificate that differs in the poison only', () => {
    const { leaf, precertificate } = of(name).certificate
    expect(precertificate.extensions.map(({ oid }) => oid)).toEqual([...leaf.extensions.slice(0, -1).map(({ oid }) => oid), poison])
    const last = precertificate.extensions.at(-1)
    expect([last?.critical, encodeHex(last?.value ?? new Uint8Array())]).toEqual([true, '0500'])
    expect(hex(precertificate.tbsHead)).toBe(hex(leaf.tbsHead))
    expect(precertificate.extensions.slice(0, -1).map(({ bytes }) => hex(bytes))).toEqual(
      leaf.extensions.slice(0, -1).map(({ bytes }) => hex(bytes)),
    )
  })

  it('has one SCT of the log, which the verifier takes', () => {
    const { leaf } = of(name).certificate
    expect(parseEmbeddedScts(leaf)).toHaveLength(1)
    const trust = loadTrustMaterial(ca.universe.trustedRoot())
    expect(verifyScts(verifyCertificate(leaf, trust, [epoch]), trust, 1, undefined, [])).toHaveLength(1)
  })

  it.skipIf(!hasOpenssl)('reads in openssl as the profile has it', () => {
    const { expected, certificate } = of(name)
    const file = openssl.file('leaf.pem', certificate.pem[0] ?? '')
    const { output } = openssl.run('x509', '-in', file, '-noout', '-text', '-nameopt', 'utf8')
    expect(output).toContain('Version: 3 (0x2)')
    expect(output).toMatch(/\n {8}Subject: *\n/)
    expect(output).toMatch(/Not Before: Jan 15 12:00:00 2026 GMT\s+Not After : Jan 15 12:10:00 2026 GMT/)
    expect(output).toMatch(/X509v3 Key Usage: critical\s+Digital Signature\n/)
    expect(output).toMatch(/X509v3 Extended Key Usage: *\n\s+Code Signing\n/)
    expect(output).toMatch(/X509v3 Subject Alternative Name: critical\n/)
    expect(output).toContain(`                ${expected.san}\n`)
    expect(output).toMatch(/CT Precertificate SCTs: *\n\s+Signed Certificate Timestamp:\n\s+Version   : v1 \(0x0\)/)
    expect(output.match(/Signed Certificate Timestamp:/g)).toHaveLength(1)
    expect(output).toContain('Timestamp : Jan 15 12:00:00.000 2026 GMT')
  })

  it.skipIf(!hasOpenssl)('verifies in openssl up to the root', () => {
    const [leaf = '', intermediate = '', root = ''] = of(name).certificate.pem
    const files = {
      leaf: openssl.file('leaf.pem', leaf),
      untrusted: openssl.file('untrusted.pem', intermediate),
      root: openssl.file('root.pem', root),
    }
    const verify = (at: number) =>
      openssl.run('verify', '-x509_strict', '-attime', String(at / 1000), '-CAfile', files.root, '-untrusted', files.untrusted, files.leaf)
    expect(verify(epoch).output).toContain('leaf.pem: OK')
    expect(verify(epoch + 601_000).output).toContain('certificate has expired')
  })

  it('verifies in pkijs up to the root', async () => {
    pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto }))
    const { leaf, chain } = of(name).certificate
    const [certificate, ...authorities] = [leaf, ...chain].map(({ bytes }) => pkijs.Certificate.fromBER(Uint8Array.from(bytes)))
    const [intermediate, root] = authorities
    if (certificate === undefined || intermediate === undefined || root === undefined) throw new Error('the chain is too short')
    expect(await certificate.verify(intermediate)).toBe(true)
    expect(await intermediate.verify(root)).toBe(true)
    expect(await root.verify(root)).toBe(true)
    expect(certificate.subject.typesAndValues).toHaveLength(0)
  })
})

describe('certificates', () => {
  it('have numbers that never repeat', () => {
    const numbers = [...issued.values()].map(({ leaf }) => encodeHex(leaf.serialNumber))
    expect(new Set(numbers).size).toBe(numbers.length)
  })

  it('come with the whole chain to the root, in PEM without a last line break', () => {
    for (const { chain, pem } of issued.values()) {
      expect(chain.map(({ bytes }) => hex(bytes))).toEqual(ca.universe.chain.map(({ der }) => hex(der)))
      for (const text of pem) expect(text).toMatch(/^-----BEGIN CERTIFICATE-----\n[^]*\n-----END CERTIFICATE-----$/)
    }
  })

  it.each<KeyKind>(['p256', 'p384', 'p521', 'rsa', 'ed25519'])('are given for keys of the kind %s', async (kind) => {
    const key = namedKey('profile', kind)
    const { claims, url } = of('email').expected
    const { leaf } = await ca.certify(issuers.get(url)?.token(claims) ?? '', 'dev@example.com', key)
    expect(hex(leaf.spki)).toBe(hex(key.spki))
  })

  it.each<[KeyKind, string]>([
    ['p384', 'ecdsa-with-SHA384'],
    ['p521', 'ecdsa-with-SHA512'],
    ['rsa', 'sha256WithRSAEncryption'],
    ['ed25519', 'ED25519'],
  ])('are issued with a key of the kind %s too', async (issuingKey, algorithm) => {
    const other = await testCa({ universe: universeOf({ name: 'ca', issuingKey }) })
    const token = other.issuer.token({ email: 'dev@example.com', email_verified: true })
    const { leaf, pem } = await other.certify(token, 'dev@example.com')
    const trust = loadTrustMaterial(other.universe.trustedRoot())
    expect(verifyScts(verifyCertificate(leaf, trust, [epoch]), trust, 1, undefined, [])).toHaveLength(1)
    if (hasOpenssl) {
      const { output } = openssl.run('x509', '-in', openssl.file('other.pem', pem[0] ?? ''), '-noout', '-text')
      expect(output.match(new RegExp(`Signature Algorithm: ${algorithm}`, 'g'))).toHaveLength(2)
    }
    await other.close()
  })

  it('say nothing of the subject of a token that has none', async () => {
    const { url } = of('email').expected
    const { leaf } = await ca.certify(issuers.get(url)?.token({ email: 'a@b.test', email_verified: true }) ?? '', 'a@b.test')
    expect(leaf.extensions.map(({ oid }) => oid)).not.toContain(`${arc}.24`)
  })
})
