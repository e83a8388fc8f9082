/** A timestamp authority that wants a certificate of its clients, behind TLS of an authority of its own. */
import { writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { paths } from '../../../support/signing-services.ts'
import { issue, pemOf } from '../../../support/universe/certificates.ts'
import { namedKey } from '../../../support/universe/keys.ts'
import type { Outcome } from '../captured-context.ts'
import type { Workspace } from './signing-workspace.ts'
import { createWorkspace } from './signing-workspace.ts'

const day = 86_400_000
const validity = { notBefore: Date.now() - day, notAfter: Date.now() + day }
const [serverAuth, clientAuth] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']
const root = issue({ key: namedKey('tls root'), name: 'tls root', ca: true, extendedKeyUsage: 'none', ...validity })
const server = issue(
  { key: namedKey('tsa tls'), name: 'tsa', subjects: [{ dns: 'tsa.example' }], extendedKeyUsage: [serverAuth ?? ''], ...validity },
  root,
)
const client = issue({ key: namedKey('client'), name: 'client', extendedKeyUsage: [clientAuth ?? ''], ...validity }, root)
const keyOf = (name: string): string => namedKey(name).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/** The timestamp authority of a workspace, behind TLS. */
async function startSecureAuthority(workspace: Workspace): Promise<string> {
  const passOn = async (body: Buffer, response: ServerResponse): Promise<void> => {
    const answer = await fetch(`${workspace.services.url}${paths.timestamp}`, { method: 'POST', body })
    response.writeHead(answer.status, { 'content-type': 'application/timestamp-reply' }).end(Buffer.from(await answer.arrayBuffer()))
  }
  const tls = { cert: pemOf(server.der), key: keyOf('tsa tls'), ca: pemOf(root.der), requestCert: true, rejectUnauthorized: true }
  const secure = createServer(tls, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => void passOn(Buffer.concat(chunks), response))
  })
  onTestFinished(
    () =>
      new Promise((resolve) => {
        secure.close(() => resolve())
        secure.closeAllConnections()
      }),
  )
  await new Promise<void>((resolve) => void secure.listen(0, '127.0.0.1', resolve))
  return `https://127.0.0.1:${(secure.address() as AddressInfo).port}${paths.timestamp}`
}

async function sign(words: readonly string[]): Promise<{ readonly workspace: Workspace; readonly outcome: Outcome }> {
  const workspace = await createWorkspace()
  const write = (name: string, contents: string): void => writeFileSync(path.join(workspace.folder, name), contents)
  write('ca.pem', pemOf(root.der))
  write('client.pem', pemOf(client.der))
  write('client.key', keyOf('client'))
  const urls = ['--fulcio-url', workspace.services.url, '--rekor-url', workspace.services.url]
  const tsa = ['--timestamp-server-url', await startSecureAuthority(workspace)]
  const common = ['--bundle', 'b.json', '--identity-token', 'token', '--trusted-root', 'root.json', '--use-signing-config=false', '--yes']
  return { workspace, outcome: await workspace.run(['sign-blob', 'artifact', ...common, ...urls, ...tsa, ...words]) }
}

const authority = ['--timestamp-client-cacert', 'ca.pem']
const name = ['--timestamp-server-name', 'tsa.example']
const certificate = ['--timestamp-client-cert', 'client.pem', '--timestamp-client-key', 'client.key']

it('is reached with certificate, authority and name, which the other services are not', async () => {
  const { workspace, outcome } = await sign([...authority, ...name, ...certificate])
  expect(outcome.exitCode, outcome.stderr).toBe(0)
  expect(workspace.read('b.json')).toContain('rfc3161Timestamps')
})

it.each([
  ['without a certificate', [...authority, ...name], /the timestamp authority 127\.0\.0\.1:\d+\S* cannot be used/],
  ['without its authority', [...name, ...certificate], /its TLS certificate is from an authority that is not trusted here/],
  ['without its name', [...authority, ...certificate], /its TLS certificate is for another name/],
  ['with half a certificate', [...authority, ...name, '--timestamp-client-cert', 'client.pem'], /belong together/],
  [
    'with a certificate that is not there',
    [...certificate, '--timestamp-client-cert', 'no.pem'],
    /the file of --timestamp-client-cert no\.pem cannot be read/,
  ],
])('is not reached %s, in one sentence', async (_, words, sentence) => {
  const { workspace, outcome } = await sign(words)
  expect(outcome.exitCode).toBe(1)
  expect(outcome.stderr.match(/^Error: .*/gm)).toEqual([expect.stringMatching(sentence)])
  expect(workspace.written()).not.toContain('b.json')
})
