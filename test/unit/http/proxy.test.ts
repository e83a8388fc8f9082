import { describe, expect, it } from 'vitest'
import { proxyAuthorization, proxyFor } from '../../../src/http/proxy.ts'

const proxy = (address: string, env: Record<string, string>) => proxyFor(new URL(address), env)?.href

describe('proxyFor', () => {
  it('takes the variable for the scheme, upper case first', () => {
    const env = { HTTP_PROXY: 'http://plain:1', HTTPS_PROXY: 'http://secure:2', http_proxy: 'http://x:9', https_proxy: 'http://x:9' }
    expect(proxy('http://example.com', env)).toBe('http://plain:1/')
    expect(proxy('https://example.com', env)).toBe('http://secure:2/')
    expect(proxy('https://example.com', { https_proxy: 'http://lower:3' })).toBe('http://lower:3/')
    expect(proxy('https://example.com', { HTTP_PROXY: 'http://plain:1' })).toBeUndefined()
    expect(proxy('https://example.com', { HTTPS_PROXY: '', https_proxy: 'http://lower:3' })).toBe('http://lower:3/')
  })

  it('takes an address without a scheme as an http proxy', () => {
    expect(proxy('https://example.com', { HTTPS_PROXY: 'proxy.corp:3128' })).toBe('http://proxy.corp:3128/')
  })

  it('does not take HTTP_PROXY in a CGI program, whose clients set it by a header', () => {
    const env = { HTTP_PROXY: 'http://evil.example:3128', HTTPS_PROXY: 'http://proxy.example:3128', REQUEST_METHOD: 'GET' }
    expect(() => proxyFor(new URL('http://repo.example/'), env)).toThrow('clients of a CGI program could set it')
    expect(proxyFor(new URL('https://repo.example/'), env)?.host).toBe('proxy.example:3128')
  })

  it.each(['localhost', '127.0.0.1', '127.9.9.9', '[::1]'])('never sends %s through a proxy', (host) => {
    expect(proxy(`https://${host}:8443/`, { HTTPS_PROXY: 'http://p:1' })).toBeUndefined()
  })

  it.each([
    ['*', 'https://example.com'],
    ['example.com', 'https://example.com'],
    ['example.com', 'https://a.b.example.com'],
    ['.example.com', 'https://a.example.com'],
    ['*.example.com', 'https://a.example.com'],
    ['x, EXAMPLE.com ,y', 'https://example.com'],
    ['example.com:8443', 'https://example.com:8443'],
    ['example.com:443', 'https://example.com'],
    ['10.0.0.0/8', 'https://10.1.2.3'],
    ['10.1.2.3', 'https://10.1.2.3'],
    ['10.1.2.3:444', 'https://10.1.2.3:444'],
    ['fd00::/8', 'https://[fd12::1]'],
    ['[fd12::1]:443', 'https://[fd12::1]'],
    ['fd12:0:0::1', 'https://[fd12::1]'],
  ])('with NO_PROXY=%s goes straight to %s', (noProxy, address) => {
    expect(proxy(address, { HTTPS_PROXY: 'http://p:1', NO_PROXY: noProxy })).toBeUndefined()
  })

  it.each([
    ['example.com', 'https://notexample.com'],
    ['example.com', 'https://example.com.evil'],
    ['.example.com', 'https://example.com'],
    ['*.example.com', 'https://example.com'],
    ['example.com:8443', 'https://example.com'],
    ['10.0.0.0/8', 'https://11.1.2.3'],
    ['10.0.0.0/99', 'https://10.1.2.3'],
    ['10.0.0.0/', 'https://10.1.2.3'],
    ['10.1.2.3', 'https://10.1.2.33'],
    ['2.3', 'https://10.1.2.3'],
    ['', 'https://example.com'],
    [',', 'https://example.com'],
    ['.', 'https://example.com'],
  ])('with NO_PROXY=%s takes the proxy to %s', (noProxy, address) => {
    expect(proxy(address, { HTTPS_PROXY: 'http://p:1', NO_PROXY: noProxy })).toBe('http://p:1/')
  })

  it.each([
    ['socks5://user:s3cret@host:1', 'HTTPS_PROXY should be the http:// or https:// URL of a proxy, found the scheme socks5'],
    ['http://[', 'HTTPS_PROXY should be the http:// or https:// URL of a proxy, found something that is not a URL'],
  ])('refuses %s without repeating it', (value, message) => {
    expect(() => proxy('https://example.com', { HTTPS_PROXY: value })).toThrow(expect.objectContaining({ code: 'USAGE', message }))
  })
})

describe('proxyAuthorization', () => {
  it('is the decoded user and password of the URL', () => {
    expect(proxyAuthorization(new URL('http://me:p%40ss@p:1'))).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`)
    expect(proxyAuthorization(new URL('http://me:100%@p:1'))).toBe(`Basic ${Buffer.from('me:100%').toString('base64')}`)
    expect(proxyAuthorization(new URL('http://p:1'))).toBeUndefined()
  })
})
