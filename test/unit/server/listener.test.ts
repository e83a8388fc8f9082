import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Listener, ListenOptions } from '../../../src/server/listener.ts'
import { openListener, parseListenAddress } from '../../../src/server/listener.ts'

const answer = (): Response => new Response('here')
const loopback = { host: '127.0.0.1', port: 0, tls: undefined, behindProxy: false }
const open: Listener[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close(0)))
})

async function opened(options: ListenOptions): Promise<Listener> {
  const listener = await openListener(options)
  open.push(listener)
  listener.answer(answer)
  return listener
}

describe('listening', () => {
  test('on this machine needs no TLS', async () => {
    const { port } = await opened(loopback)
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('here')
  })

  test.each(['0.0.0.0', '::', '', '192.0.2.1'])('on %j without TLS is refused, with what to do', async (host) => {
    await expect(openListener({ ...loopback, host })).rejects.toThrow(/without TLS: give --tls-cert and --tls-key, or --behind-proxy/)
  })

  test('on an address that is taken says so', async () => {
    const { port } = await opened(loopback)
    await expect(openListener({ ...loopback, port })).rejects.toThrow(`another program listens on 127.0.0.1:${port}`)
  })

  test('says that the server is starting until there is somebody who answers', async () => {
    const listener = await openListener(loopback)
    open.push(listener)
    const early = await fetch(`http://127.0.0.1:${listener.port}/`)
    expect([early.status, early.headers.get('retry-after'), await early.text()]).toEqual([503, '1', 'the server is starting\n'])
    listener.answer(answer)
    expect((await fetch(`http://127.0.0.1:${listener.port}/`)).status).toBe(200)
  })

  test('with TLS files answers by TLS', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'countersign-tls-'))
    try {
      const certificate = path.join(folder, 'cert.pem')
      const key = path.join(folder, 'key.pem')
      const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1`
      execFileSync('openssl', [...words.split(' '), '-keyout', key, '-out', certificate], { stdio: 'ignore' })
      const { port } = await opened({ ...loopback, tls: { certificate, key } })
      const status = await new Promise((resolve, reject) => {
        const sent = request({ port, ca: readFileSync(certificate), host: '127.0.0.1' }, ({ statusCode }) => resolve(statusCode))
        sent.on('error', reject)
        sent.end()
      })
      expect(status).toBe(200)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('with TLS files that are not there says which', async () => {
    const tls = { certificate: '/nowhere/cert.pem', key: '/nowhere/key.pem' }
    await expect(openListener({ ...loopback, tls })).rejects.toThrow(/the TLS files cannot be read: .*\/nowhere\/cert\.pem/)
  })

  test('with TLS files that do not belong together says which, also when they are read again', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'countersign-tls-'))
    try {
      for (const name of ['a', 'b']) {
        const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout ${name}.key -out ${name}.pem`
        execFileSync('openssl', words.split(' '), { stdio: 'ignore', cwd: folder })
      }
      const [certificate, key, other] = ['a.pem', 'a.key', 'b.key'].map((name) => path.join(folder, name)) as [string, string, string]
      const refusal = `the TLS files ${certificate} and`
      await expect(openListener({ ...loopback, tls: { certificate, key: other } })).rejects.toThrow(refusal)
      const listener = await opened({ ...loopback, tls: { certificate, key } })
      copyFileSync(other, key)
      await expect(listener.reload()).rejects.toThrow(refusal)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('ends when what is under way was answered', async () => {
    let finish = (): void => {}
    const started = new Promise<void>((resolve) => {
      finish = resolve
    })
    const listener = await opened(loopback)
    listener.answer(async () => {
      finish()
      await new Promise((resolve) => setTimeout(resolve, 100))
      return new Response('late')
    })
    const answered = fetch(`http://127.0.0.1:${listener.port}/`).then((response) => response.text())
    await started
    await listener.close()
    expect(await answered).toBe('late')
  })
})

describe('an address to listen on', () => {
  test.each([
    ['127.0.0.1:8080', '127.0.0.1', 8080],
    ['8080', '127.0.0.1', 8080],
    [':8080', '', 8080],
    ['[::1]:0', '::1', 0],
    ['sigstore.example.com:443', 'sigstore.example.com', 443],
  ])('%s is %s and %i', (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ host, port })
  })

  test.each(['', 'localhost', '127.0.0.1:', '127.0.0.1:99999', '::1:80', 'http://127.0.0.1:80'])('%j is refused', (text) => {
    expect(() => parseListenAddress(text)).toThrow(/--listen takes HOST:PORT/)
  })
})
