import { describe, expect, it } from 'vitest'
import { followRedirect } from '../../../src/http/redirect.ts'

const hop = (address: string, method = 'GET') => ({
  url: new URL(address),
  method,
  headers: { authorization: 'Bearer t', cookie: 'c', 'content-type': 'a/b', accept: 'x' },
  body: method === 'GET' ? undefined : Buffer.from('body'),
})

describe('followRedirect', () => {
  it('keeps method and body for 307 and 308, and turns 303 into a GET without a body', () => {
    expect(followRedirect(hop('https://a.example/1', 'PUT'), 307, '/2')).toMatchObject({
      method: 'PUT',
      headers: { 'content-type': 'a/b' },
    })
    const seeOther = followRedirect(hop('https://a.example/1', 'POST'), 303, '2')
    expect(seeOther).toMatchObject({ method: 'GET', body: undefined, url: new URL('https://a.example/2') })
    expect(seeOther.headers).not.toHaveProperty('content-type')
  })

  it.each(['https://b.example/', 'https://a.example:8443/'])('drops credentials on the way to %s', (location) => {
    expect(followRedirect(hop('https://a.example/1'), 302, location).headers).toEqual({ accept: 'x' })
  })

  it('ignores credentials that a redirect brings along', () => {
    expect(followRedirect(hop('https://a.example/'), 302, 'https://u:p@a.example/x').url.href).toBe('https://a.example/x')
  })

  it('goes from http to https, and never back', () => {
    expect(followRedirect(hop('http://a.example/'), 301, 'https://a.example/').url.protocol).toBe('https:')
    expect(() => followRedirect(hop('https://a.example/'), 301, 'http://a.example/')).toThrow(
      expect.objectContaining({
        code: 'NETWORK_FAILED',
        message: 'a.example answered with a redirect (301) from https to http at a.example, which is not followed',
      }),
    )
  })
})
