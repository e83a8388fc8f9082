/**
 * What people's articles, workflows and release tools call, as it is printed there: each row in a shell, against a private Sigstore that stands in
 * for the public instance and a GitHub that gives jobs their tokens. The numbers are those of the acceptance list.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StartedSigstore } from '../../interop/server/private-sigstore.ts'
import { startSigstore } from '../../interop/server/private-sigstore.ts'
import { startGithub, startKubernetes } from '../../support/secret-services.ts'
import type { GitHubActions } from './github-actions.ts'
import { githubIssuer, startGitHubActions } from './github-actions.ts'
import type { Shell, ShellEnding } from './shell.ts'
import { hasTerminal, openShell } from './shell.ts'

const hasKubernetesClient = spawnSync(process.execPath, ['-e', "require('@kubernetes/client-node')"]).status === 0
if (!hasKubernetesClient) {
  const advice = '@kubernetes/client-node does not load on this Node: install another version of it'
  if (process.env['CI'] !== undefined) throw new Error(advice)
  console.warn(`skipped: row 1.14, as ${advice}`)
}

let github: GitHubActions
let sigstore: StartedSigstore
let shell: Shell

beforeAll(async () => {
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
})

afterAll(async () => {
  await sigstore.stop()
  await github.stop()
})

const notice = 'Note that there may be personally identifiable information associated with this signed artifact.'
const question = 'Are you sure you would like to continue? [y/N] '
const base64 = /^[A-Za-z0-9+/]+={0,2}$/

/** Every line of an outcome, wherever it was printed. */
const linesOf = ({ stdout, stderr }: ShellEnding): string[] => `${stdout}\n${stderr}`.split('\n')

describe('S0: the checksums of a release', () => {
  const release = (): Readonly<Record<string, string>> => github.job('carvel-dev/imgpkg/.github/workflows/release.yml@refs/tags/v0.42.0')
  const binary = 'the binary of a release\n'

  beforeAll(() => {
    shell.write('imgpkg-darwin-arm64', binary)
    shell.write('checksums.txt', `${createHash('sha256').update(binary).digest('hex')}  imgpkg-darwin-arm64\n`)
  })

  it('0.3 are signed, after a question that is answered', async () => {
    const line = 'cosign sign-blob checksums.txt --output-certificate checksums.txt.pem --output-signature checksums.txt.sig'
    const signed = await shell.run(line, { env: release(), typed: [[question, 'y']] })
    expect(signed).toMatchObject({ exitCode: 0, stdout: '' })
    expect(signed.stderr).toContain(notice)
    expect(linesOf(signed)).toEqual(
      expect.arrayContaining([
        'Using payload from: checksums.txt',
        'Generating ephemeral keys...',
        'Retrieving signed certificate...',
        expect.stringMatching(/^tlog entry created with index: \d+$/),
        'Wrote signature to file checksums.txt.sig',
        'Wrote certificate to file checksums.txt.pem',
      ]),
    )
    expect(shell.read('checksums.txt.sig')).toMatch(base64)
    expect(Buffer.from(shell.read('checksums.txt.pem'), 'base64').toString()).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
  })

  it('0.4 are verified with old names of flags', async () => {
    const line =
      'cosign verify-blob --cert checksums.txt.pem --signature checksums.txt.sig --certificate-identity-regexp=https://github.com/carvel-dev --certificate-oidc-issuer=https://token.actions.githubusercontent.com checksums.txt'
    const verified = await shell.run(line)
    expect(verified.exitCode).toBe(0)
    expect(linesOf(verified)).toContain('Verified OK')
  })

  it('0.5 are those of the file', async () => {
    const { stdout } = await shell.run('shasum -a 256 imgpkg-darwin-arm64')
    expect(shell.read('checksums.txt')).toBe(stdout)
  })

  it('0.7, 0.8 are signed by GoReleaser, and verified in the workflow', async () => {
    // `signs` of .goreleaser.yaml, with its variables replaced as GoReleaser does.
    shell.write('dist/checksums.txt', shell.read('checksums.txt'))
    const args = ['--output-certificate=dist/checksums.txt.pem', '--output-signature=dist/checksums.txt.sig', 'dist/checksums.txt']
    const signed = await shell.run(['cosign', 'sign-blob', '"--yes"', ...args].join(' '), { env: release() })
    expect(signed.exitCode).toBe(0)
    expect(signed.stderr).not.toContain(question)
    const line =
      'cosign verify-blob --cert dist/checksums.txt.pem --signature dist/checksums.txt.sig --certificate-identity-regexp=https://github.com/carvel-dev --certificate-oidc-issuer=https://token.actions.githubusercontent.com dist/checksums.txt'
    expect(linesOf(await shell.run(line))).toContain('Verified OK')
    shell.write('dist/checksums.txt', 'something else\n')
    expect((await shell.run(line)).exitCode).toBe(1)
  })
})

describe('S1: a file and a key', () => {
  const password = 'a password'
  let printed = ''

  beforeAll(() => {
    shell.write('d2iq.txt', 'some text\n')
    shell.write('main', 'a program\n')
  })

  it('1.9 is made', async () => {
    const made = await shell.run('cosign generate-key-pair', { env: { COSIGN_PASSWORD: password } })
    expect(made.exitCode).toBe(0)
    expect(linesOf(made)).toEqual(expect.arrayContaining(['Private key written to cosign.key', 'Public key written to cosign.pub']))
    expect(shell.read('cosign.key')).toMatch(/^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n/)
  })

  it.skipIf(!hasTerminal)('1.9 is made anew with a password that is typed twice, after a question', async () => {
    const before = shell.read('cosign.pub')
    const typed = [
      ['Enter password for private key: ', password],
      ['Enter password for private key again: ', password],
      [question, 'y'],
    ] as const
    const made = await shell.run('cosign generate-key-pair', { terminal: true, typed })
    expect(made.exitCode).toBe(0)
    expect(made.stdout).not.toContain(password)
    expect(linesOf(made)).toEqual(expect.arrayContaining(['Private key written to cosign.key', 'Public key written to cosign.pub']))
    expect(shell.read('cosign.pub')).not.toBe(before)
  })

  const stores = [
    [
      '1.12 is kept by GitHub',
      startGithub,
      [
        'Password written to COSIGN_PASSWORD github actions secret',
        'Private key written to COSIGN_PRIVATE_KEY github actions secret',
        'Public key written to COSIGN_PUBLIC_KEY github actions secret',
        'Public key also written to cosign.pub',
      ],
    ],
    ['1.14 is kept by Kubernetes', startKubernetes, ['Public key written to cosign.pub']],
  ] as const
  it.each(stores.filter(([, start]) => start !== startKubernetes || hasKubernetesClient))('%s', async (_, start, lines) => {
    const service = await start()
    shell.write('kept/nothing', '')
    const env = { ...service.environment(path.join(shell.folder, 'kept')), COSIGN_PASSWORD: password }
    const made = await shell.run(`cd kept && cosign generate-key-pair ${service.reference}`, { env })
    await service.stop()
    expect(made.exitCode, made.stderr).toBe(0)
    expect(linesOf(made)).toEqual(expect.arrayContaining([...lines]))
    expect(service.kept('password')).toBe(password)
    expect(service.kept('privateKey')).toMatch(/^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n/)
    expect(service.kept('publicKey')).toBe(shell.read('kept/cosign.pub'))
    await shell.run('rm -r kept')
  })

  it.skipIf(!hasTerminal)('1.10 is signed with a password and an answer that are typed', async () => {
    const typed = [
      ['Enter password for private key: ', password],
      [question, 'y'],
    ] as const
    const signed = await shell.run('cosign sign-blob d2iq.txt --key cosign.key', { terminal: true, typed })
    expect(signed.exitCode).toBe(0)
    expect(signed.stdout).not.toContain(password)
    const lines = linesOf(signed)
    const inOrder = [
      'Using payload from: d2iq.txt',
      'Enter password for private key: ',
      notice,
      question,
      'tlog entry created with index: ',
    ]
    const positions = inOrder.map((text) => lines.findIndex((found) => found.includes(text)))
    expect(positions).toEqual(positions.toSorted((a, b) => a - b))
    expect(positions).not.toContain(-1)
    printed = lines.find((text) => base64.test(text)) ?? ''
    expect(printed).not.toBe('')
  })

  it('1.10 prints the signature alone on standard output', async () => {
    const signed = await shell.run('cosign sign-blob d2iq.txt --key cosign.key', {
      env: { COSIGN_PASSWORD: password },
      typed: [[question, 'y']],
    })
    expect(signed.exitCode).toBe(0)
    expect(signed.stdout).toMatch(/^[A-Za-z0-9+/]+={0,2}\n$/)
    expect(signed.stderr).toMatch(/^tlog entry created with index: \d+$/m)
    printed = signed.stdout.trim()
  })

  it('1.11 is verified with the signature on the command line, and another file is not', async () => {
    const refused = await shell.run(`cosign verify-blob --key cosign.pub main --signature=${printed}`)
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('Error: verifying blob [main]: invalid signature when validating ASN.1 encoded signature')
    expect(linesOf(await shell.run(`cosign verify-blob --key cosign.pub d2iq.txt --signature=${printed}`))).toContain('Verified OK')
  })
})

describe('S4: a workflow with cosign 2.0', () => {
  const workflow = 'fermyon/spin/.github/workflows/release-sign.yml@refs/heads/main'
  const verify = (artifact: string, signer = `https://github.com/${workflow}`, issuer = githubIssuer): Promise<ShellEnding> =>
    shell.run(
      `cosign verify-blob --signature artifact.sig --certificate crt.pem --certificate-identity ${signer} --certificate-oidc-issuer ${issuer} ${artifact}`,
    )

  beforeAll(() => {
    shell.write('spin', 'a program\n')
    shell.write('artifact', 'the artifact\n')
    shell.write('fake-artifact', 'something else\n')
    shell.write('out/artifact', 'the artifact\n')
  })

  it('4.1 signs a program without being asked', async () => {
    const line =
      'cosign sign-blob --output-certificate out/spin-v1.0.0-linux-amd64-keyless.pem --output-signature out/spin-v1.0.0-linux-amd64-keyless.sig --yes spin'
    const signed = await shell.run(line, { env: github.job(workflow) })
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
    expect(await shell.run(line, { env: github.job(workflow) })).toMatchObject({ exitCode: 0, stdout: '' })
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
    const answer = await fetch(`${sigstore.url}/api/v1/log/entries/retrieve`, { method: 'POST', headers, body })
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
