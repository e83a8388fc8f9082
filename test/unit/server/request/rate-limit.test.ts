import { describe, expect, test } from 'vitest'
import { clientAddress, isLoopback } from '../../../../src/server/request/client-address.ts'
import { createRateLimiter } from '../../../../src/server/request/rate-limit.ts'

describe('a rate limiter', () => {
  test('lets a burst through and then says when the next request may come', () => {
    const limiter = createRateLimiter({ perSecond: 2, burst: 3 })
    expect([1, 2, 3].map(() => limiter.take('a', 0))).toEqual([0, 0, 0])
    expect(limiter.take('a', 0)).toBe(500)
    expect(limiter.take('a', 500)).toBe(0)
    expect(limiter.take('a', 500)).toBe(500)
  })

  test('does not let one client pay for another', () => {
    const limiter = createRateLimiter({ perSecond: 1, burst: 1 })
    expect(limiter.take('a', 0)).toBe(0)
    expect(limiter.take('b', 0)).toBe(0)
    expect(limiter.take('a', 0)).toBe(1000)
  })

  test('lets a request cost more than one, also more than it ever has, and waits until that is paid for', () => {
    const limiter = createRateLimiter({ perSecond: 10, burst: 4 })
    expect(limiter.take('a', 0, 3)).toBe(0)
    expect(limiter.take('a', 0, 2)).toBe(100)
    expect(limiter.take('b', 0, 14)).toBe(0)
    expect(limiter.take('b', 0)).toBe(1100)
    expect(limiter.take('b', 1100)).toBe(0)
  })

  test('counts what it is told of afterwards', () => {
    const limiter = createRateLimiter({ perSecond: 10, burst: 4 })
    limiter.charge('a', 0, 8)
    expect(limiter.take('a', 0)).toBe(500)
    expect(limiter.take('a', 500)).toBe(0)
  })

  test('gives nothing away when the clock goes back', () => {
    const limiter = createRateLimiter({ perSecond: 1, burst: 1 })
    expect(limiter.take('a', 10_000)).toBe(0)
    expect(limiter.take('a', 0)).toBe(1000)
  })

  test('forgets the client that was silent longest when there are too many', () => {
    const limiter = createRateLimiter({ perSecond: 0.001, burst: 1 })
    for (let client = 0; client <= 10_000; client++) limiter.take(String(client), 0)
    expect(limiter.take('10000', 0)).toBeGreaterThan(0)
    expect(limiter.take('0', 0)).toBe(0)
  })
})

describe('the address of a client', () => {
  test('is that of the connection, whatever the request says', () => {
    expect(clientAddress('192.0.2.1', '127.0.0.1', false)).toBe('192.0.2.1')
  })

  test('behind a proxy is the one the proxy added, the last', () => {
    expect(clientAddress('127.0.0.1', '127.0.0.1, 198.51.100.7', true)).toBe('198.51.100.7')
  })

  test.each([
    ['203.0.113.9:49152', '203.0.113.9'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['192.0.2.3, 203.0.113.9:1', '203.0.113.9'],
    ['2001:db8::1:443', '2001:db8::1:443'],
  ])('is that of %s, without the port that some proxies add', (header, address) => {
    expect(clientAddress('127.0.0.1', header, true)).toBe(address)
  })

  test.each(['', 'unknown', '127.0.0.1, evil', '1.2.3.4:x', '[1.2.3.4', '1.2.3:4'])(
    'behind a proxy that says %j is that of the connection',
    (header) => {
      expect(clientAddress('192.0.2.1', header, true)).toBe('192.0.2.1')
    },
  )

  test.each([
    ['127.0.0.1', true],
    ['127.8.8.8', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['192.0.2.1', false],
    ['127.evil.example', false],
    ['', false],
  ])('%s is of this machine: %s', (address, local) => {
    expect(isLoopback(address)).toBe(local)
  })
})
