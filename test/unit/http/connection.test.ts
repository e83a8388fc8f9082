import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { certificateAuthorities } from '../../../src/http/certificate-authorities.ts'
import { fetchBytes } from '../../../src/http/fetch.ts'
import { selfSigned, startProxy, startSecureServer, startServer } from './test-server.ts'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function writeTemporary(contents: string): string {
  const file = join(temporaryDirectory(), 'ca.pem')
  writeFileSync(file, contents)
  return file
}

describe('certificate authorities', () => {
  it('refuses a server whose authority is unknown, and says which variable helps', async () => {
    const server = await startSecureServer((_, response) => void response.end('secret'))
    await expect(fetchBytes(server.origin, { env: {} })).rejects.toMatchObject({
      code: 'NETWORK_FAILED',
      message: `could not reach 127.0.0.1:${server.port}: its TLS certificate is from an authority that is not trusted here; set SSL_CERT_FILE to a PEM file that holds the authority (DEPTH_ZERO_SELF_SIGNED_CERT)`,
    })
    expect(server.requests).toEqual([])
  })

  it.each(['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'])('takes the authorities of %s', async (variable) => {
    const server = await startSecureServer((_, response) => void response.end('hello'))
    expect(text(await fetchBytes(server.origin, { env: { [variable]: writeTemporary(server.certificate) } }))).toBe('hello')
  })

  it('takes the authorities of the directories in SSL_CERT_DIR, whatever else lies there', async () => {
    const server = await startSecureServer((_, response) => void response.end('hello'))
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'README'), 'not a certificate')
    writeFileSync(join(directory, 'ca.pem'), server.certificate)
    expect(text(await fetchBytes(server.origin, { env: { SSL_CERT_DIR: `${temporaryDirectory()}:${directory}` } }))).toBe('hello')
  })

  it('keeps the built-in authorities unless both halves are replaced', () => {
    const file = writeTemporary(selfSigned().certificate)
    const directory = temporaryDirectory()
    expect(certificateAuthorities({})).toBeUndefined()
    expect(certificateAuthorities({ SSL_CERT_FILE: file })?.length).toBeGreaterThan(50)
    expect(certificateAuthorities({ SSL_CERT_DIR: directory })?.length).toBeGreaterThan(50)
    expect(certificateAuthorities({ SSL_CERT_FILE: file, SSL_CERT_DIR: directory })).toHaveLength(1)
    expect(certificateAuthorities({ SSL_CERT_FILE: file, SSL_CERT_DIR: directory, NODE_EXTRA_CA_CERTS: file })).toHaveLength(2)
  })

  it('says which variable names a file that is missing or holds no certificate', async () => {
    await expect(fetchBytes('https://127.0.0.1:1', { env: { SSL_CERT_FILE: '/nowhere/ca.pem' } })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(/^SSL_CERT_FILE names \/nowhere\/ca\.pem, which could not be read: ENOENT/),
    })
    const file = writeTemporary('hello')
    await expect(fetchBytes('https://127.0.0.1:1', { env: { NODE_EXTRA_CA_CERTS: file } })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: `NODE_EXTRA_CA_CERTS should name a file of PEM certificates, found none in ${file}`,
    })
    await expect(fetchBytes('https://127.0.0.1:1', { env: { SSL_CERT_DIR: '/nowhere' } })).rejects.toThrow('SSL_CERT_DIR names /nowhere')
  })
})

describe('TLS settings', () => {
  it('replace the authorities, check another name, or check nothing', async () => {
    const server = await startSecureServer((_, response) => void response.end('hello'))
    const tls = { certificateAuthorities: server.certificate }
    expect(text(await fetchBytes(server.origin, { env: {}, tls }))).toBe('hello')
    expect(text(await fetchBytes(server.origin, { env: {}, tls: { ...tls, serverName: 'repo.example' } }))).toBe('hello')
    expect(text(await fetchBytes(server.origin, { env: {}, tls: { insecure: true } }))).toBe('hello')
    await expect(fetchBytes(server.origin, { env: {}, tls: { ...tls, serverName: 'other.example' } })).rejects.toThrow(
      'its TLS certificate is for another name',
    )
  })

  it('do not leak from one request to the next', async () => {
    const server = await startSecureServer((_, response) => void response.end('hello'))
    await fetchBytes(server.origin, { env: {}, tls: { insecure: true } })
    await expect(fetchBytes(server.origin, { env: {} })).rejects.toMatchObject({ code: 'NETWORK_FAILED' })
  })

  it('are not weakened by NODE_TLS_REJECT_UNAUTHORIZED, which was set for another program', async () => {
    const server = await startSecureServer((_, response) => void response.end('secret'))
    const proxy = await startProxy(server.port)
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    onTestFinished(() => void vi.unstubAllEnvs())
    await expect(fetchBytes(server.origin, { env: {} })).rejects.toThrow('from an authority that is not trusted here')
    const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` }
    await expect(fetchBytes('https://repo.example/', { env })).rejects.toThrow('from an authority that is not trusted here')
    expect(server.requests).toEqual([])
  })

  it('says that a server does not speak TLS', async () => {
    const server = await startServer((_, response) => void response.end())
    await expect(fetchBytes(`https://127.0.0.1:${server.port}`, { env: {} })).rejects.toThrow(
      /could not reach 127\.0\.0\.1:\d+: it does not speak TLS; check whether the address should start with http:\/\//,
    )
  })
})

describe('proxies', () => {
  it('open a tunnel for https, with the certificate checked against the real host', async () => {
    const server = await startSecureServer((_, response) => void response.end('hello'))
    const proxy = await startProxy(server.port)
    const env = { HTTPS_PROXY: `http://me:pass@127.0.0.1:${proxy.port}`, SSL_CERT_FILE: writeTemporary(server.certificate) }
    expect(text(await fetchBytes('https://repo.example/file', { env }))).toBe('hello')
    expect(text(await fetchBytes('https://repo.example/again', { env }))).toBe('hello')
    expect(proxy.requests).toEqual(['CONNECT repo.example:443'])
    expect(proxy.authorizations).toEqual([`Basic ${Buffer.from('me:pass').toString('base64')}`])
    expect(server.requests).toEqual(['GET /file', 'GET /again'])
    await expect(fetchBytes('https://other.example/', { env })).rejects.toThrow('its TLS certificate is for another name')
  })

  it('are asked for the absolute address for http', async () => {
    const proxy = await startProxy(1)
    expect(text(await fetchBytes('http://repo.example:8080/file?x=1', { env: { HTTP_PROXY: proxy.origin } }))).toBe('by proxy')
    expect(proxy.requests).toEqual(['GET http://repo.example:8080/file?x=1 for repo.example:8080'])
  })

  it.each([
    [407, 'it answered 407; put the user and password for it into HTTPS_PROXY'],
    [502, 'it answered 502'],
  ])('that refuse a tunnel with %i are named', async (status, message) => {
    const proxy = await startProxy(1, status)
    await expect(fetchBytes('https://repo.example/', { env: { HTTPS_PROXY: proxy.origin } })).rejects.toMatchObject({
      code: 'NETWORK_FAILED',
      message: `the proxy 127.0.0.1:${proxy.port} did not open a tunnel to repo.example:443: ${message}`,
    })
  })

  it('that cannot be reached are named', async () => {
    await expect(fetchBytes('https://repo.example/', { env: { HTTPS_PROXY: 'http://127.0.0.1:1' } })).rejects.toThrow(
      'the proxy 127.0.0.1:1 did not open a tunnel to repo.example:443: connect ECONNREFUSED',
    )
  })

  it('are left out for loopback addresses', async () => {
    const server = await startServer((_, response) => void response.end('direct'))
    expect(text(await fetchBytes(server.origin, { env: { HTTP_PROXY: 'http://127.0.0.1:1' } }))).toBe('direct')
  })
})
