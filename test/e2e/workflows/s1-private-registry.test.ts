/** S1, an article on digital signatures: an image in a registry that wants a password, signed by somebody in a browser. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findFile } from '../../interop/peer.ts'
import { user } from '../../interop/server/private-sigstore.ts'
import { launchBrowser } from '../../support/chromium.ts'
import type { RealRegistry } from '../../support/registries.ts'
import { missingRegistries, registryUser, startDockerRegistry } from '../../support/registries.ts'
import type { Session } from '../person.ts'
import { jobOf } from './github-actions.ts'
import { checks, expectInOrder } from './printed.ts'
import type { Shell } from './shell.ts'
import { answer, isNobodyThere, signIn, withBrowser } from './somebody.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'

const isMissing = missingRegistries().length > 0
const docker = findFile(['/usr/bin/docker', '/usr/local/bin/docker'], 'row 1.1 needs the client of Docker: apt-get install docker.io')
const logins = docker === undefined ? ['cosign'] : ['cosign', 'docker']

let stage: Stage
let shell: Shell
let registry: RealRegistry
let browser: Browser

beforeAll(async () => {
  if (isMissing) return
  registry = await startDockerRegistry({ password: true })
  stage = await openStage(registry)
  ;({ shell } = stage)
  if (!isNobodyThere) browser = await launchBrowser()
})
afterAll(async () => {
  await browser?.close()
  await stage?.stop()
})

const verifyAs = (email: string, image: string): string =>
  `cosign verify --certificate-identity ${email} --certificate-oidc-issuer ${stage.sigstore.issuer} ${image}`

describe.skipIf(isMissing)('a private registry', () => {
  const login = (program: string): string => `echo $PAT | ${program} login ghcr.io -u ${registryUser.username} --password-stdin`
  const hello = 'ghcr.io/azhovan/hello:latest'

  it.each(logins)('1.1, 1.2 lets in who has logged in with %s', async (program) => {
    await shell.run('rm -rf "$HOME/.docker"')
    await expect(stage.push(hello)).rejects.toThrow('401')
    expect((await shell.run(login(program), { env: { PAT: 'a wrong token' } })).exitCode).toBe(1)
    await expect(stage.push(hello)).rejects.toThrow('401')
    const done = await shell.run(login(program), { env: { PAT: registryUser.password } })
    expect(done.exitCode, done.stderr).toBe(0)
    expect(done.stdout + done.stderr).not.toContain(registryUser.password)
    expect(await stage.push(hello)).toMatch(/^sha256:/)
  })

  it('1.1 does not let anybody sign or verify who has not', async () => {
    const env = { ...jobOf('azhovan/hello/.github/workflows/a.yml@refs/heads/main'), DOCKER_CONFIG: '/nowhere' }
    for (const line of [`cosign sign --yes ${hello}`, verifyAs(user.email, hello)]) {
      const refused = await shell.run(line, { env })
      expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
      expect(refused.stderr).toMatch(/^Error: .*401/m)
    }
  })

  describe.skipIf(isNobodyThere)('somebody in front of a terminal', () => {
    const sign = (image = hello): Session => shell.start(`cosign sign ${image}`, withBrowser)
    const isPrivate =
      /WARNING: "ghcr\.io\/azhovan\/hello" appears to be a private repository, please confirm uploading to the transparency log at "http:\/\/localhost:\d+"/
    const signatures = async (): Promise<number> => {
      const { stdout, exitCode } = await shell.run(`cosign download signature ${hello}`)
      return exitCode === 0 ? stdout.trim().split('\n').length : 0
    }

    it('1.3, 1.5 signs nothing without agreeing', async () => {
      const session = sign()
      await answer(session, isPrivate, 'y')
      await answer(session, /stored permanently in transparency logs\./, 'n')
      const { status, output } = await session.ended
      expect(status).toBe(1)
      expect(output).toContain('Error: user declined the prompt')
      expect(output).not.toContain('Your browser will now be opened')
      expect(await signatures()).toBe(0)
    })

    it('1.3, 1.4, 1.5 agrees twice, signs in, and the signature is pushed', async () => {
      const session = sign()
      await answer(session, isPrivate, 'y')
      await answer(session, /Note that there may be personally identifiable information associated with this signed artifact\./, 'y')
      await signIn(session, browser)
      const { status, output } = await session.ended
      expect(status, output).toBe(0)
      expect(output).toContain('Image reference ghcr.io/azhovan/hello:latest uses a tag, not a digest')
      expectInOrder(output, [
        'Generating ephemeral keys...',
        'Retrieving signed certificate...',
        'This may include the email address associated with the account with which you authenticate.',
        "By typing 'y', you attest that you grant (or have permission to grant) and agree to have this information stored permanently in transparency logs.",
        'Your browser will now be opened to:',
        'Successfully verified SCT...',
        'tlog entry created with index: ',
        'Pushing signature to: ghcr.io/azhovan/hello',
      ])
      expect(await signatures()).toBe(1)
    })

    it('1.6 is who signed, and nobody else', async () => {
      const verified = await shell.run(verifyAs(user.email, 'ghcr.io/azhovan/hello'))
      expect(verified.exitCode, verified.stderr).toBe(0)
      expect(verified.stderr).toContain(['', 'Verification for ghcr.io/azhovan/hello:latest --', ...checks, ''].join('\n'))
      expect(JSON.parse(verified.stdout)).toMatchObject([{ optional: { Issuer: stage.sigstore.issuer, Subject: user.email } }])
      expect(await shell.run(verifyAs('eve@example.com', 'ghcr.io/azhovan/hello'))).toMatchObject({ exitCode: 12, stdout: '' })
    })

    it('1.4 keeps a private image out of the log, and it does not pass for one that is in it', async () => {
      await stage.push('ghcr.io/azhovan/secret:latest')
      const session = sign('ghcr.io/azhovan/secret:latest')
      await answer(session, /appears to be a private repository/, 'n')
      await answer(session, /not uploading to transparency log/, 'y')
      await signIn(session, browser)
      const { status, output } = await session.ended
      expect(status, output).toBe(0)
      expect(output).not.toContain('tlog entry created')
      expect(await shell.run(verifyAs(user.email, 'ghcr.io/azhovan/secret'))).toMatchObject({ exitCode: 12, stdout: '' })
    })

    it('1.4 is asked about a private repository only', async () => {
      const open = await startDockerRegistry()
      stage.lead(open)
      await stage.push(hello)
      const session = sign()
      await answer(session, /Note that there may be personally identifiable information/, 'y')
      await signIn(session, browser)
      const { status, output } = await session.ended
      stage.lead(registry)
      await open.stop()
      expect(status, output).toBe(0)
      expect(output).not.toContain('appears to be a private repository')
    })
  })
})
