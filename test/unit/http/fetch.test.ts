import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { fetchBytes, HttpStatusError, openUrl, request } from '../../../src/http/fetch.ts'
import { startServer } from './test-server.ts'

const env = {}

describe('request', () => {
  it('returns status, headers and body, and says where they came from', async () => {
    const server = await startServer((_, response) => {
      response.writeHead(409, { 'X-One': 'a', 'Set-Cookie': ['b=1', 'c=2'], Location: '/api/1' }).end('there already')
    })
    const response = await request(`${server.origin}/api?x=1`, { env, method: 'POST', body: Buffer.from('entry') })
    expect(response).toMatchObject({
      status: 409,
      url: `${server.origin}/api?x=1`,
      headers: { 'x-one': 'a', 'set-cookie': 'b=1, c=2', location: '/api/1' },
    })
    expect(Buffer.from(response.body).toString()).toBe('there already')
  })

  it('sends method, headers, a body with its length, and asks for no compression', async () => {
    const server = await startServer((incoming, response) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () =>
        response.end(JSON.stringify({ headers: incoming.headers, method: incoming.method, body: Buffer.concat(chunks).toString() })),
      )
    })
    const response = await request(`${server.origin}/x`, { env, method: 'PUT', headers: { Accept: 'a/b' }, body: Buffer.from('four') })
    const seen = JSON.parse(Buffer.from(response.body).toString()) as unknown
    expect(seen).toMatchObject({
      method: 'PUT',
      body: 'four',
      headers: { accept: 'a/b', 'content-length': '4', 'accept-encoding': 'identity', 'user-agent': 'countersign' },
    })
  })

  it('turns credentials in the address into a header and keeps them out of messages', async () => {
    let authorization = ''
    const server = await startServer((incoming, response) => {
      authorization = incoming.headers.authorization ?? ''
      response.writeHead(403).end()
    })
    const failure = fetchBytes(`http://user:s3cret%21@127.0.0.1:${server.port}/file?token=t0ken`, { env })
    await expect(failure).rejects.toThrow(`127.0.0.1:${server.port} answered 403 to GET "/file"`)
    await expect(failure).rejects.not.toThrow(/s3cret|t0ken/)
    expect(authorization).toBe(`Basic ${Buffer.from('user:s3cret!').toString('base64')}`)
  })

  it.each([
    ['no url at all', 'expected an http:// or https:// address, found "no url at all"'],
    ['file:///etc/passwd', 'expected an http:// or https:// address, found the scheme "file"'],
    ['ftp://example.com/x', 'expected an http:// or https:// address, found the scheme "ftp"'],
  ])('refuses the address %s', async (address, message) => {
    await expect(request(address, { env })).rejects.toMatchObject({ code: 'USAGE', message })
  })
})

describe('limits', () => {
  it('refuses an announced length over the limit before reading the body', async () => {
    const server = await startServer((_, response) => void response.writeHead(200, { 'content-length': 1_000_000 }).write('x'))
    await expect(fetchBytes(server.origin, { env, maxBytes: 10 })).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: `127.0.0.1:${server.port} answered with 1000000 bytes, more than the limit of 10`,
    })
  })

  it('stops reading endless data at the limit, and does not retry', async () => {
    let written = 0
    const server = await startServer((_, response) => {
      const write = () => {
        written++
        if (!response.destroyed && response.write(Buffer.alloc(16_384))) setImmediate(write)
        else response.once('drain', write)
      }
      write()
    })
    await expect(fetchBytes(server.origin, { env, maxBytes: 100_000 })).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringMatching(/answered with at least \d+ bytes, more than the limit of 100000/),
    })
    expect(server.requests).toHaveLength(1)
    expect(written).toBeLessThan(2_000)
  })

  it('takes an answer of exactly the limit, and the announced length of a HEAD as no body', async () => {
    const server = await startServer((_, response) => void response.writeHead(200, { 'content-length': 5 }).end('12345'))
    expect(await fetchBytes(server.origin, { env, maxBytes: 5 })).toHaveLength(5)
    expect((await request(server.origin, { env, method: 'HEAD', maxBytes: 1 })).headers['content-length']).toBe('5')
  })

  it('gives up on a server that trickles, at the deadline for everything together', async () => {
    const server = await startServer((_, response) => {
      const timer = setInterval(() => response.write('.'), 20)
      response.on('close', () => clearInterval(timer))
    })
    await expect(fetchBytes(server.origin, { env, timeoutMs: 200 })).rejects.toMatchObject({
      code: 'NETWORK_FAILED',
      message: `the request to 127.0.0.1:${server.port} was not complete within 0.2 s; check the network, or try again later`,
    })
  })

  it('gives up on a server that never answers', async () => {
    const server = await startServer(() => {})
    await expect(fetchBytes(server.origin, { env, timeoutMs: 100 })).rejects.toThrow('was not complete within 0.1 s')
  })

  it('refuses a content encoding, since none was asked for', async () => {
    const server = await startServer((_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('xx'))
    await expect(fetchBytes(server.origin, { env })).rejects.toMatchObject({
      code: 'NETWORK_FAILED',
      message: `127.0.0.1:${server.port} answered in the content encoding "gzip", which was not asked for`,
    })
  })
})

describe('an answer without success', () => {
  it('is an answer however long its explanation is, of which the beginning is kept', async () => {
    const server = await startServer((_, response) => void response.writeHead(404).end(Buffer.alloc(1_000_000, 'x')))
    const response = await request(server.origin, { env, maxBytes: 10 })
    expect(response.status).toBe(404)
    expect(response.body).toHaveLength(65_536)
  })

  it('is an answer even when its explanation is encoded or breaks off', async () => {
    const encoded = await startServer((_, response) => void response.writeHead(404, { 'content-encoding': 'gzip' }).end('xx'))
    expect(await request(encoded.origin, { env })).toMatchObject({ status: 404, body: new Uint8Array() })
    const broken = await startServer((_, response) => {
      response.writeHead(404, { 'content-length': 100 }).write('half')
      setTimeout(() => response.destroy(), 10)
    })
    expect(await request(broken.origin, { env })).toMatchObject({ status: 404, body: Buffer.from('half') })
  })
})

describe('abort', () => {
  it('ends a request that is under way, with the reason of the caller as the cause', async () => {
    const server = await startServer(() => {})
    const controller = new AbortController()
    setTimeout(() => controller.abort('enough'), 30)
    await expect(fetchBytes(server.origin, { env, signal: controller.signal })).rejects.toMatchObject({
      code: 'ABORTED',
      message: `the request to 127.0.0.1:${server.port} was aborted`,
      cause: 'enough',
    })
  })

  it('sends nothing when the signal is aborted already', async () => {
    const server = await startServer((_, response) => void response.end())
    await expect(fetchBytes(server.origin, { env, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(server.requests).toEqual([])
  })

  it('sends nothing when the signal is aborted while the connection is prepared, and does not wait for its time to end', async () => {
    const server = await startServer(() => {})
    for (const method of ['GET', 'POST']) {
      const controller = new AbortController()
      const answer = fetchBytes(server.origin, { env, method, idempotent: false, signal: controller.signal, timeoutMs: 60_000 })
      controller.abort()
      await expect(answer).rejects.toMatchObject({ code: 'ABORTED' })
    }
    expect(server.requests).toEqual([])
  })

  it('ends a pause between two attempts', async () => {
    const controller = new AbortController()
    const server = await startServer((_, response) => {
      response.writeHead(503, { 'retry-after': '20' }).end()
      setTimeout(() => controller.abort(), 50)
    })
    await expect(fetchBytes(server.origin, { env, signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(server.requests).toHaveLength(1)
  })
})

describe('retries', () => {
  /** Fails `failures` times in the given way, then answers `ok`. */
  const failing = (failures: number, fail: (response: ServerResponse) => void) => {
    let seen = 0
    return startServer((incoming, response) => {
      incoming.resume()
      if (++seen <= failures) fail(response)
      else response.end('ok')
    })
  }
  const unavailable = (response: ServerResponse) => response.writeHead(503, { 'retry-after': '0' }).end()

  it('repeats a request after 503 and after a connection that broke', async () => {
    const busy = await failing(2, unavailable)
    expect(await fetchBytes(busy.origin, { env })).toHaveLength(2)
    expect(busy.requests).toHaveLength(3)
    const broken = await failing(1, (response) => response.destroy())
    expect(await fetchBytes(broken.origin, { env })).toHaveLength(2)
    expect(broken.requests).toHaveLength(2)
  })

  it('repeats a request whose answer was cut short', async () => {
    const server = await failing(1, (response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half')
      setTimeout(() => response.destroy(), 10)
    })
    expect(Buffer.from(await fetchBytes(server.origin, { env })).toString()).toBe('ok')
  })

  it('returns the last answer when attempts run out', async () => {
    const server = await failing(9, unavailable)
    const failure = fetchBytes(`${server.origin}/a`, { env, retries: 1 })
    await expect(failure).rejects.toBeInstanceOf(HttpStatusError)
    await expect(failure).rejects.toMatchObject({
      code: 'NETWORK_FAILED',
      status: 503,
      message: `127.0.0.1:${server.port} answered 503 to GET "/a"`,
    })
    expect(server.requests).toHaveLength(2)
  })

  it('does not wait for longer than the deadline allows', async () => {
    const server = await failing(9, (response) => response.writeHead(429, { 'retry-after': '3600' }).end())
    expect((await request(server.origin, { env, timeoutMs: 60_000 })).status).toBe(429)
    expect(server.requests).toHaveLength(1)
  })

  it('never repeats a POST, unless it is said to be idempotent', async () => {
    const once = await failing(1, unavailable)
    expect((await request(once.origin, { env, method: 'POST', body: Buffer.from('x') })).status).toBe(503)
    const closed = await failing(1, (response) => response.destroy())
    await expect(request(closed.origin, { env, method: 'POST' })).rejects.toThrow(
      /could not reach 127\.0\.0\.1:\d+: the connection was closed/,
    )
    expect(closed.requests).toHaveLength(1)
    const search = await failing(1, unavailable)
    expect((await request(search.origin, { env, method: 'POST', idempotent: true })).status).toBe(200)
  })

  it.each([400, 401, 404, 409, 501])('does not repeat a request after %i', async (status) => {
    const server = await failing(1, (response) => response.writeHead(status).end())
    await expect(fetchBytes(server.origin, { env })).rejects.toBeInstanceOf(HttpStatusError)
    expect(server.requests).toHaveLength(1)
  })

  it('says after how many attempts a host could not be reached, and what to check', async () => {
    const server = await startServer(() => {})
    const { port } = server
    await expect(fetchBytes(`http://127.0.0.1:${port === 1 ? 2 : 1}/`, { env, retries: 1 })).rejects.toMatchObject({
      code: 'NETWORK_FAILED',
      message:
        'could not reach 127.0.0.1:1 after 2 attempts: the connection was refused; check the address and that the server is running (ECONNREFUSED)',
    })
  })

  it('repeats a request on a new connection where a server has closed those that were kept', async () => {
    const used = new WeakSet<object>()
    const arrived: (() => void)[] = []
    const server = await startServer(({ socket }, response) => {
      if (used.has(socket)) return void socket.destroy()
      used.add(socket)
      if (arrived.length === 4) return void response.end('x')
      // Four at once, so that as many connections are kept.
      if (arrived.push(() => response.end('x')) === 4) for (const answer of arrived) answer()
    })
    await Promise.all([1, 2, 3, 4].map(() => request(server.origin, { env })))
    expect((await request(server.origin, { env })).status).toBe(200)
    expect(server.requests).toHaveLength(6)
  })

  it('does not ride a POST on a kept connection', async () => {
    const ports = new Set<number | undefined>()
    const server = await startServer((incoming, response) => {
      ports.add(incoming.socket.remotePort)
      response.end('x')
    })
    await request(server.origin, { env })
    await request(server.origin, { env })
    expect(ports.size).toBe(1)
    await request(server.origin, { env, method: 'POST' })
    expect(ports.size).toBe(2)
  })
})

describe('redirects', () => {
  const redirecting = (status: number, location: string | undefined) =>
    startServer((incoming, response) => {
      if (incoming.url === '/') response.writeHead(status, location === undefined ? {} : { location }).end()
      else response.end(`${incoming.method} ${incoming.url} ${incoming.headers.authorization ?? 'anonymous'}`)
    })

  it('follows one on the same origin with its credentials', async () => {
    const server = await redirecting(302, '/next')
    const response = await request(server.origin, { env, headers: { authorization: 'Bearer t' } })
    expect(Buffer.from(response.body).toString()).toBe('GET /next Bearer t')
    expect(response.url).toBe(`${server.origin}/next`)
  })

  it('leaves credentials behind on the way to another origin', async () => {
    const other = await redirecting(200, undefined)
    const server = await redirecting(307, `${other.origin}/next`)
    const response = await request(server.origin, { env, headers: { Authorization: 'Bearer t' } })
    expect(Buffer.from(response.body).toString()).toBe('GET /next anonymous')
  })

  it('stops after five', async () => {
    const server = await startServer((incoming, response) => void response.writeHead(301, { location: `${incoming.url}x` }).end())
    await expect(request(server.origin, { env })).rejects.toThrow(`127.0.0.1:${server.port} answered with more than 5 redirects`)
    expect(server.requests).toHaveLength(6)
  })

  it('returns one as it is, or refuses it, when asked to', async () => {
    const server = await redirecting(302, '/next')
    expect((await request(server.origin, { env, redirect: 'manual' })).status).toBe(302)
    await expect(request(server.origin, { env, redirect: 'error' })).rejects.toThrow('answered with a redirect, which is not allowed here')
  })

  it.each([
    [302, undefined, 'GET', '(302) to no usable address'],
    [302, 'file:///etc/passwd', 'GET', '(302) to the scheme file:'],
    [301, '/next', 'POST', '(301) for a POST request'],
  ])('refuses %i to %s for %s', async (status, location, method, message) => {
    const server = await redirecting(status, location)
    await expect(request(server.origin, { env, method })).rejects.toThrow(message)
  })
})

describe('openUrl', () => {
  const read = async (chunks: AsyncIterable<Uint8Array>) => {
    let size = 0
    for await (const chunk of chunks) size += chunk.length
    return size
  }

  it('passes on an answer that is larger than any buffer', async () => {
    const server = await startServer((_, response) => {
      Readable.from(Array.from({ length: 400 }, () => Buffer.alloc(65_536))).pipe(response)
    })
    expect(await read(await openUrl(server.origin, { env }))).toBe(400 * 65_536)
  })

  it('throws for a status other than success', async () => {
    const server = await startServer((_, response) => void response.writeHead(404).end('no'))
    await expect(openUrl(`${server.origin}/f`, { env })).rejects.toThrow('answered 404 to GET "/f"')
  })

  it('throws for an answer that breaks off, falls silent, or is aborted in the middle', async () => {
    const broken = await startServer((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half')
      setTimeout(() => response.destroy(), 20)
    })
    await expect(read(await openUrl(broken.origin, { env }))).rejects.toMatchObject({ code: 'NETWORK_FAILED' })
    const silent = await startServer((_, response) => void response.write('half'))
    await expect(read(await openUrl(silent.origin, { env, idleTimeoutMs: 50 }))).rejects.toThrow(
      'sent nothing for 0.05 s in the middle of an answer',
    )
    const controller = new AbortController()
    const stream = await openUrl(silent.origin, { env, signal: controller.signal })
    setTimeout(() => controller.abort(), 20)
    await expect(read(stream)).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('closes the connection when the reader leaves early', async () => {
    let closed: (() => void) | undefined
    const whenClosed = new Promise<void>((resolve) => (closed = resolve))
    const server = await startServer((_, response) => {
      response.on('close', () => closed?.())
      response.write('first')
    })
    for await (const chunk of await openUrl(server.origin, { env })) {
      expect(chunk).toHaveLength(5)
      break
    }
    await whenClosed
  })
})
