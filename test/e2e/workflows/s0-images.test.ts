/** S0, signatures for Carvel's artifacts: its images and bundles of packages. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findPeer } from '../../interop/peer.ts'
import type { RealRegistry } from '../../support/registries.ts'
import { missingRegistries, startDockerRegistry, startReferrersRegistry } from '../../support/registries.ts'
import { anyJob, githubIssuer, jobOf } from './github-actions.ts'
import { checks, question } from './printed.ts'
import type { Shell } from './shell.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { runJob } from './workflow-job.ts'

const isMissing = missingRegistries().length > 0
const crane = findPeer('crane')
let stage: Stage
let shell: Shell
let registry: RealRegistry
let referrers: RealRegistry

beforeAll(async () => {
  if (isMissing) return
  registry = await startDockerRegistry()
  referrers = await startReferrersRegistry()
  stage = await openStage(registry)
  ;({ shell } = stage)
  if (crane !== undefined) shell.install('crane', crane)
})
afterAll(async () => {
  await stage?.stop()
  await referrers?.stop()
})

const repository = 'ghcr.io/carvel-dev/kapp-controller'
const release = (owner = 'carvel-dev'): string => `${owner}/kapp-controller/.github/workflows/release.yml@refs/tags/v0.46.0`
const sign = (digest: string): string => `cosign sign ${repository}@${digest}`
const tags = (name: string): Promise<readonly string[]> => stage.repository(name).tags()
const verify = (image: string): string =>
  `cosign verify ${image} --certificate-identity-regexp=https://github.com/carvel-dev --certificate-oidc-issuer=https://token.actions.githubusercontent.com`

describe.skipIf(isMissing)('an image by its digest', () => {
  it('0.1 is signed without a key, and the signature is in its repository', async () => {
    const digest = await stage.push(`${repository}:v1`)
    const signed = await shell.run(sign(digest), { env: jobOf(release()) })
    expect(signed).toMatchObject({ exitCode: 0, stdout: '' })
    expect(signed.stderr).toMatch(
      /^Generating ephemeral keys\.\.\.\nRetrieving signed certificate\.\.\.\nSuccessfully verified SCT\.\.\.\nSigning artifact\.\.\.\ntlog entry created with index: \d+\nPushing signature to: ghcr\.io\/carvel-dev\/kapp-controller\n$/,
    )
    expect(await tags(repository)).toContain(digest.replace(':', '-'))
  })

  it('0.1 is signed for cosign 2, after its question', async () => {
    const digest = await stage.push(`${repository}:v2`)
    const line = `${sign(digest)} --new-bundle-format=false`
    expect((await shell.run(line, { env: jobOf(release()), typed: [[question, 'n']] })).exitCode).toBe(1)
    expect(await tags(repository)).not.toContain(`${digest.replace(':', '-')}.sig`)
    expect((await shell.run(line, { env: jobOf(release()), typed: [[question, 'y']] })).exitCode).toBe(0)
    expect(await tags(repository)).toContain(`${digest.replace(':', '-')}.sig`)
  })

  it('0.1 is not signed in a job that may not have a token, and an image that is not there is not signed at all', async () => {
    const digest = await stage.push(`${repository}:v3`)
    const forbidden = await shell.run(sign(digest), { env: anyJob })
    expect(forbidden.exitCode).toBe(1)
    expect(forbidden.stderr).toContain('lacks the permission id-token: write')
    expect((await shell.run(verify(`${repository}@${digest}`))).exitCode).toBe(10)
    const nothing = await shell.run(sign(`sha256:${'0'.repeat(64)}`), { env: jobOf(release()) })
    expect(nothing.exitCode).toBe(1)
    expect(nothing.stderr).not.toContain('tlog entry created')
  })

  for (const [where, format] of [
    ['docker-registry', ''],
    ['docker-registry', ' --new-bundle-format=false'],
    ['referrers-registry', ''],
  ] as const) {
    it(`0.2, 0.12 is verified where it is, in ${where}${format}`, async () => {
      stage.lead(where === 'docker-registry' ? registry : referrers)
      const digest = await stage.push(`${repository}:verified-${format.length}`)
      const line = verify(`${repository}@${digest}`)
      expect((await shell.run(line)).exitCode).toBe(10)
      const signed = await shell.run(`${sign(digest)} --yes${format}`, { env: jobOf(release()) })
      expect(signed.exitCode, signed.stderr).toBe(0)
      const verified = await shell.run(line)
      stage.lead(registry)
      expect(verified.exitCode, verified.stderr).toBe(0)
      for (const check of checks) expect(verified.stderr.split('\n')).toContain(check)
      expect(JSON.parse(verified.stdout)).toMatchObject([
        {
          // A bundle does not say under which name the image was signed: it is the one that was asked for then, as in cosign 3.
          critical: {
            identity: { 'docker-reference': format === '' ? `${repository}@${digest}` : repository },
            image: { 'docker-manifest-digest': digest },
          },
          optional: { Issuer: githubIssuer, Subject: expect.stringMatching(/^https:\/\/github\.com\/carvel-dev\//) },
        },
      ])
    })
  }

  it('0.2 is refused for what another organisation has signed, and for another issuer', async () => {
    const digest = await stage.push(`${repository}:other`)
    expect((await shell.run(`${sign(digest)} --yes`, { env: jobOf(release('somebody-else')) })).exitCode).toBe(0)
    const line = verify(`${repository}@${digest}`)
    expect(await shell.run(line)).toMatchObject({ exitCode: 12, stdout: '' })
    const loose = line.replace('carvel-dev --', 'somebody-else --')
    expect(await shell.run(loose)).toMatchObject({ exitCode: 0 })
    expect(await shell.run(loose.replace(githubIssuer, 'https://accounts.google.com'))).toMatchObject({ exitCode: 12, stdout: '' })
  })

  it.each([
    'ghcr.io/carvel-dev/kapp-controller',
    'ghcr.io/carvel-dev/kapp-controller-package-bundle',
    'ghcr.io/carvel-dev/secretgen-controller',
    'ghcr.io/carvel-dev/secretgen-controller-package-bundle',
    'ghcr.io/vmware-tanzu/carvel-docker-image',
  ])('0.11 %s is signed under the tag that imgpkg takes along, and verified', async (name) => {
    const digest = await stage.push(`${name}:v0.46.0`)
    const line = `cosign sign --yes --new-bundle-format=false ${name}@${digest}`
    expect((await shell.run(line, { env: jobOf(release()) })).exitCode).toBe(0)
    expect(await tags(name)).toContain(`${digest.replace(':', '-')}.sig`)
    expect(await shell.run(verify(`${name}@${digest}`))).toMatchObject({ exitCode: 0 })
    const unsigned = await stage.push(`${name}:unsigned`)
    expect(await shell.run(verify(`${name}@${unsigned}`))).toMatchObject({ exitCode: 10, stdout: '' })
  })
})

describe.skipIf(isMissing || crane === undefined)('the workflow of a release', () => {
  const workflow = `
name: Release
on: push
env:
  REGISTRY: ghcr.io
  IMAGE_NAME: carvel-dev/kapp-controller
  VERSION: \${{ github.sha }}
jobs:
  release:
    name: Release
    runs-on: ubuntu-22.04
    permissions:
      contents: read
      packages: write
      id-token: write
    steps:
      - name: Set up Cosign
        uses: sigstore/cosign-installer@v3
      - name: Set up OCI Tools
        uses: buildpacks/github-actions/setup-tools@v5.4.0
      - name: Sign container image
        run: |
          IMAGE_DIGEST="$(crane digest \${REGISTRY}/\${IMAGE_NAME}:\${VERSION})"
          cosign sign --yes "\${REGISTRY}/\${IMAGE_NAME}@\${IMAGE_DIGEST}"
      - name: Verify signature on container image
        run: |
          cosign verify \\
            \${{ env.REGISTRY }}/\${{ env.IMAGE_NAME }}:\${{ env.VERSION }} \\
            --certificate-identity-regexp=https://github.com/carvel-dev \\
            --certificate-oidc-issuer=https://token.actions.githubusercontent.com
`
  const run = async (sha: string, { owner, yaml = workflow }: { readonly owner?: string; readonly yaml?: string } = {}) => {
    const digest = await stage.push(`${repository}:${sha}`)
    const { steps } = await runJob(shell, yaml, 'release', { workflow: release(owner), values: { 'github.sha': sha } })
    return { digest, signed: steps['Sign container image'], verified: steps['Verify signature on container image'] }
  }

  it('0.6 signs by digest and verifies by tag', async () => {
    const { digest, signed, verified } = await run('1a2b3c')
    expect(signed).toMatchObject({ exitCode: 0, stdout: '' })
    expect(signed?.stderr).not.toContain('uses a tag')
    expect(verified?.exitCode, verified?.stderr).toBe(0)
    expect(verified?.stderr).toContain(`Verification for ${repository}:1a2b3c --\n`)
    expect(JSON.parse(verified?.stdout ?? '')).toMatchObject([{ critical: { image: { 'docker-manifest-digest': digest } } }])
  })

  it('0.6 refuses what another organisation has built', async () => {
    const { signed, verified } = await run('4d5e6f', { owner: 'carvel-fork' })
    expect(signed).toMatchObject({ exitCode: 0 })
    expect(verified).toMatchObject({ exitCode: 12, stdout: '' })
  })

  it('0.6 refuses a tag that was moved', async () => {
    const moved = 'crane copy ${REGISTRY}/${IMAGE_NAME}:v3 ${REGISTRY}/${IMAGE_NAME}:${VERSION}'
    const yaml = workflow.replace(/( *)(cosign sign --yes.*)/, `$1$2\n$1${moved.replaceAll('$', '$$$$')}`)
    await stage.push(`${repository}:v3`)
    expect((await run('7a8b9c', { yaml })).verified).toMatchObject({ exitCode: 10, stdout: '' })
  })

  it('0.6 signs nothing without the permission', async () => {
    const { signed, verified } = await run('0d1e2f', { yaml: workflow.replace('id-token: write', 'id-token: none') })
    expect(signed).toMatchObject({ exitCode: 1 })
    expect(signed?.stderr).toContain('lacks the permission id-token: write')
    expect(verified).toBeUndefined()
  })
})
