/** S1, an article on digital signatures: images and files in a registry, by an identity and by a key. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { machineEmail, user } from '../../interop/server/private-sigstore.ts'
import { missingRegistries, startDockerRegistry } from '../../support/registries.ts'
import { checks, expectInOrder } from './printed.ts'
import type { Shell } from './shell.ts'
import type { Stage } from './stage.ts'
import { openStage, publicTrust, signOnPublicInstance } from './stage.ts'
import { runJob } from './workflow-job.ts'

const isMissing = missingRegistries().length > 0
let stage: Stage
let shell: Shell

beforeAll(async () => {
  if (isMissing) return
  stage = await openStage(await startDockerRegistry())
  ;({ shell } = stage)
})
afterAll(() => stage?.stop())

describe.skipIf(isMissing)('an image without a tag', () => {
  const line =
    'cosign verify --certificate-identity jasadi@d2iq.com --certificate-oidc-issuer https://github.com/login/oauth ghcr.io/azhovan/hello'

  it('1.6 is that with the tag latest', async () => {
    const name = 'ghcr.io/azhovan/hello'
    const digest = await stage.push(`${name}:latest`)
    await signOnPublicInstance(stage, { name, digest, email: 'jasadi@d2iq.com', issuer: 'https://github.com/login/oauth' })
    const verified = await shell.run(line, { env: publicTrust(stage) })
    expect(verified.exitCode, verified.stderr).toBe(0)
    expect(verified.stderr).toContain(['', `Verification for ${name}:latest --`, ...checks, ''].join('\n'))
    expect(JSON.parse(verified.stdout)).toMatchObject([
      {
        critical: {
          identity: { 'docker-reference': name },
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
  })

  it.each([
    ['another person', 'jasadi@d2iq.com', 'eve@d2iq.com'],
    ['another issuer', 'https://github.com/login/oauth', 'https://accounts.google.com'],
  ])('1.6 is refused for %s', async (_, printed, other) => {
    expect(await shell.run(line.replace(printed, other), { env: publicTrust(stage) })).toMatchObject({ exitCode: 12, stdout: '' })
  })

  it('1.6 is refused where the instance is not trusted', async () => {
    expect(await shell.run(line)).toMatchObject({ exitCode: 12, stdout: '' })
  })
})

describe.skipIf(isMissing)('a program in a registry', () => {
  const verifyAs = (email: string): string =>
    `cosign verify --certificate-identity ${email} --certificate-oidc-issuer ${stage.sigstore.issuer} ghcr.io/azhovan/main`
  const upload = 'cosign upload blob -f main ghcr.io/azhovan/main'
  const main = (text: string): void => shell.write('main', Buffer.from(`\u007fELF\u0002\u0001\u0001\u0000${text}`))

  it('1.7 is uploaded, and its digest printed', async () => {
    expect((await shell.run(upload)).exitCode).toBe(1)
    main('this is test ')
    const uploaded = await shell.run(upload)
    expect(uploaded.exitCode, uploaded.stderr).toBe(0)
    expect(uploaded.stdout).toMatch(/^ghcr\.io\/azhovan\/main@sha256:[0-9a-f]{64}\n$/)
    expectInOrder(uploaded.stderr, [
      'Uploading file from [main] to [ghcr.io/azhovan/main:latest] with media type [application/octet-stream]\n',
      'Uploaded image to:\n',
    ])
  })

  it('1.7 is not uploaded where a digest says what is there', async () => {
    const refused = await shell.run(`${upload}@sha256:${'0'.repeat(64)}`)
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.stderr).toContain('name a tag')
  })

  it('1.8 is signed as an image is, and what replaces it is not', async () => {
    const signed = await shell.run('cosign sign ghcr.io/azhovan/main', { env: { SIGSTORE_ID_TOKEN: await stage.sigstore.token() } })
    expect(signed.exitCode, signed.stderr).toBe(0)
    expect(signed.stderr).toContain('Pushing signature to: ghcr.io/azhovan/main\n')
    expect(await shell.run(verifyAs(machineEmail))).toMatchObject({ exitCode: 0 })
    expect(await shell.run(verifyAs(user.email))).toMatchObject({ exitCode: 12, stdout: '' })
    main('this is another')
    await shell.run(upload)
    expect(await shell.run(verifyAs(machineEmail))).toMatchObject({ exitCode: 10, stdout: '' })
  })
})

describe.skipIf(isMissing)('the workflow with a key', () => {
  const workflow = `
jobs:
  build:
    steps:
      - uses: sigstore/cosign-installer@main
      - name: Write signing key to disk (only needed for \`cosign sign --key\`)
        run: echo "\${{ secrets.COSIGN_PRIVATE_KEY }}" > cosign.key
      - name: Sign container image
        run: |
          cosign sign --key cosign.key \\
            -a "workflow=\${{ github.workflow }}" \\
            -a "repo=\${{ github.repository }}" \\
            ghcr.io/your-org/your-repo:some-tag
        env:
          COSIGN_PASSWORD: \${{ secrets.COSIGN_PASSWORD }}
`
  const image = 'ghcr.io/your-org/your-repo:some-tag'
  const verify = `cosign verify --key cosign.pub -a "workflow=Release images" -a "repo=your-org/your-repo" ${image}`
  const run = async (password: string) => {
    const values = {
      'secrets.COSIGN_PRIVATE_KEY': shell.read('kept.key'),
      'secrets.COSIGN_PASSWORD': password,
      'github.workflow': 'Release images',
      'github.repository': 'your-org/your-repo',
    }
    const { steps } = await runJob(shell, workflow, 'build', {
      workflow: 'your-org/your-repo/.github/workflows/a.yml@refs/heads/main',
      values,
    })
    return steps['Sign container image']
  }

  beforeAll(async () => {
    await stage.push(image)
    expect((await shell.run('cosign generate-key-pair', { env: { COSIGN_PASSWORD: 'a secret of the repository' } })).exitCode).toBe(0)
    await shell.run('mv cosign.key kept.key')
  })

  it('1.13 does not sign with a wrong password, and does not ask for one', async () => {
    const refused = await run('a wrong one')
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused?.stderr).not.toContain('Enter password')
    expect(await shell.run(verify)).toMatchObject({ exitCode: 10, stdout: '' })
  })

  it('1.13 signs with the key and the annotations', async () => {
    const signed = await run('a secret of the repository')
    expect(signed?.exitCode, signed?.stderr).toBe(0)
    expect(signed?.stderr).not.toMatch(/Enter password|\[y\/N\]/)
    const verified = await shell.run(verify)
    expect(verified.exitCode, verified.stderr).toBe(0)
    expect(verified.stderr).toContain('  - The specified annotations were verified.\n')
    expect(JSON.parse(verified.stdout)).toMatchObject([{ optional: { workflow: 'Release images', repo: 'your-org/your-repo' } }])
  })

  it('1.13 is refused with another annotation, and with another key', async () => {
    expect(await shell.run(verify.replace('your-org/your-repo"', 'your-org/another"'))).toMatchObject({ exitCode: 12, stdout: '' })
    await shell.run('mv cosign.pub kept.pub; cosign generate-key-pair', { env: { COSIGN_PASSWORD: 'x' }, typed: [['[y/N] ', 'y']] })
    expect(await shell.run(verify)).toMatchObject({ exitCode: 12, stdout: '' })
  })
})
