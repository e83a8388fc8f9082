/** What a broken or a hostile registry does, and what becomes of it. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { attachmentsOf } from '../../../src/oci/attachments.ts'
import { findSignatures } from '../../../src/oci/find-signatures.ts'
import type { Descriptor } from '../../../src/oci/manifest.ts'
import { mediaType } from '../../../src/oci/manifest.ts'
import { openRegistryRepository } from '../../../src/oci/registry-repository.ts'
import type { RegistryOptions } from '../../../src/oci/registry-session.ts'
import { RegistrySession } from '../../../src/oci/registry-session.ts'
import type { Repository } from '../../../src/oci/repository.ts'
import { createTransfer } from '../../../src/oci/transfer.ts'
import { pushImage, pushIndex, referrerOf } from '../../support/images.ts'
import type { FakeRegistry, FakeRegistryOptions } from '../../support/registry-fake.ts'
import { signStatement } from '../../support/universe/universe.ts'
import { answer, cutOff, digestOf, hangUp, ociIndex, ociManifest, startFakeRegistry } from '../../support/registry-fake.ts'

const user = { username: 'alice', password: 'secret' } as const
const credentials = () => Promise.resolve({ kind: 'password' as const, ...user })
const nowhere = `sha256:${'0'.repeat(64)}`

interface Opened {
  readonly registry: FakeRegistry
  readonly repository: Repository
}

async function open(options: FakeRegistryOptions = {}, session: RegistryOptions = {}): Promise<Opened> {
  const registry = await startFakeRegistry(options)
  onTestFinished(() => registry.stop())
  return { registry, repository: repositoryOf(registry, session) }
}

function repositoryOf({ host }: FakeRegistry, session: RegistryOptions = {}): Repository {
  return openRegistryRepository(new RegistrySession(host, { env: {}, ...session }), { registry: host, repository: 'app' })
}

async function read(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(Uint8Array.from(chunk))
  return Buffer.concat(parts)
}

function lines({ requests }: FakeRegistry): string[] {
  return requests.map(({ method, target }) => `${method} ${target}`)
}

function seenBy({ requests }: FakeRegistry): string[] {
  return requests.flatMap(({ headers }) => headers.authorization ?? [])
}

describe('credentials', () => {
  it.each(['basic', 'bearer'] as const)('are shown only after they were asked for (%s)', async (kind) => {
    const { registry, repository } = await open({ auth: { kind, ...user } }, { credentials })
    await expect(repository.resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const [first] = registry.requests
    expect(first?.headers.authorization).toBeUndefined()
    expect(lines(registry).filter((line) => line.startsWith('GET /token'))).toHaveLength(kind === 'bearer' ? 1 : 0)
  })

  it('are asked for once by requests that run at once, and no refusal of one is a refusal of another', async () => {
    for (const kind of ['basic', 'bearer'] as const) {
      const { registry, repository } = await open({ auth: { kind, ...user } }, { credentials })
      const asked = Array.from({ length: 20 }, () => repository.hasBlob(nowhere))
      expect(await Promise.all(asked)).not.toContain(true)
      expect(lines(registry).filter((line) => line.startsWith('GET /token')).length).toBeLessThanOrEqual(1)
    }
  })

  it('that are wrong end in one refusal, not in a loop', async () => {
    for (const kind of ['basic', 'bearer'] as const) {
      const wrong = () => Promise.resolve({ kind: 'password' as const, username: 'alice', password: 'wrong' })
      const { registry, repository } = await open({ auth: { kind, ...user } }, { credentials: wrong })
      await expect(repository.resolve('v1')).rejects.toThrow(/does not let us in|check the credentials/)
      expect(registry.requests.length).toBeLessThan(6)
      expect(registry.requests.map(({ target }) => target).join(' ')).not.toContain('wrong')
    }
  })

  it('are not asked for without end by a registry that never has enough', async () => {
    const { registry, repository } = await open({}, { credentials })
    registry.rule(/./, answer(401, { 'www-authenticate': 'Basic realm="more"' }))
    await expect(repository.resolve('v1')).rejects.toThrow('status 401')
    expect(registry.requests.length).toBeLessThan(6)
  })

  it('that cannot be shown in the way that is demanded are not shown', async () => {
    const { registry, repository } = await open({}, { credentials })
    registry.rule('HEAD', answer(401, { 'www-authenticate': 'Negotiate' }))
    await expect(repository.resolve('v1')).rejects.toMatchObject({ code: 'SERVICE_REFUSED' })
    expect(seenBy(registry)).toEqual([])
  })

  it('get a new token when the old one is over, or is revoked', async () => {
    const { registry, repository } = await open({ auth: { kind: 'bearer', ...user }, tokenLifetime: 1 }, { credentials })
    await pushImage(repository, 'v1')
    expect((await repository.resolve('v1')).size).toBeGreaterThan(0)
    registry.rule('GET /v2/app/tags', answer(401, { 'www-authenticate': `Bearer realm="http://${registry.host}/token",service="fake"` }), 1)
    expect(await repository.tags()).toEqual(['v1'])
  })

  it.each(['http://tokens.example/', 'http://169.254.169.254/latest/meta-data/', 'file:///etc/passwd', 'not a URL', ''])(
    'go to no token service at %j',
    async (realm) => {
      const { registry, repository } = await open({}, { credentials })
      registry.rule(/^(HEAD|GET) \/v2/, answer(401, { 'www-authenticate': `Bearer realm="${realm}",service="x"` }))
      await expect(repository.resolve('v1')).rejects.toThrow('it names a token service that is not asked')
      expect(seenBy(registry)).toEqual([])
    },
  )

  it('are not repeated when a token service refuses them, or answers rubbish', async () => {
    for (const body of ['', '{}', '{"token":"two words"}', '{"token":5}', '[]', '{"token":"a\\nb"}']) {
      const { registry, repository } = await open({ auth: { kind: 'bearer', ...user } }, { credentials })
      registry.rule('GET /token', answer(200, { 'content-type': 'application/json' }, body))
      const refused = repository.resolve('v1')
      await expect(refused).rejects.toThrow()
      await expect(refused).rejects.not.toThrow('secret')
    }
  })

  it('stay where they are when a blob or an upload is elsewhere', async () => {
    const elsewhere = await startFakeRegistry()
    onTestFinished(() => elsewhere.stop())
    const { registry, repository } = await open({ auth: { kind: 'basic', ...user } }, { credentials })
    const bytes = Buffer.from('elsewhere')
    const digest = registry.putBlob('app', bytes)
    elsewhere.putBlob('app', bytes)
    registry.rule(`GET /v2/app/blobs/${digest}`, answer(307, { location: `http://${elsewhere.host}/v2/app/blobs/${digest}` }))
    expect(await repository.blob({ mediaType: 'x', digest, size: bytes.length }, 100)).toHaveLength(bytes.length)
    expect(await read(await repository.openBlob({ mediaType: 'x', digest, size: bytes.length }))).toHaveLength(bytes.length)
    registry.rule('POST', answer(202, { location: `http://${elsewhere.host}/v2/app/blobs/uploads/1` }))
    await expect(repository.putBlob(Buffer.from('new'))).rejects.toThrow()
    expect(elsewhere.requests.length).toBeGreaterThan(2)
    expect(seenBy(elsewhere)).toEqual([])
    expect(seenBy(registry).length).toBeGreaterThan(0)
  })

  it.each(['Basic realm="elsewhere"', 'Bearer'])('are not for where a blob or an upload is, which asks for them with %s', async (asked) => {
    const elsewhere = await startFakeRegistry()
    onTestFinished(() => elsewhere.stop())
    const challenge = asked === 'Bearer' ? `Bearer realm="http://${elsewhere.host}/token",service="fake"` : asked
    elsewhere.rule(/ \/v2/, answer(401, { 'www-authenticate': challenge }))
    elsewhere.rule(/ \/token/, answer(200, { 'content-type': 'application/json' }, '{"token":"theirs"}'))
    const { registry, repository } = await open({ auth: { kind: 'bearer', ...user } }, { credentials })
    const bytes = Buffer.from('elsewhere')
    const digest = registry.putBlob('app', bytes)
    const blob = { mediaType: 'x', digest, size: bytes.length }
    expect(await repository.blob(blob, 100)).toHaveLength(bytes.length)
    registry.rule(`GET /v2/app/blobs/${digest}`, answer(307, { location: `http://${elsewhere.host}/v2/app/blobs/${digest}` }))
    registry.rule('POST', answer(202, { location: `http://${elsewhere.host}/v2/app/blobs/uploads/1` }))
    const refusal = `${elsewhere.host}, where the registry ${registry.host} sent us, asks for credentials`
    await expect(repository.blob(blob, 100)).rejects.toThrow(refusal)
    await expect(repository.openBlob(blob)).rejects.toThrow(refusal)
    await expect(repository.putBlob(Buffer.from('new'))).rejects.toThrow(refusal)
    expect(seenBy(elsewhere)).toEqual([])
    expect(lines(elsewhere).join(' ')).not.toContain('/token')
    const withPassword = registry.requests.filter(({ headers }) => headers.authorization?.startsWith('Basic ') === true)
    expect(withPassword.filter(({ target }) => !target.startsWith('/token'))).toEqual([])
  })

  it('are not sent without TLS to another machine, unless the user allows it', async () => {
    const { registry } = await open({ auth: { kind: 'basic', ...user } })
    // Every request goes through the proxy, which passes it on whatever host it is for.
    const proxy = createServer((request, response) => {
      const passOn = async (): Promise<void> => {
        const address = `http://${registry.host}${new URL(request.url ?? '').pathname}`
        const got = await fetch(address, { headers: request.headers as Record<string, string> })
        response.writeHead(got.status, { 'www-authenticate': got.headers.get('www-authenticate') ?? '' })
        response.end(Buffer.from(await got.arrayBuffer()))
      }
      void passOn()
    })
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve)
    })
    onTestFinished(() => void proxy.close())
    const address = proxy.address()
    const env = { HTTP_PROXY: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, HTTPS_PROXY: 'http://127.0.0.1:9' }
    const at = (options: RegistryOptions) =>
      openRegistryRepository(new RegistrySession('10.1.2.3', { env, credentials, ...options }), { registry: '10.1.2.3', repository: 'app' })
    await expect(at({}).manifest('v1')).rejects.toThrow('does not speak TLS, so no credentials are sent to it; use --allow-http-registry')
    const token = () => Promise.resolve({ kind: 'registry-token', token: 'secret' } as const)
    await expect(at({ credentials: token }).manifest('v1')).rejects.toThrow('does not speak TLS, so no credentials are sent to it')
    expect(seenBy(registry)).toEqual([])
    await expect(at({ allowHttp: true }).manifest('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(seenBy(registry)).toHaveLength(1)
  })
})

describe('what a registry gives', () => {
  it('must be what was asked for: a manifest', async () => {
    const { registry, repository } = await open()
    const image = await pushImage(repository, 'v1')
    const other = Buffer.from(JSON.stringify({ mediaType: ociManifest, config: {}, layers: [] }))
    registry.rule(`GET /v2/app/manifests/${image.digest}`, answer(200, { 'content-type': ociManifest }, other))
    await expect(repository.manifest(image.digest)).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' })
    registry.rule('GET /v2/app/manifests/v1', answer(200, { 'content-type': ociManifest, 'docker-content-digest': image.digest }, other))
    await expect(repository.manifest('v1')).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' })
  })

  it('must be what was asked for: a blob, whole or in pieces', async () => {
    const { registry, repository } = await open()
    const digest = registry.putBlob('app', 'what it should be')
    for (const wrong of ['what it shouldn’t', 'what it shoulD be', '', 'what it should be, and more']) {
      registry.rule(`GET /v2/app/blobs/${digest}`, answer(200, {}, wrong))
      const descriptor: Descriptor = { mediaType: 'x', digest, size: 17 }
      const refusal = { code: expect.stringMatching(/^(CONTENT_MISMATCH|TOO_LARGE)$/) as unknown }
      await expect(repository.blob(descriptor, 100)).rejects.toMatchObject(refusal)
      await expect(repository.openBlob(descriptor).then(read)).rejects.toMatchObject(refusal)
    }
  })

  it('is refused when it is announced as a gigabyte, before it is read', async () => {
    const { registry, repository } = await open()
    registry.rule('GET /v2/app/manifests/', (_, response) => {
      response.writeHead(200, { 'content-type': ociManifest, 'content-length': String(1024 ** 3) })
      response.write(Buffer.alloc(1000))
    })
    await expect(repository.manifest('v1')).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await expect(repository.blob({ mediaType: 'x', digest: nowhere, size: 1024 ** 3 }, 128 * 1024 ** 2)).rejects.toMatchObject({
      code: 'TOO_LARGE',
    })
    expect(lines(registry).filter((line) => line.includes('/blobs/'))).toEqual([])
  })

  it('may have its media type with a character set', async () => {
    const { registry, repository } = await open()
    const image = await pushImage(repository, 'v1')
    const note = await repository.attach(await referrerOf(repository, image, 'note'), image.digest)
    const stored = registry.manifests.get(`app@${image.digest}`)
    registry.rule('GET /v2/app/manifests/v1', answer(200, { 'content-type': `${ociManifest}; charset=utf-8` }, stored?.bytes ?? ''))
    expect((await repository.manifest('v1')).mediaType).toBe(ociManifest)
    const list = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [note] })
    registry.rule('GET /v2/app/referrers/', answer(200, { 'content-type': `${ociIndex}; charset=utf-8` }, list))
    expect(await repository.referrers(image.digest)).toMatchObject({ source: 'api', descriptors: [{ digest: note.digest }] })
  })

  it('is asked for in another way where HEAD says nothing, or is not to be had', async () => {
    const { registry, repository } = await open()
    const image = await pushImage(repository, 'v1')
    for (const status of [200, 405, 400, 501]) {
      registry.rule('HEAD /v2/app/manifests/', answer(status), 1)
      expect(await repository.resolve('v1')).toEqual(image)
    }
  })

  it('is asked for again when the connection breaks off in the middle', async () => {
    const { registry, repository } = await open()
    const image = await pushImage(repository, 'v1')
    const stored = registry.manifests.get(`app@${image.digest}`)
    registry.rule('GET /v2/app/manifests/v1', cutOff(stored?.bytes ?? new Uint8Array(), 10, { 'content-type': ociManifest }), 1)
    registry.rule('GET /v2/app/manifests/v1', hangUp, 1)
    expect((await repository.manifest('v1')).digest).toBe(image.digest)
  })

  it('is waited for when it says how long to wait', async () => {
    const { registry, repository } = await open()
    const image = await pushImage(repository, 'v1')
    registry.rule('GET /v2/app/manifests/v1', answer(429, { 'retry-after': '0' }), 2)
    expect((await repository.manifest('v1')).digest).toBe(image.digest)
    registry.rule('GET /v2/app/manifests/v1', answer(429, { 'retry-after': '9999' }))
    await expect(repository.manifest('v1')).rejects.toThrow('status 429')
  })

  it.each(['../../other/manifests/v1', 'v1?x=y', 'v1/../v2', '', '.', `sha512-${'a'.repeat(128)}.sig`])(
    'is not asked for what could mean another repository: %s',
    async (target) => {
      const { registry, repository } = await open()
      for (const ask of [() => repository.manifest(target), () => repository.resolve(target), () => repository.remove(target)])
        await expect(ask()).rejects.toMatchObject({ code: 'NOT_FOUND' })
      const manifest = { bytes: Buffer.from('{}'), mediaType: 'x', digest: digestOf('{}') }
      await expect(repository.putManifest(manifest, target)).rejects.toThrow('is no tag that a registry takes')
      expect(registry.requests).toEqual([])
    },
  )

  it('loses nothing where nothing may be removed', async () => {
    const { registry, repository } = await open()
    const image = await pushImage(repository, 'v1')
    registry.rule('DELETE ', answer(405))
    await expect(repository.remove('v1')).rejects.toThrow('status 405')
    expect((await repository.resolve('v1')).digest).toBe(image.digest)
  })

  it('explains itself in one line, whatever it sends', async () => {
    const { registry, repository } = await open()
    const errors = [{ code: 'DENIED', message: `no\u001B[31m\n${'x'.repeat(5000)}` }]
    registry.rule('GET /v2/app/manifests/v1', answer(403, {}, JSON.stringify({ errors })))
    const message = await repository.manifest('v1').then(
      () => '',
      (error: unknown) => String(error),
    )
    expect(message).toContain('DENIED: no')
    expect(message.split('').every((character) => character >= ' ')).toBe(true)
    expect(message.length).toBeLessThan(600)
  })
})

describe('a download', () => {
  const bytes = Buffer.alloc(300_000, 'download')
  const descriptor: Descriptor = { mediaType: 'x', digest: digestOf(bytes), size: bytes.length }

  it('goes on where it broke off', async () => {
    const { registry, repository } = await open()
    registry.putBlob('app', bytes)
    registry.rule('GET /v2/app/blobs/', (request, response) => {
      const from = Number(/^bytes=([0-9]+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
      const range = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}`, 'content-length': String(bytes.length - from) }
      response.writeHead(from === 0 ? 200 : 206, range)
      const part = bytes.subarray(from, from + 100_000)
      response.write(part, () => (from + part.length === bytes.length ? response.end() : response.destroy()))
    })
    expect(Buffer.compare(await read(await repository.openBlob(descriptor)), bytes)).toBe(0)
    expect(registry.requests.flatMap(({ headers }) => headers.range ?? []).length).toBeGreaterThan(0)
  })

  it('begins anew where the registry cannot go on', async () => {
    const { registry, repository } = await open()
    registry.putBlob('app', bytes)
    registry.rule('GET /v2/app/blobs/', cutOff(bytes, 200_000), 2)
    expect(Buffer.compare(await read(await repository.openBlob(descriptor)), bytes)).toBe(0)
  })

  it('ends when it keeps breaking off', async () => {
    const { registry, repository } = await open()
    registry.putBlob('app', bytes)
    registry.rule('GET /v2/app/blobs/', cutOff(bytes, 1))
    await expect(read(await repository.openBlob(descriptor))).rejects.toMatchObject({ code: 'NETWORK_FAILED' })
    expect(registry.requests.length).toBeLessThan(20)
  })

  it('is of no use when what it goes on with is something else', async () => {
    const { registry, repository } = await open()
    registry.putBlob('app', bytes)
    registry.rule('GET /v2/app/blobs/', answer(200, {}, Buffer.alloc(bytes.length, 'another!')))
    registry.rule('GET /v2/app/blobs/', cutOff(bytes, 100_000), 1)
    await expect(read(await repository.openBlob(descriptor))).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' })
  })
})

describe('an upload', () => {
  const large = Buffer.alloc(20 * 1024 * 1024, 'upload')
  const digest = `sha256:${createHash('sha256').update(large).digest('hex')}`

  it('of something large goes on where a piece was cut off', async () => {
    const { registry, repository } = await open()
    registry.rule('PATCH', hangUp, 1)
    registry.rule('PATCH', answer(502), 1)
    await repository.putBlob(large)
    expect(registry.blobs.get(`app@${digest}`)?.length).toBe(large.length)
    expect(lines(registry).filter((line) => line.startsWith('POST'))).toHaveLength(1)
  })

  it('is begun anew when the registry has lost it', async () => {
    const { registry, repository } = await open()
    registry.rule('PATCH', answer(404, {}, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}'), 1)
    await repository.putBlob(large)
    registry.rule('PUT', answer(400, {}, '{"errors":[{"code":"DIGEST_INVALID"}]}'), 1)
    await repository.putBlob(Buffer.from('small'))
    expect(registry.blobs.size).toBe(2)
  })

  it('whose last answer was lost is done', async () => {
    const { registry, repository } = await open()
    registry.rule(
      'PUT',
      (request, _, body) => {
        registry.putBlob('app', body)
        request.socket.destroy()
      },
      1,
    )
    registry.rule('PUT /v2/app/blobs', answer(404), 1)
    await repository.putBlob(Buffer.from('done'))
    expect(registry.blobs.size).toBe(1)
  })

  it('is not tried without end', async () => {
    const { registry, repository } = await open()
    registry.rule('PUT', answer(400, {}, '{"errors":[{"code":"DIGEST_INVALID","message":"no"}]}'))
    await expect(repository.putBlob(Buffer.from('small'))).rejects.toThrow('DIGEST_INVALID: no')
    expect(registry.requests.length).toBeLessThan(30)
  })

  it('takes over what another repository has, and is sent where it may not', async () => {
    const { registry, repository } = await open()
    const has = registry.putBlob('other', 'taken over')
    await repository.putBlob(Buffer.from('taken over'), 'other')
    expect(lines(registry)).toContain(`POST /v2/app/blobs/uploads/?mount=${encodeURIComponent(has)}&from=other`)
    expect(lines(registry).filter((line) => line.startsWith('PUT'))).toEqual([])
    registry.putBlob('private', 'sent')
    registry.rule(/from=private/, answer(403))
    await repository.putBlob(Buffer.from('sent'), 'private')
    expect(registry.blobs.get(`app@${digestOf('sent')}`)).toBeDefined()
  })

  it('does not go where a registry without an address for it does not say', async () => {
    const { registry, repository } = await open()
    for (const headers of [{}, { location: 'http://[' }, { location: 'ftp://elsewhere.example/' }]) {
      registry.rule('POST', answer(202, headers), 1)
      await expect(repository.putBlob(Buffer.from('x'))).rejects.toThrow(/does not say where to|names an address that is not used/)
    }
  })

  it('of a manifest that the registry stores as something else is an error', async () => {
    const { registry, repository } = await open()
    registry.rule('PUT /v2/app/manifests', answer(201, { 'docker-content-digest': nowhere }))
    await expect(pushImage(repository, 'v1')).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' })
  })
})

describe('referrers', () => {
  it('are read from every page, on this registry whatever host the pages name', async () => {
    const { registry, repository } = await open({ pageSize: 3 })
    const image = await pushImage(repository, 'v1')
    for (let at = 0; at < 8; at++) await repository.attach(await referrerOf(repository, image, `note ${at}`), image.digest)
    expect((await repository.referrers(image.digest)).descriptors).toHaveLength(8)
    const page = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [] })
    const link = `<http://internal.example/v2/app/referrers/${image.digest}?start=0>; rel="next"`
    registry.rule('GET /v2/app/referrers/', answer(200, { 'content-type': ociIndex, link }, page), 1)
    expect((await repository.referrers(image.digest)).descriptors).toHaveLength(8)
  })

  it('without end are refused', async () => {
    const { registry, repository } = await open()
    const page = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [] })
    registry.rule('GET /v2/app/referrers/', (request, response) =>
      answer(200, { 'content-type': ociIndex, link: `<${request.url}>; rel=next` }, page)(request, response, page as never),
    )
    await expect(repository.referrers(nowhere)).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  it.each([
    ['referrers', { schemaVersion: 2, mediaType: ociIndex, manifests: [] }],
    ['tags', { tags: [] }],
  ] as const)('and %s that trickle in page by page end when their time is over', async (kind, page) => {
    const { registry, repository } = await open({}, { listTimeoutMs: 300 })
    registry.rule(`GET /v2/app/${kind}/`, async (request, response) => {
      await new Promise((resolve) => {
        setTimeout(resolve, 50)
      })
      return answer(200, { 'content-type': ociIndex, link: `<${request.url}>; rel=next` }, JSON.stringify(page))(
        request,
        response,
        Buffer.of(),
      )
    })
    const listed = kind === 'tags' ? repository.tags() : repository.referrers(nowhere)
    await expect(listed).rejects.toMatchObject({
      code: 'NETWORK_FAILED',
      message: expect.stringMatching(new RegExp(`^the list of the ${kind} of .* was not complete within 0.3 s`)) as string,
    })
    expect(registry.requests.length).toBeLessThan(20)
    // The time was that list's alone.
    expect(await repository.hasBlob(nowhere)).toBe(false)
  })

  it('are no longer asked for when the caller stops', async () => {
    const stop = new AbortController()
    const { registry, repository } = await open({}, { signal: stop.signal })
    const page = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [] })
    registry.rule('GET /v2/app/referrers/', (request, response) => {
      if (registry.requests.length === 3) stop.abort()
      return answer(200, { 'content-type': ociIndex, link: `<${request.url}>; rel=next` }, page)(request, response, Buffer.of())
    })
    await expect(repository.referrers(nowhere)).rejects.toMatchObject({ code: 'ABORTED' })
    expect(registry.requests.length).toBeLessThan(6)
  })

  it('in their ten thousands are refused, in bounded time', async () => {
    const { registry, repository } = await open()
    const manifests = Array.from({ length: 9_000 }, (_, at) => ({ mediaType: ociManifest, size: 1, digest: digestOf(String(at)) }))
    const body = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests })
    registry.rule(
      'GET /v2/app/referrers/',
      answer(200, { 'content-type': ociIndex, link: `</v2/app/referrers/${nowhere}?next>; rel="next"` }, body),
    )
    await expect(repository.referrers(nowhere)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    registry.rule('GET /v2/app/referrers/', answer(200, { 'content-type': ociIndex }, body))
    const { failures, signatures } = await findSignatures(repository, nowhere)
    expect(failures.map(({ code }) => code)).toEqual(['TOO_LARGE'])
    expect(signatures).toEqual([])
    expect(registry.requests.length).toBeLessThan(20)
  })

  it.each([401, 403, 429, 500, 503])('that are refused with %i are not taken for none', async (status) => {
    const { registry, repository } = await open({}, { timeoutMs: 60_000 })
    registry.rule('GET /v2/app/referrers/', answer(status, { 'retry-after': '0' }))
    await expect(repository.referrers(nowhere)).rejects.toMatchObject({ code: 'SERVICE_REFUSED' })
  })

  it.each([400, 404, 405, 406])('are looked for under the tag when the API answers %i', async (status) => {
    const { registry, repository } = await open()
    registry.rule('GET /v2/app/referrers/', answer(status))
    const note = { mediaType: ociManifest, size: 1, digest: digestOf('note') }
    registry.put('app', { schemaVersion: 2, mediaType: ociIndex, manifests: [note] }, ociIndex, nowhere.replace(':', '-'))
    expect(await repository.referrers(nowhere)).toMatchObject({ source: 'tag', descriptors: [note] })
  })

  it('are not overwritten where the tag is somebody else’s image', async () => {
    const { registry, repository } = await open({ referrers: false })
    const image = await pushImage(repository, 'v1')
    const tag = image.digest.replace(':', '-')
    const foreign = await pushImage(repository, tag, 'somebody’s mirror')
    await expect(repository.attach(await referrerOf(repository, image, 'note'), image.digest)).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
    })
    expect((await repository.resolve(tag)).digest).toBe(foreign.digest)
    const { unreadable, failures } = await findSignatures(repository, image.digest)
    expect(unreadable.join()).toContain('should be an index of referrers')
    expect(failures).toEqual([])
    expect(registry.manifests.size).toBeGreaterThan(2)
  })

  it('that a registry takes and does not list are an error, because nobody would find them', async () => {
    const { registry, repository } = await open()
    const image = await pushImage(repository, 'v1')
    registry.rule('PUT /v2/app/manifests', (request, response, body) => {
      registry.put('app', body)
      return answer(201)(request, response, body)
    })
    const page = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [] })
    registry.rule('GET /v2/app/referrers/', answer(200, { 'content-type': ociIndex }, page))
    await expect(repository.attach(await referrerOf(repository, image, 'note'), image.digest)).rejects.toThrow(
      'does not list it as a referrer',
    )
  })

  it('that cannot be read hide no others', async () => {
    const { registry, repository } = await open()
    const image = await pushImage(repository, 'v1')
    const type = 'application/vnd.dev.sigstore.bundle.v0.3+json'
    const manifest = await referrerOf(repository, image, signStatement().json, type)
    await repository.attach(manifest, image.digest)
    const listed = { mediaType: ociManifest, digest: manifest.digest, size: manifest.bytes.length, artifactType: type }
    const annotations = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`key${index}`, '']))
    const odd = [
      { ...listed, annotations },
      { ...listed, digest: 'md5:0' },
      { ...listed, size: -1 },
    ]
    const list = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [...odd, listed] })
    registry.rule(`GET /v2/app/referrers/${image.digest}`, answer(200, { 'content-type': ociIndex }, list))
    const { unreadable, looked, signatures } = await findSignatures(repository, image.digest)
    expect(signatures).toHaveLength(1)
    expect(looked.join()).toContain('1 referrer by the referrers API')
    expect(unreadable).toHaveLength(3)
    expect(unreadable.join()).toContain('1001 members, more than the limit')
    await expect(attachmentsOf(repository, image.digest)).rejects.toThrow('more than the limit')
  })

  it('of another image do not count', async () => {
    const { registry, repository } = await open()
    const image = await pushImage(repository, 'v1')
    const other = await pushImage(repository, 'v2', 'other')
    const type = 'application/vnd.dev.sigstore.bundle.v0.3+json'
    const manifest = await referrerOf(repository, other, '{}', type)
    await repository.attach(manifest, other.digest)
    const claimed = { mediaType: ociManifest, digest: manifest.digest, size: manifest.bytes.length, artifactType: type }
    const list = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [claimed] })
    registry.rule(`GET /v2/app/referrers/${image.digest}`, answer(200, { 'content-type': ociIndex }, list))
    const { signatures, unreadable } = await findSignatures(repository, image.digest)
    expect(signatures).toEqual([])
    expect(unreadable.join()).toContain(`and is about ${other.digest}`)
  })
})

describe('an index', () => {
  it('of indexes, too deep, is refused', async () => {
    const { registry, repository } = await open()
    let below = registry.put('app', { schemaVersion: 2, mediaType: ociIndex, manifests: [] }, ociIndex)
    for (let at = 0; at < 12; at++) {
      const size = registry.manifests.get(`app@${below}`)?.bytes.length ?? 0
      below = registry.put(
        'app',
        { schemaVersion: 2, mediaType: ociIndex, manifests: [{ mediaType: ociIndex, digest: below, size }] },
        ociIndex,
      )
    }
    const { repository: target } = await open()
    await expect(createTransfer({ source: repository, target }).copy(below)).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  it('that names itself cannot be what its digest says', async () => {
    const { registry, repository } = await open()
    const cyclic = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [{ mediaType: ociIndex, digest: nowhere, size: 5 }] })
    registry.rule(`GET /v2/app/manifests/${nowhere}`, answer(200, { 'content-type': ociIndex }, cyclic))
    const { repository: target } = await open()
    await expect(createTransfer({ source: repository, target }).copy(nowhere)).rejects.toMatchObject({ code: 'CONTENT_MISMATCH' })
  })

  it('and its images are copied once each, with layers from other addresses left alone', async () => {
    const { repository } = await open()
    const { index } = await pushIndex(repository, 'v1')
    const { registry: copy, repository: target } = await open()
    await createTransfer({ source: repository, target }).copy(index.digest)
    expect(copy.manifests.size).toBe(3)
    const foreign = {
      mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      digest: nowhere,
      size: 5,
      urls: ['http://169.254.169.254/'],
    }
    const config = { ...(await repository.putBlob(Buffer.from('{}'))), mediaType: mediaType.config }
    const source = await open()
    source.registry.putBlob('app', '{}')
    const image = source.registry.put('app', { schemaVersion: 2, mediaType: ociManifest, config, layers: [foreign] })
    await createTransfer({ source: source.repository, target }).copy(image)
    expect(lines(source.registry).filter((line) => line.includes(nowhere))).toEqual([])
  })
})
