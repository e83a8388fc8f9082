/** S3, an article on the software supply chain, with the lines of cosign 1: an image on Docker Hub. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { user } from '../../interop/server/private-sigstore.ts'
import { launchBrowser } from '../../support/chromium.ts'
import { missingRegistries, startDockerRegistry } from '../../support/registries.ts'
import { checks, expectInOrder } from './printed.ts'
import type { Shell } from './shell.ts'
import { answer, isNobodyThere, signIn, withBrowser } from './somebody.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'

const isMissing = missingRegistries().length > 0
let stage: Stage
let shell: Shell
let browser: Browser

beforeAll(async () => {
  if (isMissing) return
  stage = await openStage(await startDockerRegistry())
  ;({ shell } = stage)
  await stage.push('st0nez/nginxhello:signed')
  if (!isNobodyThere) browser = await launchBrowser()
})
afterAll(async () => {
  await browser?.close()
  await stage?.stop()
})

const personal = /Note that there may be personally identifiable information/
const start = () => shell.start('export COSIGN_EXPERIMENTAL=1; cosign sign st0nez/nginxhello:signed', withBrowser)
const verifyAs = (email: string) =>
  shell.run(`cosign verify --certificate-identity ${email} --certificate-oidc-issuer ${stage.sigstore.issuer} st0nez/nginxhello:signed`)

describe.skipIf(isMissing || isNobodyThere)('signing in a browser', () => {
  it('3.1 signs nothing for somebody who does not go through with it', async () => {
    const session = start()
    await answer(session, personal, 'y')
    await signIn(session, browser, 'cancels')
    const { status, output } = await session.ended
    expect(status).toBe(1)
    expect(output).toMatch(/^Error: .*"access_denied"/m)
    expect(output).not.toContain('tlog entry created')
    expect(await verifyAs(user.email)).toMatchObject({ exitCode: 10, stdout: '' })
  })

  it('3.1 says each of its steps, and the signature is that of who signed in', async () => {
    const session = start()
    await answer(session, personal, 'y')
    const address = new URL(await signIn(session, browser))
    expect(address.search).toMatch(/^\?access_type=online&client_id=sigstore&code_challenge=/)
    const { status, output } = await session.ended
    expect(status, output).toBe(0)
    expectInOrder(output, [
      'Generating ephemeral keys...\n',
      'Retrieving signed certificate...\n',
      `Your browser will now be opened to:\n${address.href}\n`,
      'Successfully verified SCT...\n',
      'tlog entry created with index: ',
      'Pushing signature to: index.docker.io/st0nez/nginxhello\n',
    ])
    const verified = await verifyAs(user.email)
    expect(verified.exitCode, verified.stderr).toBe(0)
    expect(verified.stderr).toContain(['', 'Verification for index.docker.io/st0nez/nginxhello:signed --', ...checks, ''].join('\n'))
    expect(await verifyAs('eve@example.com')).toMatchObject({ exitCode: 12, stdout: '' })
  })
})

describe.skipIf(isMissing)('verifying without an identity', () => {
  it.each(['', " | jq '.'"])('3.2 is refused, in the words of cosign since 2.0%s', async (pipe) => {
    const { exitCode, stdout, stderr } = await shell.run(`export COSIGN_EXPERIMENTAL=1; cosign verify st0nez/nginxhello:signed${pipe}`)
    expect(stdout).toBe('')
    if (pipe === '') expect(exitCode).toBe(1)
    expect(stderr).toContain(
      'Error: --certificate-identity or --certificate-identity-regexp is required for verification in keyless mode\n',
    )
  })
})
