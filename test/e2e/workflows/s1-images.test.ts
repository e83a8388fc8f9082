/** S1, an article on digital signatures: images and files in a registry that wants a password, signed by somebody in a browser. */
import { spawnSync } from 'node:child_process'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { user } from '../../interop/server/private-sigstore.ts'
import { isBrowserMissing, launchBrowser } from '../../support/chromium.ts'
import type { RealRegistry } from '../../support/registries.ts'
import { missingRegistries, registryUser, startDockerRegistry } from '../../support/registries.ts'
import type { Session } from '../person.ts'
import { enterPassword, opened } from '../person.ts'
import { jobOf } from './github-actions.ts'
import type { Shell } from './shell.ts'
import { hasTerminal } from './shell.ts'
import type { Stage } from './stage.ts'
import { checks, openStage, publicTrust, signOnPublicInstance } from './stage.ts'
import { runJob } from './workflow-job.ts'

const isMissing = missingRegistries().length > 0
const isNobodyThere = !hasTerminal || isBrowserMissing('rows of the acceptance list in which somebody signs in')
const logins = ['cosign', ...(spawnSync('docker', ['--version']).status === 0 ? ['docker'] : [])]
if (logins.length === 1) console.warn('skipped: row 1.1 with docker itself, which is not there')

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
  if (isMissing) return
  await browser?.close()
  await stage.stop()
  await registry.stop()
})

/** Agrees to whatever is asked. */
async function agree(session: Session, question: RegExp): Promise<void> {
  await session.sees(new RegExp(`${question.source}[^]*Are you sure you would like to continue\\? \\[y/N\\] `))
  session.type('y\n')
}

/** Signs in on the page that the program names. */
async function signIn(session: Session): Promise<void> {
  const [, address = ''] = await session.sees(opened)
  const context = await browser.newContext()
  onTestFinished(() => context.close())
  const page = await context.newPage()
  await page.goto(address)
  await enterPassword(page)
  await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
}

const verifyAs = (email: string, image: string): string =>
  `cosign verify --certificate-identity ${email} --certificate-oidc-issuer ${stage.sigstore.issuer} ${image}`

describe.skipIf(isMissing)('a private registry', () => {
  const login = (program: string): string => `echo $PAT | ${program} login ghcr.io -u ${registryUser.username} --password-stdin`

  it('1.1 lets nobody in who has not logged in, or has with a wrong password', async () => {
    const refused = await shell.run('cosign sign --yes ghcr.io/azhovan/hello:latest', { env: jobOf('azhovan/hello/.github/workflows/a.yml@refs/heads/main') })
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toMatch(/^Error: signing .*(?:401|unauthorized|credentials)/im)
    for (const program of logins) {
      expect((await shell.run(login(program), { env: { PAT: 'a wrong token' } })).exitCode, program).toBe(1)
    }
    await expect(stage.push('ghcr.io/azhovan/hello:latest')).rejects.toThrow()
  })

  it.each(logins)('1.1, 1.2 what is pushed after the login of %s', async (program) => {
    const done = await shell.run(login(program), { env: { PAT: registryUser.password } })
    expect(done.exitCode, done.stderr).toBe(0)
    await stage.push('ghcr.io/azhovan/hello:latest')
    await shell.run(`${program} logout ghcr.io`)
    await shell.run(login(program), { env: { PAT: registryUser.password } })
  })
})
