/** What is particular about plugins: how the program is found and run, and what it is told. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodePublicKeyPem } from '../../../src/crypto/public-key.ts'
import { generatePrivateKey } from '../../../src/crypto/private-key.ts'
import { fetchPublicKey, openKey } from '../../../src/keys/key-reference.ts'
import type { KeyStoreOptions } from '../../../src/keys/key-store.ts'
import { keyStore } from '../../../src/keys/kms-plugin.ts'
import { runProgram } from '../../../src/keys/program-run.ts'

const key = generatePrivateKey('ecdsa-p256')
const answer = JSON.stringify({ publicKey: { publicKeyPEM: Buffer.from(encodePublicKeyPem(key.publicKey)).toString('base64') } })
let folder = ''
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'countersign-plugin-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Puts a shell script on the PATH that writes down its arguments and its input. */
function plugin(script: string, name = 'sigstore-kms-test'): KeyStoreOptions {
  const file = path.join(folder, name)
  writeFileSync(file, `#!/bin/sh\nfor word; do printf '%s\\n' "$word" >>"$LOG"; done\n${script}\n`)
  chmodSync(file, 0o755)
  const env = { PATH: `${folder}:/usr/bin:/bin`, LOG: path.join(folder, 'log'), PLUGIN_TOKEN: 'the-token' }
  return { env, cwd: folder, password: () => Promise.reject(new Error('nobody')) }
}

const log = (): string => readFileSync(path.join(folder, 'log'), 'utf8')

describe('a plugin', () => {
  it('is asked in the words of the protocol', async () => {
    const options = plugin(`printf '%s' '${answer}'`)
    const found = await fetchPublicKey('test://a key?x=1', options)
    expect(found.spki).toEqual(key.publicKey.spki)
    const [version, question, ...rest] = log().trimEnd().split('\n')
    expect(version).toBe('v1')
    expect(rest).toEqual([])
    expect(JSON.parse(question ?? '')).toEqual({
      initOptions: {
        ctxDeadline: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
        protocolVersion: 'v1',
        keyResourceID: 'a key?x=1',
        hashFunc: 5,
        rpcOptions: { keyVersion: '', remoteVerification: false },
      },
      methodName: 'publicKey',
      publicKey: { publicKeyOptions: { rpcOptions: { keyVersion: '', remoteVerification: false } } },
    })
    expect(log()).not.toContain('the-token')
  })

  it('is not run by a shell', async () => {
    const options = plugin(`printf '%s' '${answer}'`)
    const target = path.join(folder, 'touched')
    await fetchPublicKey(`test://$(touch ${target}); touch ${target} "' \``, options)
    expect(existsSync(target)).toBe(false)
    expect(log()).toContain('$(touch')
  })

  it('may say how it ends as it likes, but must answer', async () => {
    await expect(fetchPublicKey('test://k', plugin(`printf '%s' '${answer}'; exit 7`))).resolves.toBeDefined()
    await expect(fetchPublicKey('test://k', plugin('exit 0'))).rejects.toThrow(/^the plugin sigstore-kms-test answered what cannot be used/)
  })

  it('is what it says that counts, not what it lacks', async () => {
    const refusing = plugin(`printf '%s' '{"errorMessage":"no door \\u001b[2J","publicKey":{"publicKeyPEM":""}}'`)
    await expect(fetchPublicKey('test://k', refusing)).rejects.toMatchObject({
      code: 'SERVICE_REFUSED',
      message: 'the plugin sigstore-kms-test refused: "no door \\u001b[2J"',
    })
  })

  it('that is ended from outside has not answered', async () => {
    await expect(fetchPublicKey('test://k', plugin('kill -TERM $$'))).rejects.toThrow(
      'sigstore-kms-test was ended by SIGTERM before it answered',
    )
  })

  it('that prints without end is ended', async () => {
    await expect(fetchPublicKey('test://k', plugin('exec yes'))).rejects.toThrow(
      'sigstore-kms-test printed more than the limit of 1048576 bytes',
    )
  })

  it('is ended when the caller stops', async () => {
    const controller = new AbortController()
    const asked = fetchPublicKey('test://k', { ...plugin('exec sleep 600'), signal: controller.signal })
    controller.abort()
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('is ended when it takes too long', async () => {
    const { env } = plugin('exec sleep 600')
    const run = { name: 'it', file: path.join(folder, 'sigstore-kms-test'), argv: [], input: new Uint8Array(), env, cwd: folder }
    await expect(runProgram({ ...run, timeoutMs: 50, maxOutputBytes: 10 })).rejects.toThrow('the run of it was not complete within 0.05 s')
  })

  it('that leaves another program running has answered when it ends itself', async () => {
    const options = plugin(`sleep 600 & printf '%s' $! >"$LOG.pid"; printf '%s' '${answer}'`)
    try {
      await expect(fetchPublicKey('test://k', options)).resolves.toBeDefined()
    } finally {
      process.kill(Number(readFileSync(path.join(folder, 'log.pid'), 'utf8')))
    }
  })

  it('keeps nobody waiting who gave it up, though another program of it is running', async () => {
    const { env } = plugin(`sleep 600 & printf '%s' $! >"$LOG.pid.new"; mv "$LOG.pid.new" "$LOG.pid"; exec sleep 600`)
    const run = { name: 'it', file: path.join(folder, 'sigstore-kms-test'), argv: [], input: new Uint8Array(), env, cwd: folder }
    const pipes = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'PipeWrap').length
    const before = pipes()
    const controller = new AbortController()
    const ended = runProgram({ ...run, timeoutMs: 60_000, maxOutputBytes: 10, signal: controller.signal }).catch((error: unknown) => error)
    await expect.poll(() => existsSync(path.join(folder, 'log.pid'))).toBe(true)
    controller.abort()
    expect(await ended).toMatchObject({ code: 'ABORTED' })
    try {
      // Fewer, where those of a test before this one were still being closed.
      await expect.poll(pipes).toBeLessThanOrEqual(before)
    } finally {
      process.kill(Number(readFileSync(path.join(folder, 'log.pid'), 'utf8')))
    }
  })

  it('that takes no input is given it in vain', async () => {
    const options = plugin(`exec 0<&-; printf '%s' '${answer}'`)
    const run = { name: 'it', file: path.join(folder, 'sigstore-kms-test'), argv: [], input: new Uint8Array(10_000_000), cwd: folder }
    const { stdout } = await runProgram({ ...run, env: options.env, timeoutMs: 10_000, maxOutputBytes: 10_000 })
    expect(Buffer.from(stdout).toString()).toBe(answer)
  })
})

describe('the program of a plugin', () => {
  it('is not looked for where one works', async () => {
    const { env, ...options } = plugin(`printf '%s' '${answer}'`)
    for (const PATH of ['', '.', `:${path.basename(folder)}:./`]) {
      await expect(openKey('test://k', { ...options, env: { ...env, PATH } })).rejects.toThrow('put the plugin sigstore-kms-test on PATH')
    }
  })

  it('is a file that can be run', async () => {
    const options = plugin(`printf '%s' '${answer}'`)
    chmodSync(path.join(folder, 'sigstore-kms-test'), 0o644)
    mkdirSync(path.join(folder, 'sigstore-kms-folder'))
    await expect(keyStore.fetchPublicKey('test://k', options)).rejects.toThrow('no program sigstore-kms-test')
    await expect(keyStore.fetchPublicKey('folder://k', options)).rejects.toThrow('no program sigstore-kms-folder')
  })

  it('does not take the place of what is there', async () => {
    const options = plugin(`printf '%s' '${answer}'`, 'sigstore-kms-hashivault')
    await expect(openKey('hashivault://k', options)).rejects.toThrow('VAULT_ADDR is not set')
    expect(existsSync(path.join(folder, 'log'))).toBe(false)
  })
})
