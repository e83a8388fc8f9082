/** Services that fail for a moment: asked again, without anything being done twice, within the time of the command. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PrivateSigstore } from '../../../../src/server/index.ts'
import { createServer } from '../../../../src/server/index.ts'
import { paths } from '../../../support/signing-services.ts'
import type { TestServer } from '../../http/test-server.ts'
import { startServer } from '../../http/test-server.ts'
import type { Outcome } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'
import { askedServices, createWorkspace } from './signing-workspace.ts'

describe.each(askedServices)('the %s (%s)', (kind, address, log) => {
  it.each([429, 503])('that is busy (%i) is asked again when it says', async (status) => {
    const workspace = await createWorkspace({ log, answers: { [address]: [{ status, headers: { 'retry-after': '0' } }] } })
    expect(await workspace.sign()).toMatchObject({ exitCode: 0 })
    expect(workspace.services.requests.filter((request) => request === `POST ${address}`)).toHaveLength(2)
  })

  it('that is busy for longer than the command has time is not waited for', async () => {
    const busy = { status: 503, headers: { 'retry-after': '20' } }
    const workspace = await createWorkspace({ log, answers: { [address]: [busy, busy, busy] } })
    const refused = await workspace.sign(['--timeout', '300ms'])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('the command did not finish within 300ms')
    expect(workspace.written()).toEqual([])
  })

  it('that stays busy is named with what it answers', async () => {
    const busy = { status: 503, headers: { 'retry-after': '0' }, body: '{"message":"closed for the night"}' }
    const workspace = await createWorkspace({ log, answers: { [address]: [busy, busy, busy] } })
    const { stderr } = await workspace.sign()
    expect(stderr.split('\n').filter((line) => line.startsWith('Error: '))).toEqual([
      expect.stringMatching(`the ${kind} 127\\.0\\.0\\.1:\\d+.* refused with status 503: "closed for the night"`),
    ])
  })

  it('that refuses is not asked again', async () => {
    const workspace = await createWorkspace({ log, answers: { [address]: [{ status: 400, body: '{"message":"no"}' }] } })
    expect(await workspace.sign()).toMatchObject({ exitCode: 1 })
    expect(workspace.services.requests.filter((request) => request === `POST ${address}`)).toHaveLength(1)
  })
})

describe.each(['v1', 'v2'] as const)('timestamp authority and log (%s)', (log) => {
  it('are asked at the same time: each before the other has answered', async () => {
    const address = log === 'v1' ? paths.rekorV1 : paths.rekorV2
    const workspace = await createWorkspace({ log, answers: { [paths.timestamp]: ['hang'], [address]: ['hang'] } })
    const interruption = new AbortController()
    const running = workspace.sign([], { signal: interruption.signal })
    const asked = (): string[] => workspace.services.requests.filter((request) => !request.endsWith(paths.certificate)).toSorted()
    await expect.poll(asked).toEqual([`POST ${paths.timestamp}`, `POST ${address}`].toSorted())
    interruption.abort(new Error('enough was seen'))
    await running
  })
})

/** Whose answer to the first request of each kind is lost on its way. */
describe('an answer that is lost', () => {
  let server: PrivateSigstore
  let folder = ''
  const write = (name: string, contents: string): void => writeFileSync(path.join(folder, name), contents)

  beforeAll(async () => {
    server = await createServer()
    folder = mkdtempSync(path.join(tmpdir(), 'countersign-lost-'))
    write('artifact', 'an artifact')
    write('token', await server.identityToken('dev@example.com'))
    write('root.json', server.trustedRoot)
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await server.close()
  })

  function startLossyProxy(): Promise<TestServer> {
    const seen = new Set<string>()
    const passOn = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const headers = Object.fromEntries(
        Object.entries(request.headers).flatMap(([name, value]) =>
          /^(?:content-type|accept|authorization)$/.test(name) ? [[name, String(value)]] : [],
        ),
      )
      const body = request.method === 'GET' ? {} : { body: Buffer.concat(chunks) }
      const answer = await fetch(`${server.url}${request.url}`, { method: request.method ?? '', headers, ...body })
      const contents = Buffer.from(await answer.arrayBuffer())
      const isFirst = !seen.has(request.url ?? '')
      seen.add(request.url ?? '')
      if (isFirst && request.method === 'POST') return void request.socket.destroy()
      const location = answer.headers.get('location')
      response.writeHead(answer.status, {
        'content-type': answer.headers.get('content-type') ?? '',
        ...(location === null ? {} : { location }),
        ...(answer.headers.has('x-log-index') ? { 'x-log-index': answer.headers.get('x-log-index') ?? '' } : {}),
      })
      response.end(contents)
    }
    return startServer((request, response) => void passOn(request, response))
  }

  /** The services of the signing config behind the proxy, with the log of one API. */
  function configFor(proxy: TestServer, version: number): string {
    const config = JSON.parse(server.signingConfig.replaceAll(server.url, proxy.origin)) as { rekorTlogUrls: { majorApiVersion: number }[] }
    return JSON.stringify({ ...config, rekorTlogUrls: config.rekorTlogUrls.filter(({ majorApiVersion }) => majorApiVersion === version) })
  }

  const sizeOf = async (api: 'v1' | 'v2'): Promise<number> => {
    if (api === 'v1') return ((await (await fetch(`${server.url}/api/v1/log`)).json()) as { treeSize: number }).treeSize
    return Number((await (await fetch(`${server.url}/api/v2/checkpoint`)).text()).split('\n')[1])
  }

  const run = (...words: readonly string[]): Promise<Outcome> =>
    runCaptured(words, { cwd: folder, env: { HOME: folder }, now: server.now() })

  it.each([
    ['v1', 1],
    ['v2', 2],
  ] as const)('costs a repetition and no second entry in the log (%s)', async (api, version) => {
    const proxy = await startLossyProxy()
    write('config.json', configFor(proxy, version))
    const before = await sizeOf(api).catch(() => 0)
    const files = ['--signing-config', 'config.json', '--trusted-root', 'root.json']
    const signed = await run('sign-blob', 'artifact', '--bundle', 'b.json', '--identity-token', 'token', ...files)
    expect(signed.exitCode, signed.stderr).toBe(0)
    expect(await sizeOf(api)).toBe(before + 1)
    const add = `POST /api/${api}/log/entries`
    expect(proxy.requests.filter((request) => request === add)).toHaveLength(2)
    const who = ['--certificate-identity', 'dev@example.com', '--certificate-oidc-issuer', `${server.url}/oidc`]
    expect((await run('verify-blob', 'artifact', '--bundle', 'b.json', '--trusted-root', 'root.json', ...who)).stderr).toContain(
      'Verified OK',
    )
  })
})
