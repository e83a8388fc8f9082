/** Keys in secrets of the real API server of Kubernetes, with the real cosign on the other side. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Outcome } from '../unit/cli/captured-context.ts'
import { runCaptured } from '../unit/cli/captured-context.ts'
import type { KubernetesProcess } from './kubernetes-process.ts'
import { findKubernetes, startKubernetes } from './kubernetes-process.ts'
import type { Ending } from './peer.ts'
import { findPeer, runPeer } from './peer.ts'

const cosign = findPeer('cosign')
const programs = findKubernetes()

const password = 'ein Pässwort'
let folder = ''
let kubernetes: KubernetesProcess
let stop = (): void => {}

beforeAll(async () => {
  if (programs === undefined) return
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-kubernetes-'))
  writeFileSync(path.join(folder, 'artifact'), 'an artifact')
  kubernetes = await startKubernetes(programs, folder)
  stop = kubernetes.stop
})
afterAll(() => {
  stop()
  if (folder !== '') rmSync(folder, { recursive: true, force: true })
})

type Access = keyof KubernetesProcess['kubeconfigs']

function run(words: readonly string[], access: Access = 'token', env: Record<string, string> = {}): Promise<Outcome> {
  const surroundings = { HOME: folder, COSIGN_PASSWORD: password, KUBECONFIG: kubernetes.kubeconfigs[access], ...env }
  return runCaptured(words, { cwd: folder, env: surroundings })
}

function runCosign(words: readonly string[], env: Record<string, string> = {}): Ending {
  return runPeer(cosign ?? '', words, folder, {
    COSIGN_PASSWORD: password,
    KUBECONFIG: kubernetes.kubeconfigs.token,
    NO_PROXY: '127.0.0.1',
    ...env,
  })
}

async function secret(name: string): Promise<Record<string, unknown>> {
  return (await kubernetes.ask('GET', `/api/v1/namespaces/default/secrets/${name}`)).body
}

const dataOf = (found: Record<string, unknown>): Record<string, string> => {
  const decoded: Record<string, string> = {}
  for (const [name, value] of Object.entries(found['data'] as Record<string, string>)) {
    decoded[name] = Buffer.from(value, 'base64').toString()
  }
  return decoded
}

const local = (bundle: string) => ['--tlog-upload=false', '--bundle', bundle]
const cosignLocal = (bundle: string) => [...local(bundle), '--use-signing-config=false']

describe.skipIf(programs === undefined)('keys in Kubernetes secrets', () => {
  it('are kept as cosign keeps them', async () => {
    expect(await run(['generate-key-pair', 'k8s://default/ours'])).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Successfully created secret ours in namespace default\nPublic key written to cosign.pub\n',
    })
    const ours = await secret('ours')
    expect(ours).toMatchObject({ type: 'Opaque', immutable: true })
    expect(Object.keys(dataOf(ours)).sort()).toEqual(['cosign.key', 'cosign.password', 'cosign.pub'])
    expect(dataOf(ours)).toMatchObject({
      'cosign.password': password,
      'cosign.pub': readFileSync(path.join(folder, 'cosign.pub'), 'utf8'),
    })
    if (cosign === undefined) return
    const ending = runCosign(['generate-key-pair', 'k8s://default/theirs'])
    expect(ending.stderr).toContain('Successfully created secret theirs in namespace default\nPublic key written to cosign.pub\n')
    const theirs = await secret('theirs')
    expect(theirs).toMatchObject({ type: ours['type'], immutable: ours['immutable'] })
    expect(Object.keys(dataOf(theirs)).sort()).toEqual(Object.keys(dataOf(ours)).sort())
  })

  it.skipIf(cosign === undefined)('of cosign sign here, and ours there', async () => {
    for (const name of ['ours', 'theirs']) {
      const key = ['--key', `k8s://default/${name}`]
      const signed = await run(['sign-blob', 'artifact', ...key, ...local(`${name}-here.json`)], 'token', { COSIGN_PASSWORD: 'unused' })
      expect(signed.exitCode, signed.stderr).toBe(0)
      expect(runCosign(['sign-blob', 'artifact', ...key, ...cosignLocal(`${name}-there.json`)])).toMatchObject({ exitCode: 0 })
      for (const bundle of [`${name}-here.json`, `${name}-there.json`]) {
        const words = ['verify-blob', 'artifact', ...key, '--bundle', bundle, '--insecure-ignore-tlog']
        expect((await run(words)).stderr).toContain('Verified OK')
        expect(runCosign(words).stderr).toContain('Verified OK')
      }
      expect((await run(['public-key', ...key])).stdout).toBe(runCosign(['public-key', ...key]).stdout)
    }
    const other = ['verify-blob', 'artifact', '--key', 'k8s://default/theirs', '--bundle', 'ours-here.json', '--insecure-ignore-tlog']
    expect((await run(other)).exitCode).toBe(1)
  })

  it('are added to a secret that is there, and what else it has stays', async () => {
    const existing = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'shared', labels: { team: 'a' }, annotations: { note: 'b' } },
      type: 'example.com/shared',
      data: { other: Buffer.from('other').toString('base64') },
    }
    expect((await kubernetes.ask('POST', '/api/v1/namespaces/default/secrets', existing)).status).toBe(201)
    expect(await run(['generate-key-pair', 'k8s://default/shared'])).toMatchObject({ exitCode: 0 })
    const shared = await secret('shared')
    expect(shared).toMatchObject({ type: 'example.com/shared', metadata: { labels: { team: 'a' }, annotations: { note: 'b' } } })
    expect(dataOf(shared)['other']).toBe('other')
    expect(dataOf(shared)['cosign.password']).toBe(password)
  })

  it('are not replaced: such a secret is immutable', async () => {
    await run(['generate-key-pair', 'k8s://default/fixed'])
    const before = dataOf(await secret('fixed'))
    const refused = await run(['generate-key-pair', '--yes', 'k8s://default/fixed'])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('the secret fixed in namespace default is immutable')
    expect(dataOf(await secret('fixed'))).toEqual(before)
  })

  it.each(['token', 'certificate', 'exec'] as const)('are reached with credentials of the kind: %s', async (access) => {
    expect(await run(['generate-key-pair', `k8s://default/by-${access}`], access)).toMatchObject({ exitCode: 0 })
    expect((await run(['public-key', '--key', `k8s://default/by-${access}`], access)).stdout).toBe(
      dataOf(await secret(`by-${access}`))['cosign.pub'],
    )
  })

  it('are found with ~/.kube/config, and with several files in KUBECONFIG', async () => {
    const home = path.join(folder, 'home')
    mkdirSync(path.join(home, '.kube'), { recursive: true })
    copyFileSync(kubernetes.kubeconfigs.token, path.join(home, '.kube', 'config'))
    expect(await run(['generate-key-pair', 'k8s://default/at-home'], 'token', { HOME: home, KUBECONFIG: '' })).toMatchObject({
      exitCode: 0,
    })
    const several = [path.join(folder, 'missing'), kubernetes.kubeconfigs.token, kubernetes.kubeconfigs.nobody].join(path.delimiter)
    const words = ['public-key', '--key', 'k8s://default/at-home']
    expect(await run(words, 'token', { KUBECONFIG: several })).toMatchObject({ exitCode: 0 })
    const others = [kubernetes.kubeconfigs.nobody, kubernetes.kubeconfigs.token].join(path.delimiter)
    expect((await run(words, 'token', { KUBECONFIG: others })).stderr).toContain('refused with status 403')
  })

  it('are refused in one sentence', async () => {
    const words = ['generate-key-pair', 'k8s://default/refused']
    expect((await run(words, 'nobody')).stderr).toMatch(
      /^Error: the Kubernetes cluster 127\.0\.0\.1:\d+ refused with status 403: "secrets \\"refused\\" is forbidden: User \\"nobody\\" cannot get/,
    )
    expect((await run(['generate-key-pair', 'k8s://nowhere/name'])).stderr).toContain('namespaces \\"nowhere\\" not found')
    expect((await run(['sign-blob', 'artifact', '--key', 'k8s://default/missing', ...local('x.json')])).stderr).toContain(
      'checking if secret exists: there is no secret missing in namespace default',
    )
    const bad = path.join(folder, 'bad')
    writeFileSync(bad, 'users: [{token: geheim')
    const unreadable = await run(words, 'token', { KUBECONFIG: bad })
    expect(unreadable.stderr).toContain(`the kubeconfig ${bad} cannot be read: `)
    expect(unreadable.stderr).not.toContain('geheim')
    writeFileSync(bad, readFileSync(kubernetes.kubeconfigs.token, 'utf8').replace('admin-token', 'wrong'))
    expect((await run(words, 'token', { KUBECONFIG: bad })).stderr).toContain(
      '(the credentials of the kubeconfig are not valid, or have expired)',
    )
    writeFileSync(bad, readFileSync(kubernetes.kubeconfigs.token, 'utf8').replace('"current-context":"test"', '"current-context":"none"'))
    expect((await run(words, 'token', { KUBECONFIG: bad })).stderr).toContain('choose one with kubectl config use-context')
    writeFileSync(
      bad,
      readFileSync(kubernetes.kubeconfigs.token, 'utf8').replace(/"certificate-authority-data":"[^"]+"/, '"insecure":false'),
    )
    expect((await run(words, 'token', { KUBECONFIG: bad })).stderr).toContain(
      'its TLS certificate is from an authority that is not trusted here',
    )
  })
})
