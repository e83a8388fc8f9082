/** S2, a proof of concept with images and charts: signing and verifying what one has built. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findFile, findPeer } from '../../interop/peer.ts'
import { missingRegistries, startDockerRegistry } from '../../support/registries.ts'
import type { Shell } from './shell.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import type { JobEnding } from './workflow-job.ts'
import { runJob } from './workflow-job.ts'

const isMissing = missingRegistries().length > 0
const jq = findFile(['/usr/bin/jq'], 'rows that pipe into jq need it: apt-get install jq') === undefined ? '' : ' | jq .'
const helm = findPeer('helm')
let stage: Stage
let shell: Shell

beforeAll(async () => {
  if (isMissing) return
  stage = await openStage(await startDockerRegistry())
  ;({ shell } = stage)
  if (helm !== undefined) shell.install('helm', helm)
})
afterAll(() => stage?.stop())

const app = 'michaelvl/cosign-oci-poc'

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

const kinds = {
  '2.2, 2.4 an image of its own': {
    repository: `ghcr.io/${app}`,
    sign: signImage,
    verify: verifyImage,
    variables: ['IMAGE_SEMVER_EXPECTED', 'IMAGE_DIGEST'],
    annotation: (version: string) => ({ imageRef: `refs/tags/${version}` }),
  },
  '2.3, 2.4 a chart of its own': {
    repository: `ghcr.io/${app}-helm`,
    sign: signChart,
    verify: verifyChart,
    variables: ['CHART_SEMVER_EXPECTED', 'CHART_DIGEST'],
    annotation: (version: string) => ({ chartVersion: version }),
  },
}

describe.skipIf(isMissing).each(Object.entries(kinds))('%s', (_, { repository, sign, verify, variables, annotation }) => {
  const [semver = '', digestVariable = ''] = variables
  const run = (line: string, version: string, digest: string) => shell.run(line, { env: { [semver]: version, [digestVariable]: digest } })

  it('is signed with its version, and verified by it', async () => {
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

  it('is refused as another version, and another digest as this one', async () => {
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

  it('is refused where another workflow has signed it', async () => {
    const digest = await stage.push(`${repository}:0.8.0`)
    const { steps } = await sign({ digest, version: '0.8.0', workflow: 'pull-request.yaml' })
    expect(Object.values(steps)).toMatchObject([{ exitCode: 0 }])
    expect(await run(verify, '0.8.0', digest)).toMatchObject({ exitCode: 12, stdout: '' })
  })

  it('is not signed in a job without the permission', async () => {
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
