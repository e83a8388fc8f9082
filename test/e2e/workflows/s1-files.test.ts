/** S1, an article on digital signatures: a file and a key. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGithub, startKubernetes } from '../../support/secret-services.ts'
import { linesOf, notice, question } from './printed.ts'
import type { Shell } from './shell.ts'
import { hasTerminal } from './shell.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'

const hasKubernetesClient = spawnSync(process.execPath, ['-e', "require('@kubernetes/client-node')"]).status === 0
if (!hasKubernetesClient) {
  const advice = '@kubernetes/client-node does not load on this Node: install another version of it'
  if (process.env['CI'] !== undefined) throw new Error(advice)
  console.warn(`skipped: row 1.14, as ${advice}`)
}

let stage: Stage
let shell: Shell
const base64 = /^[A-Za-z0-9+/]+={0,2}$/

beforeAll(async () => {
  stage = await openStage()
  ;({ shell } = stage)
})
afterAll(() => stage.stop())

describe('a key pair', () => {
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

  it.skipIf(!hasTerminal)('1.10 prints nothing where somebody does not agree', async () => {
    const declined = await shell.run('cosign sign-blob d2iq.txt --key cosign.key', {
      env: { COSIGN_PASSWORD: password },
      terminal: true,
      typed: [[question, 'n']],
    })
    expect(declined.exitCode).toBe(1)
    expect(declined.stdout).toContain('user declined the prompt')
    expect(declined.stdout).not.toMatch(/tlog entry created|^M[A-Za-z0-9+/]{90}/m)
  })

  it('1.11 is verified with the signature on the command line, and another file is not', async () => {
    const refused = await shell.run(`cosign verify-blob --key cosign.pub main --signature=${printed}`)
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('Error: verifying blob [main]: invalid signature when validating ASN.1 encoded signature')
    expect(linesOf(await shell.run(`cosign verify-blob --key cosign.pub d2iq.txt --signature=${printed}`))).toContain('Verified OK')
  })
})
