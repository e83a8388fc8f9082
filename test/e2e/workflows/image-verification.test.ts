/**
 * What people's articles and workflows call to verify images, as it is printed there: each row in a shell, against a private Sigstore that
 * stands in for the public instance, a GitHub that gives jobs their tokens, and a registry in the place of theirs. The numbers are those of the
 * acceptance list.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRepository } from '../../../src/oci/open-repository.ts'
import { storeLayer } from '../../../src/oci/store-signatures.ts'
import { parseBundle } from '../../../src/bundle/bundle.ts'
import { encodeSimpleSigning } from '../../../src/bundle/simple-signing.ts'
import type { StartedSigstore } from '../../interop/server/private-sigstore.ts'
import { startSigstore } from '../../interop/server/private-sigstore.ts'
import { pushImage } from '../../support/images.ts'
import type { RealRegistry } from '../../support/registries.ts'
import { missingRegistries, startDockerRegistry, startReferrersRegistry } from '../../support/registries.ts'
import { signBlob, universeOf } from '../../support/universe/universe.ts'
import type { GitHubActions } from './github-actions.ts'
import { githubIssuer, startGitHubActions } from './github-actions.ts'
import type { Shell, ShellEnding, ShellOptions } from './shell.ts'
import { openShell } from './shell.ts'

const isMissing = missingRegistries().length > 0
const hasJq = spawnSync('jq', ['--version']).status === 0
if (!hasJq) {
  const advice = 'rows with jq need it: apt-get install jq'
  if (process.env['CI'] !== undefined) throw new Error(advice)
  console.warn(`skipped: the pipes into jq, as ${advice}`)
}
const jq = hasJq ? ' | jq .' : ''

let github: GitHubActions
let sigstore: StartedSigstore
let shell: Shell
let registry: RealRegistry
let referrers: RealRegistry

beforeAll(async () => {
  if (isMissing) return
  github = await startGitHubActions()
  sigstore = await startSigstore({ env: { HTTPS_PROXY: github.proxy } })
  const authority = github.authority.trimEnd().replaceAll('\n', '\n      ')
  sigstore.addIssuers(`  ${githubIssuer}:
    issuer-url: ${githubIssuer}
    client-id: sigstore
    type: ci-provider
    ci-provider: github-workflow
    ca-cert: |
      ${authority}
`)
  shell = await openShell(sigstore)
  registry = await startDockerRegistry()
  referrers = await startReferrersRegistry()
})

afterAll(async () => {
  if (isMissing) return
  await registry.stop()
  await referrers.stop()
  await sigstore.stop()
  await github.stop()
})

/** Runs a line as it is printed, but for the registry's name. */
function run(line: string, options?: ShellOptions, host = registry.host): Promise<ShellEnding> {
  return shell.run(line.replaceAll(/\b(?:ghcr\.io|gcr\.io)\b/g, host), options)
}

/** @returns the digest */
async function push(repository: string, tag: string, host = registry.host): Promise<string> {
  return (await pushImage(openRepository(`${host}/${repository}`, { env: {} }), tag, `${repository}:${tag}`)).digest
}

/** Signs as cosign 1 and 2 did, with an identity that an issuer of the public instance vouches for. */
async function signLegacy(repository: string, digest: string, email: string, oidcIssuer: string): Promise<void> {
  const dockerReference = `${registry.host}/${repository}`
  const payload = Buffer.from(encodeSimpleSigning({ dockerReference, dockerManifestDigest: digest }))
  const signed = signBlob({ subjects: [{ email }], oidcIssuer }, payload)
  await storeLayer(openRepository(dockerReference, { env: {} }), digest, {
    kind: 'signature',
    contents: payload,
    entity: parseBundle(signed.json),
  })
}

/** The trust that knows those issuers, for every command of a shell. */
function publicTrust(): ShellOptions {
  writeFileSync(path.join(shell.folder, 'public.json'), universeOf().trustedRoot())
  return { env: { COSIGN_TRUSTED_ROOT: 'public.json' } }
}

const checks = [
  'The following checks were performed on each of these signatures:',
  '  - The cosign claims were validated',
  '  - Existence of the claims in the transparency log was verified offline',
  '  - The code-signing certificate was verified using trusted certificate authority certificates',
]

describe.skipIf(isMissing)('S0: images of Carvel', () => {
  const repository = 'carvel-dev/kapp-controller'
  const job = (workflow = 'release.yml@refs/tags/v0.46.0', owner = 'carvel-dev'): Readonly<Record<string, string>> =>
    github.job(`${owner}/kapp-controller/.github/workflows/${workflow}`)
  const verify = (digest: string): string =>
    `cosign verify ghcr.io/${repository}@${digest} --certificate-identity-regexp=https://github.com/carvel-dev --certificate-oidc-issuer=https://token.actions.githubusercontent.com`

  for (const [where, format] of [
    ['docker-registry', ''],
    ['docker-registry', ' --new-bundle-format=false'],
    ['referrers-registry', ''],
  ] as const) {
    it(`0.2, 0.12 are verified where they are, in ${where}${format}`, async () => {
      const { host } = where === 'docker-registry' ? registry : referrers
      const digest = await push(repository, `v${format.length}`, host)
      expect((await run(verify(digest), {}, host)).exitCode).toBe(10)
      const signed = await run(`cosign sign --yes${format} ghcr.io/${repository}@${digest}`, { env: job() }, host)
      expect(signed.exitCode, signed.stderr).toBe(0)
      const verified = await run(verify(digest), {}, host)
      expect(verified.exitCode, verified.stderr).toBe(0)
      for (const check of checks) expect(verified.stderr.split('\n')).toContain(check)
      expect(JSON.parse(verified.stdout)).toMatchObject([
        {
          critical: { image: { 'docker-manifest-digest': digest } },
          optional: { Issuer: githubIssuer, Subject: expect.stringMatching(/^https:\/\/github\.com\/carvel-dev\//) },
        },
      ])
    })
  }

  it('0.2 is refused for what another organisation has signed', async () => {
    const digest = await push(repository, 'other')
    expect((await run(`cosign sign --yes ghcr.io/${repository}@${digest}`, { env: job(undefined, 'somebody-else') })).exitCode).toBe(0)
    expect(await run(verify(digest))).toMatchObject({ exitCode: 12, stdout: '' })
  })
})

describe.skipIf(isMissing)('S1: an image without a tag', () => {
  it('1.6 is that with the tag latest', async () => {
    const digest = await push('azhovan/hello', 'latest')
    await signLegacy('azhovan/hello', digest, 'jasadi@d2iq.com', 'https://github.com/login/oauth')
    const line =
      'cosign verify --certificate-identity jasadi@d2iq.com --certificate-oidc-issuer https://github.com/login/oauth ghcr.io/azhovan/hello'
    const verified = await run(line, publicTrust())
    expect(verified.exitCode, verified.stderr).toBe(0)
    expect(verified.stderr).toContain(['', `Verification for ${registry.host}/azhovan/hello:latest --`, ...checks, ''].join('\n'))
    expect(JSON.parse(verified.stdout)).toMatchObject([
      {
        critical: {
          identity: { 'docker-reference': `${registry.host}/azhovan/hello` },
          image: { 'docker-manifest-digest': digest },
          type: 'cosign container image signature',
        },
        optional: {
          '1.3.6.1.4.1.57264.1.1': 'https://github.com/login/oauth',
          Bundle: {
            SignedEntryTimestamp: expect.any(String),
            Payload: {
              body: expect.any(String),
              integratedTime: expect.any(Number),
              logIndex: expect.any(Number),
              logID: expect.any(String),
            },
          },
          Issuer: 'https://github.com/login/oauth',
          Subject: 'jasadi@d2iq.com',
        },
      },
    ])
    expect((await run(line.replace('jasadi', 'eve'), publicTrust())).exitCode).toBe(12)
  })
})

describe.skipIf(isMissing)('S2: verifying what one builds on, and what one has built', () => {
  const app = 'michaelvl/cosign-oci-poc'
  const job = (workflow: string): Readonly<Record<string, string>> => github.job(`${app}/.github/workflows/${workflow}@refs/tags/1.2.3`)

  it('2.1 a base image by a service account', async () => {
    const digest = await push('distroless/static-debian11', 'latest')
    await signLegacy('distroless/static-debian11', digest, 'keyless@distroless.iam.gserviceaccount.com', 'https://accounts.google.com')
    const line =
      'cosign verify gcr.io/distroless/static-debian11:latest --certificate-oidc-issuer https://accounts.google.com  --certificate-identity keyless@distroless.iam.gserviceaccount.com'
    const verified = await run(line, publicTrust())
    expect(verified.exitCode, verified.stderr).toBe(0)
    expect(JSON.parse(verified.stdout)).toMatchObject([{ optional: { Issuer: 'https://accounts.google.com' } }])
  })

  for (const [row, repository, workflow, annotation, variables] of [
    ['2.2', app, 'build.yaml', 'imageRef=refs/tags/$IMAGE_SEMVER_EXPECTED', 'IMAGE_SEMVER_EXPECTED'],
    ['2.3', `${app}-helm`, 'helm-release.yaml', 'chartVersion=$CHART_SEMVER_EXPECTED', 'CHART_SEMVER_EXPECTED'],
  ] as const) {
    it(`${row} its own, with an annotation that must be right`, async () => {
      const digest = await push(repository, '1.2.3')
      const said = annotation.replace(/\$.*/, '1.2.3')
      const signed = await run(`cosign sign --yes -a "${said}" ghcr.io/${repository}@${digest}`, { env: job(workflow) })
      expect(signed.exitCode, signed.stderr).toBe(0)
      const line = `cosign verify --certificate-identity-regexp https://github.com/${app}/.github/workflows/${workflow}@refs/.* --certificate-oidc-issuer https://token.actions.githubusercontent.com -a "${annotation}"  ghcr.io/${repository}@$DIGEST`
      const verified = await run(`${line}${jq}`, { env: { [variables]: '1.2.3', DIGEST: digest } })
      expect(verified.exitCode, verified.stderr).toBe(0)
      expect(verified.stderr).toContain('  - The specified annotations were verified.\n')
      const [name = ''] = annotation.split('=')
      expect(JSON.parse(verified.stdout)).toMatchObject([{ optional: { [name]: said.slice(name.length + 1) } }])
      const wrong = await run(line, { env: { [variables]: '9.9.9', DIGEST: digest } })
      expect(wrong).toMatchObject({ exitCode: 12, stdout: '' })
      expect(wrong.stderr).toContain(`missing or incorrect annotation: "${name}" should be`)
    })
  }

  it('2.6 attestations are verified as signatures are', async () => {
    const digest = await push(app, 'attested')
    shell.write('sbom.json', JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, components: [] }))
    const attested = await run(`cosign attest --yes --type cyclonedx --predicate sbom.json ghcr.io/${app}@${digest}`, {
      env: job('build.yaml'),
    })
    expect(attested.exitCode, attested.stderr).toBe(0)
    const who = `--certificate-identity-regexp https://github.com/${app}/.github/workflows/build.yaml@refs/.* --certificate-oidc-issuer https://token.actions.githubusercontent.com`
    const verified = await run(`cosign verify-attestation --type cyclonedx ${who} ghcr.io/${app}@${digest}`)
    expect(verified.exitCode, verified.stderr).toBe(0)
    const { payload } = JSON.parse(verified.stdout) as { payload: string }
    expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toMatchObject({ predicateType: 'https://cyclonedx.org/bom' })
    expect((await run(`cosign verify-attestation --type slsaprovenance ${who} ghcr.io/${app}@${digest}`)).exitCode).toBe(1)
    expect((await run(`cosign verify ${who} ghcr.io/${app}@${digest}`)).exitCode).toBe(10)
  })
})

describe.skipIf(isMissing)('S3: a line of cosign 1', () => {
  it('3.2 without an identity is refused, in the words of cosign since 2.0', async () => {
    await push('st0nez/nginxhello', 'signed')
    const { exitCode, stdout, stderr } = await run(`cosign verify ghcr.io/st0nez/nginxhello:signed`, { env: { COSIGN_EXPERIMENTAL: '1' } })
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toContain(
      'Error: --certificate-identity or --certificate-identity-regexp is required for verification in keyless mode\n',
    )
  })
})
