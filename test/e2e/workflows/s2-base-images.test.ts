/** S2, a proof of concept with images and charts: verifying what one builds on, and documents about what one has built. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingRegistries, startDockerRegistry } from '../../support/registries.ts'
import { githubIssuer, jobOf } from './github-actions.ts'
import type { Shell } from './shell.ts'
import type { Stage } from './stage.ts'
import { openStage, publicTrust, signOnPublicInstance } from './stage.ts'

const isMissing = missingRegistries().length > 0
let stage: Stage
let shell: Shell

beforeAll(async () => {
  if (isMissing) return
  stage = await openStage(await startDockerRegistry())
  ;({ shell } = stage)
})
afterAll(() => stage?.stop())

const app = 'michaelvl/cosign-oci-poc'

describe.skipIf(isMissing)('a base image', () => {
  const line =
    'cosign verify gcr.io/distroless/static-debian11:latest --certificate-oidc-issuer https://accounts.google.com  --certificate-identity keyless@distroless.iam.gserviceaccount.com'

  it('2.1 is verified by its service account', async () => {
    const name = 'gcr.io/distroless/static-debian11'
    const digest = await stage.push(`${name}:latest`)
    expect(await shell.run(line, { env: publicTrust(stage) })).toMatchObject({ exitCode: 10, stdout: '' })
    const signer = { email: 'keyless@distroless.iam.gserviceaccount.com', issuer: 'https://accounts.google.com' }
    await signOnPublicInstance(stage, { name, digest, ...signer })
    const verified = await shell.run(line, { env: publicTrust(stage) })
    expect(verified.exitCode, verified.stderr).toBe(0)
    expect(JSON.parse(verified.stdout)).toMatchObject([{ optional: { Issuer: signer.issuer, Subject: signer.email } }])
  })

  it.each([
    ['another account', 'keyless@distroless', 'keyless@kaniko-project'],
    ['another issuer', 'https://accounts.google.com', 'https://token.actions.githubusercontent.com'],
  ])('2.1 is refused for %s', async (_, printed, other) => {
    expect(await shell.run(line.replace(printed, other), { env: publicTrust(stage) })).toMatchObject({ exitCode: 12, stdout: '' })
  })
})

describe.skipIf(isMissing)('documents about an image', () => {
  it('2.6 are verified as signatures are', async () => {
    const digest = await stage.push(`ghcr.io/${app}:attested`)
    shell.write('sbom.json', JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, components: [] }))
    const attested = await shell.run(`cosign attest --yes --type cyclonedx --predicate sbom.json ghcr.io/${app}@${digest}`, {
      env: jobOf(`${app}/.github/workflows/build.yaml@refs/tags/1.2.3`),
    })
    expect(attested.exitCode, attested.stderr).toBe(0)
    const who = `--certificate-identity-regexp https://github.com/${app}/.github/workflows/build.yaml@refs/.* --certificate-oidc-issuer ${githubIssuer}`
    const verified = await shell.run(`cosign verify-attestation --type cyclonedx ${who} ghcr.io/${app}@${digest}`)
    expect(verified.exitCode, verified.stderr).toBe(0)
    const { payload } = JSON.parse(verified.stdout) as { payload: string }
    expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toMatchObject({ predicateType: 'https://cyclonedx.org/bom' })
    const others = who.replace('build.yaml', 'pull-request.yaml')
    expect((await shell.run(`cosign verify-attestation --type cyclonedx ${others} ghcr.io/${app}@${digest}`)).exitCode).not.toBe(0)
    expect((await shell.run(`cosign verify-attestation --type slsaprovenance ${who} ghcr.io/${app}@${digest}`)).exitCode).toBe(1)
    expect((await shell.run(`cosign verify ${who} ghcr.io/${app}@${digest}`)).exitCode).toBe(10)
  })
})
