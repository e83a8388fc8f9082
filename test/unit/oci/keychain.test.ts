/** `--k8s-keychain`: which source is asked for which registry, and that no other registry gets what it gives. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { keychainCredentials } from '../../../src/oci/keychain.ts'
import { parseRepository } from '../../../src/oci/reference.ts'
import type { RegistryCredentials } from '../../../src/oci/registry-login.ts'

interface World {
  readonly folder: string
  readonly told: string[]
  ask(name: string, env?: Readonly<Record<string, string>>, namespace?: string): Promise<RegistryCredentials | undefined>
}

function newWorld(): World {
  const folder = mkdtempSync(path.join(tmpdir(), 'keychain-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const told: string[] = []
  return {
    folder,
    told,
    ask: (name, env = {}, namespace) =>
      keychainCredentials(parseRepository(name), {
        env: { PATH: `${folder}:/usr/bin:/bin`, HOME: folder, ...env },
        home: folder,
        cwd: folder,
        namespace,
        tell: (sentence) => told.push(sentence),
      }),
  }
}

/** Answers by path; everything else is 404. */
async function serve(answers: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string>> = {}, status = 200) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    const answer = answers[request.url ?? '']
    response.writeHead(answer === undefined ? 404 : status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(answer ?? {}))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return { host: `127.0.0.1:${address.port}`, requests }
}

function helper({ folder }: World, name: string, script: string): void {
  const file = path.join(folder, `docker-credential-${name}`)
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
}

const others = [
  'registry.example/app',
  'evil-gcr.io.example/app',
  'gcr.io.evil.example/app',
  'ghcr.io.evil.example/app',
  'localhost:5000/app',
]

describe("Google's metadata server", () => {
  const pathname = '/computeMetadata/v1/instance/service-accounts/default/token'
  const google = { 'metadata-flavor': 'Google' }

  it.each(['gcr.io/p/app', 'eu.gcr.io/p/app', 'europe-west1-docker.pkg.dev/p/r/app'])('is asked for %s', async (name) => {
    const { ask, told } = newWorld()
    const { host, requests } = await serve({ [pathname]: { access_token: 'secret', expires_in: 3599 } }, google)
    expect(await ask(name, { GCE_METADATA_HOST: host })).toEqual({ kind: 'password', username: 'oauth2accesstoken', password: 'secret' })
    expect(requests[0]?.headers['metadata-flavor']).toBe('Google')
    expect(told).toEqual([])
  })

  it.each([...others, 'evil-docker.pkg.dev.example/x/app', '123456789012.dkr.ecr.eu-west-1.amazonaws.com/app'])(
    'is not asked for %s',
    async (name) => {
      const { ask } = newWorld()
      const { host, requests } = await serve({ [pathname]: { access_token: 'secret' } }, google)
      expect(await ask(name, { GCE_METADATA_HOST: host, GITHUB_TOKEN: 'token' })).toBeUndefined()
      expect(requests).toEqual([])
    },
  )

  it('that is something else gives nothing, and that is told', async () => {
    const { ask, told } = newWorld()
    const { host } = await serve({ [pathname]: { access_token: 'secret' } })
    expect(await ask('gcr.io/p/app', { GCE_METADATA_HOST: host })).toBeUndefined()
    expect(told).toEqual([expect.stringMatching(/^--k8s-keychain cannot use the credentials of the cloud for gcr\.io: .*not Google's/)])
  })
})

describe('GITHUB_TOKEN', () => {
  it('is for ghcr.io alone', async () => {
    const { ask } = newWorld()
    const env = { GITHUB_TOKEN: 'secret' }
    expect(await ask('ghcr.io/org/app', env)).toEqual({ kind: 'password', username: 'unset', password: 'secret' })
    for (const name of others) expect(await ask(name, env)).toBeUndefined()
  })
})

describe('the helpers of clouds', () => {
  const answer = `echo '{"Username":"AWS","Secret":"secret"}'`

  it.each([
    ['ecr-login', '123456789012.dkr.ecr.eu-west-1.amazonaws.com/app'],
    ['ecr-login', 'public.ecr.aws/x/app'],
    ['acr-env', 'example.azurecr.io/app'],
    ['acr-helper', 'registry.cn-hangzhou.aliyuncs.com/x/app'],
  ])('%s is asked for %s, and is missed where it is not there', async (program, name) => {
    const world = newWorld()
    expect(await world.ask(name)).toBeUndefined()
    expect(world.told).toEqual([
      expect.stringContaining(`they come from the program docker-credential-${program}, which is not on PATH: install`),
    ])
    helper(world, program, answer)
    expect(await world.ask(name)).toEqual({ kind: 'password', username: 'AWS', password: 'secret' })
  })

  it('are not asked for what only looks like their registries', async () => {
    const world = newWorld()
    for (const program of ['ecr-login', 'acr-env', 'acr-helper']) helper(world, program, answer)
    const bucket = 'evil-registry.oss-cn-hangzhou.aliyuncs.com/app'
    for (const name of [...others, bucket, '123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example/app', 'azurecr.io.evil.example/app'])
      expect(await world.ask(name)).toBeUndefined()
  })

  it("that Docker's configuration has credentials for are not asked", async () => {
    const world = newWorld()
    mkdirSync(path.join(world.folder, '.docker'))
    const auth = Buffer.from('alice:own').toString('base64')
    writeFileSync(path.join(world.folder, '.docker', 'config.json'), JSON.stringify({ auths: { 'example.azurecr.io': { auth } } }))
    helper(world, 'acr-env', 'exit 1')
    expect(await world.ask('example.azurecr.io/app')).toMatchObject({ username: 'alice' })
  })
})

describe('the pull secrets of the namespace', () => {
  const auth = Buffer.from('robot:secret').toString('base64')
  const config = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')
  const secret = (value: unknown, type = 'kubernetes.io/dockerconfigjson') => ({ type, data: { '.dockerconfigjson': config(value) } })
  const account = '/api/v1/namespaces/team/serviceaccounts/default'
  const at = (name: string): string => `/api/v1/namespaces/team/secrets/${name}`

  async function cluster(world: World, answers: Readonly<Record<string, unknown>>, status = 200) {
    const server = await serve(answers, {}, status)
    const kubeconfig = {
      clusters: [{ name: 'c', cluster: { server: `http://${server.host}` } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      users: [{ name: 'u', user: { token: 't' } }],
      'current-context': 'x',
    }
    writeFileSync(path.join(world.folder, 'kubeconfig'), JSON.stringify(kubeconfig))
    return { env: { KUBECONFIG: 'kubeconfig' }, requests: server.requests }
  }

  it('are those that the default service account names, for their registries alone', async () => {
    const world = newWorld()
    const { env } = await cluster(world, {
      [account]: { imagePullSecrets: [{ name: 'gone' }, { name: 'other' }, { name: 'pull' }, { name: '../../x' }] },
      [at('other')]: secret({ auths: { 'registry.example': { auth } } }, 'Opaque'),
      [at('pull')]: secret({ auths: { 'registry.example': { auth } }, credsStore: 'nobody-asked', credHelpers: { 'b.example': 'x' } }),
    })
    expect(await world.ask('registry.example/app', env, 'team')).toEqual({ kind: 'password', username: 'robot', password: 'secret' })
    for (const name of ['b.example/app', 'ghcr.io/org/app', 'localhost:5000/app'])
      expect(await world.ask(name, env, 'team')).toBeUndefined()
    expect(world.told).toEqual([])
  })

  it('are not asked for outside of a pod', async () => {
    const world = newWorld()
    const { env, requests } = await cluster(world, { [account]: {} })
    expect(await world.ask('registry.example/app', env)).toBeUndefined()
    expect(requests).toEqual([])
  })

  it('that may not be read are told of, and others are tried', async () => {
    const world = newWorld()
    const { env } = await cluster(world, { [account]: { message: 'no' } }, 403)
    expect(await world.ask('ghcr.io/org/app', { ...env, GITHUB_TOKEN: 'token' }, 'team')).toMatchObject({ password: 'token' })
    expect(world.told).toEqual([expect.stringMatching(/^--k8s-keychain cannot use the pull secrets of the pod's namespace: .*403/)])
  })

  it('of a namespace that is none are not asked for', async () => {
    const world = newWorld()
    const { env, requests } = await cluster(world, {})
    expect(await world.ask('registry.example/app', env, '../kube-system')).toBeUndefined()
    expect(requests).toEqual([])
  })
})
