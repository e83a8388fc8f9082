/** S4, the releases of Spin: a workflow with cosign 2.0. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anyJob, githubIssuer, jobOf } from './github-actions.ts'
import { linesOf, question } from './printed.ts'
import type { Shell, ShellEnding } from './shell.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'

let stage: Stage
let shell: Shell

describe('a program of a release', () => {
  const workflow = 'fermyon/spin/.github/workflows/release-sign.yml@refs/heads/main'
  const verify = (artifact: string, signer = `https://github.com/${workflow}`, issuer = githubIssuer): Promise<ShellEnding> =>
    shell.run(
      `cosign verify-blob --signature artifact.sig --certificate crt.pem --certificate-identity ${signer} --certificate-oidc-issuer ${issuer} ${artifact}`,
    )

  beforeAll(async () => {
    stage = await openStage()
    ;({ shell } = stage)
    shell.write('spin', 'a program\n')
    shell.write('artifact', 'the artifact\n')
    shell.write('fake-artifact', 'something else\n')
    shell.write('out/artifact', 'the artifact\n')
  })

  afterAll(() => stage.stop())

  it('4.1 signs a program without being asked', async () => {
    const line =
      'cosign sign-blob --output-certificate out/spin-v1.0.0-linux-amd64-keyless.pem --output-signature out/spin-v1.0.0-linux-amd64-keyless.sig --yes spin'
    const signed = await shell.run(line, { env: jobOf(workflow) })
    expect(signed).toMatchObject({ exitCode: 0, stdout: '' })
    expect(signed.stderr).not.toContain(question)
    expect(linesOf(signed)).toEqual(
      expect.arrayContaining([
        'Wrote signature to file out/spin-v1.0.0-linux-amd64-keyless.sig',
        'Wrote certificate to file out/spin-v1.0.0-linux-amd64-keyless.pem',
      ]),
    )
  })

  it('4.2 signs with the flag at the end', async () => {
    const line = 'cosign sign-blob --output-certificate out/crt.pem --output-signature out/artifact.sig out/artifact --yes'
    expect(await shell.run(line, { env: anyJob })).toMatchObject({ exitCode: 1, stdout: '' })
    expect((await shell.run('ls out')).stdout).not.toContain('artifact.sig')
    expect(await shell.run(line, { env: jobOf(workflow) })).toMatchObject({ exitCode: 0, stdout: '' })
    expect((await shell.run('cp out/crt.pem out/artifact.sig .')).exitCode).toBe(0)
  })

  it('4.3 verifies', async () => {
    const verified = await verify('artifact')
    expect(verified.exitCode).toBe(0)
    expect(linesOf(verified)).toContain('Verified OK')
  })

  it('4.4 refuses another file', async () => {
    const refused = await verify('fake-artifact')
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toMatch(
      /^Error: verifying blob \[fake-artifact\]: .*invalid signature when validating ASN\.1 encoded signature/m,
    )
    expect(refused.stderr).not.toContain('Verified OK')
  })

  it('4.4 the log refuses to look for it, too', async () => {
    const spec = {
      data: { hash: { algorithm: 'sha256', value: createHash('sha256').update('something else\n').digest('hex') } },
      signature: { content: shell.read('artifact.sig'), publicKey: { content: shell.read('crt.pem') } },
    }
    const body = JSON.stringify({ entries: [{ apiVersion: '0.0.1', kind: 'hashedrekord', spec }] })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${stage.sigstore.url}/api/v1/log/entries/retrieve`, { method: 'POST', headers, body })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      code: 400,
      message: expect.stringMatching(
        /^unmarshalling entry: verifying signature: invalid signature when validating ASN\.1 encoded signature/,
      ),
    })
  })

  it.each([
    ['https://github.com/fermyon/spin/.github/workflows/other.yml@refs/heads/main', githubIssuer],
    [`https://github.com/${workflow}`, 'https://accounts.google.com'],
  ])('4.5 refuses %s of %s', async (signer, issuer) => {
    const refused = await verify('artifact', signer, issuer)
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(
      `Error: verifying blob [artifact]: none of the expected identities matched what was in the certificate, got subjects [https://github.com/${workflow}] with issuer ${githubIssuer}`,
    )
  })
})
