/** S2, a proof of concept with images and charts: verifying what one builds on, signing and verifying what one has built. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findFile, findPeer } from '../../interop/peer.ts'
import type { RealRegistry } from '../../support/registries.ts'
import { missingRegistries, startDockerRegistry } from '../../support/registries.ts'
import { githubIssuer, jobOf } from './github-actions.ts'
import type { Shell } from './shell.ts'
import type { Stage } from './stage.ts'
import { openStage, publicTrust, signOnPublicInstance } from './stage.ts'
import type { JobEnding } from './workflow-job.ts'
import { runJob } from './workflow-job.ts'

const isMissing = missingRegistries().length > 0
const jq = findFile(['/usr/bin/jq'], 'rows that pipe into jq need it: apt-get install jq') === undefined ? '' : ' | jq .'
const helm = findPeer('helm')
let stage: Stage
let shell: Shell
let registry: RealRegistry

beforeAll(async () => {
  if (isMissing) return
  registry = await startDockerRegistry()
  stage = await openStage(registry)
  ;({ shell } = stage)
  if (helm !== undefined) shell.install('helm', helm)
})
afterAll(async () => {
  if (isMissing) return
  await stage.stop()
  await registry.stop()
})

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

/** The jobs of the two workflows that sign and verify; what they sign comes from the jobs before them. */
const workflow = `
jobs:
  sign:
    needs: build
    permissions:
      contents: none
      packages: write
      id-token: write
    steps:
      - uses: sigstore/cosign-installer@v3
      - name: Sign container
        run: cosign sign --yes -a "imageRef=\${{ github.ref }}" \${{ needs.build.outputs.image }}
  sign-helm:
    needs: release-helm
    permissions:
      contents: none
      packages: write
      id-token: write
    steps:
      - uses: sigstore/cosign-installer@v3
      - name: Sign chart
        run: cosign sign --yes -a "chartVersion=\${{ needs.release-helm.outputs.chartVersion }}" \${{ needs.release-helm.outputs.chart }}
`

interface Build {
  readonly digest: string
  readonly version: string
  readonly workflow?: string
  readonly yaml?: string
}

const signImage = ({ digest, version, workflow: file = 'build.yaml', yaml = workflow }: Build): Promise<JobEnding> =>
  runJob(shell, yaml, 'sign', {
    workflow: `${app}/.github/workflows/${file}@refs/tags/${version}`,
    values: { 'github.ref': `refs/tags/${version}`, 'needs.build.outputs.image': `ghcr.io/${app}@${digest}` },
  })

const signChart = ({ digest, version, workflow: file = 'helm-release.yaml', yaml = workflow }: Build): Promise<JobEnding> =>
  runJob(shell, yaml, 'sign-helm', {
    workflow: `${app}/.github/workflows/${file}@refs/heads/main`,
    values: {
      'needs.release-helm.outputs.chartVersion': version,
      'needs.release-helm.outputs.chart': `ghcr.io/${app}-helm@${digest}`,
    },
  })

const verifyImage = `cosign verify --certificate-identity-regexp https://github.com/michaelvl/cosign-oci-poc/.github/workflows/build.yaml@refs/.* --certificate-oidc-issuer https://token.actions.githubusercontent.com -a "imageRef=refs/tags/$IMAGE_SEMVER_EXPECTED"  ghcr.io/michaelvl/cosign-oci-poc@$IMAGE_DIGEST`
const verifyChart = `cosign verify --certificate-identity-regexp https://github.com/michaelvl/cosign-oci-poc/.github/workflows/helm-release.yaml@refs/.* --certificate-oidc-issuer https://token.actions.githubusercontent.com -a "chartVersion=$CHART_SEMVER_EXPECTED" ghcr.io/michaelvl/cosign-oci-poc-helm@$CHART_DIGEST`

describe.skipIf(isMissing).each([
  {
    rows: ['2.4, 2.2', '2.2', '2.4'],
    what: 'image',
    repository: `ghcr.io/${app}`,
    sign: signImage,
    verify: verifyImage,
    variables: ['IMAGE_SEMVER_EXPECTED', 'IMAGE_DIGEST'],
    annotation: (version: string) => ({ imageRef: `refs/tags/${version}` }),
  },
  {
    rows: ['2.4, 2.3', '2.3', '2.4'],
    what: 'chart',
    repository: `ghcr.io/${app}-helm`,
    sign: signChart,
    verify: verifyChart,
    variables: ['CHART_SEMVER_EXPECTED', 'CHART_DIGEST'],
    annotation: (version: string) => ({ chartVersion: version }),
  },
])('an $what of its own', ({ rows: [both = '', verifying = '', signing = ''], repository, sign, verify, variables, annotation }) => {
  const [semver = '', digestVariable = ''] = variables
  const run = (line: string, version: string, digest: string) => shell.run(line, { env: { [semver]: version, [digestVariable]: digest } })

  it(`${both} is signed with its version, and verified by it`, async () => {
    const digest = await stage.push(`${repository}:0.5.0`)
    const { steps } = await sign({ digest, version: '0.5.0' })
    expect(Object.values(steps)).toMatchObject([{ exitCode: 0, stdout: '' }])
    const verified = await run(`${verify}${jq}`, '0.5.0', digest)
    expect(verified.exitCode, verified.stderr).toBe(0)
    expect(verified.stderr).toContain('  - The specified annotations were verified.\n')
    expect(JSON.parse(verified.stdout)).toMatchObject([
      { critical: { image: { 'docker-manifest-digest': digest } }, optional: annotation('0.5.0') },
    ])
  })

  it(`${verifying} is refused as another version, and another digest as this one`, async () => {
    const digest = await stage.push(`${repository}:0.6.0`)
    await sign({ digest, version: '0.6.0' })
    const [name = '', value = ''] = Object.entries(annotation('0.7.0'))[0] ?? []
    const wrong = await run(verify, '0.7.0', digest)
    expect(wrong).toMatchObject({ exitCode: 12, stdout: '' })
    expect(wrong.stderr).toContain(`missing or incorrect annotation: "${name}" should be`)
    expect(wrong.stderr).toContain(value)
    const unsigned = await stage.push(`${repository}:0.7.0`)
    expect(await run(verify, '0.6.0', unsigned)).toMatchObject({ exitCode: 10, stdout: '' })
  })

  it(`${verifying} is refused where another workflow has signed it`, async () => {
    const digest = await stage.push(`${repository}:0.8.0`)
    const { steps } = await sign({ digest, version: '0.8.0', workflow: 'pull-request.yaml' })
    expect(Object.values(steps)).toMatchObject([{ exitCode: 0 }])
    expect(await run(verify, '0.8.0', digest)).toMatchObject({ exitCode: 12, stdout: '' })
  })

  it(`${signing} is not signed in a job without the permission`, async () => {
    const digest = await stage.push(`${repository}:0.9.0`)
    const { steps } = await sign({ digest, version: '0.9.0', yaml: workflow.replaceAll('id-token: write', 'id-token: none') })
    const [step] = Object.values(steps)
    expect(step).toMatchObject({ exitCode: 1 })
    expect(step?.stderr).toContain('lacks the permission id-token: write')
    expect(await run(verify, '0.9.0', digest)).toMatchObject({ exitCode: 10, stdout: '' })
  })
})

describe.skipIf(isMissing || helm === undefined)('a chart of Helm', () => {
  const release = `
jobs:
  release-helm:
    permissions:
      contents: read
      packages: write
      id-token: none
    steps:
      - name: Save
        run: helm package charts/cosign-oci-poc
      - name: Publish
        id: push
        run: |
          VERSION=$(awk -F ': *' '/^version/ {print $2}' charts/cosign-oci-poc/Chart.yaml)
          helm push "cosign-oci-poc-helm-$VERSION.tgz" oci://ghcr.io/michaelvl 2>&1 | tee helm-push-out.txt
          echo "version=$VERSION" >> $GITHUB_OUTPUT
          echo "digest=$(awk '/Digest/ {print $2}' helm-push-out.txt)" >> $GITHUB_OUTPUT
    outputs:
      version: \${{ steps.push.outputs.version }}
      digest: \${{ steps.push.outputs.digest }}
`

  it('2.5, 2.4, 2.3 is packaged and pushed, and then signed and verified by the digest that Helm printed', async () => {
    shell.write('charts/cosign-oci-poc/Chart.yaml', 'apiVersion: v2\nname: cosign-oci-poc-helm\ntype: application\nversion: 0.1.0\n')
    shell.write('charts/cosign-oci-poc/templates/service.yaml', 'apiVersion: v1\nkind: Service\nmetadata:\n  name: app\n')
    const { steps, outputs } = await runJob(shell, release, 'release-helm', {
      workflow: `${app}/.github/workflows/helm-release.yaml@refs/heads/main`,
    })
    expect(steps['Publish']?.exitCode, steps['Publish']?.stdout).toBe(0)
    const { version = '', digest = '' } = outputs
    expect({ version, digest }).toEqual({ version: '0.1.0', digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) })
    const verify = (semver: string) => shell.run(verifyChart, { env: { CHART_SEMVER_EXPECTED: semver, CHART_DIGEST: digest } })
    expect(await verify(version)).toMatchObject({ exitCode: 10, stdout: '' })
    expect(Object.values((await signChart({ digest, version })).steps)).toMatchObject([{ exitCode: 0 }])
    expect(await verify(version)).toMatchObject({ exitCode: 0 })
    expect(await verify('0.2.0')).toMatchObject({ exitCode: 12, stdout: '' })
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
