/** The real API server of Kubernetes with its etcd: no nodes, no controllers, all that secrets need. */
import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import path from 'node:path'
import { freePort } from '../support/free-port.ts'
import { findPeer } from './peer.ts'

export interface KubernetesProcess {
  /** kubeconfigs of an administrator, by how they authenticate, and of somebody who may nothing. */
  readonly kubeconfigs: Readonly<Record<'token' | 'certificate' | 'exec' | 'nobody', string>>
  /** Asks as an administrator. */
  ask(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>
  stop(): void
}

/**
 * Finds both programs.
 * @returns undefined after a line that says how to install what is missing
 * @throws Error where one is missing in CI
 */
export function findKubernetes(): { readonly apiserver: string; readonly etcd: string } | undefined {
  const etcd = ['/usr/bin/etcd', '/usr/local/bin/etcd'].find((file) => existsSync(file))
  if (etcd === undefined) {
    const advice = 'etcd is not installed: install it with apt-get install etcd-server'
    if (process.env['CI'] !== undefined) throw new Error(advice)
    console.warn(`skipped: ${advice}`)
    return undefined
  }
  const apiserver = findPeer('kube-apiserver')
  return apiserver === undefined ? undefined : { apiserver, etcd }
}

/** Starts both. @param folder for their files; the caller removes it */
export async function startKubernetes(
  { apiserver, etcd }: { readonly apiserver: string; readonly etcd: string },
  folder: string,
): Promise<KubernetesProcess> {
  makeCertificates(folder)
  writeFileSync(path.join(folder, 'tokens.csv'), 'admin-token,admin,1,"system:masters"\nnobody-token,nobody,2\n')
  const [clients, peers, port] = [await freePort(), await freePort(), await freePort()]
  const [store, peer] = [`http://127.0.0.1:${clients}`, `http://127.0.0.1:${peers}`]
  const children = [
    start(folder, etcd, [
      '--data-dir=etcd',
      '--unsafe-no-fsync',
      `--listen-client-urls=${store}`,
      `--advertise-client-urls=${store}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
    ]),
    start(folder, apiserver, [
      `--etcd-servers=${store}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      '--endpoint-reconciler-type=none',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--tls-cert-file=server.pem',
      '--tls-private-key-file=server.key',
      '--client-ca-file=ca.pem',
      '--token-auth-file=tokens.csv',
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      '--service-account-key-file=server.pem',
      '--service-account-signing-key-file=server.key',
      '--disable-admission-plugins=ServiceAccount',
    ]),
  ]
  const stop = (): void => {
    for (const child of children) child.kill('SIGKILL')
  }
  const ca = readFileSync(path.join(folder, 'ca.pem'))
  const ask: KubernetesProcess['ask'] = (method, url, body) => askServer(port, ca, method, url, body)
  for (let attempt = 0; attempt < 300; attempt++) {
    const ready = await ask('GET', '/api/v1/namespaces/default').catch(() => undefined)
    if (ready?.status === 200) return { kubeconfigs: writeKubeconfigs(folder, `https://127.0.0.1:${port}`), ask, stop }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  stop()
  throw new Error(`kube-apiserver does not answer: ${readFileSync(path.join(folder, 'kube-apiserver.log'), 'utf8').slice(-2000)}`)
}

function start(folder: string, program: string, words: readonly string[]): ChildProcess {
  const log = path.join(folder, `${path.basename(program)}.log`)
  writeFileSync(log, '')
  return spawn('sh', ['-c', 'exec "$0" "$@" 2>"$LOG"', program, ...words], {
    cwd: folder,
    stdio: 'ignore',
    env: { ...process.env, LOG: log },
  })
}

/** An authority, the server's certificate, and an administrator's. */
function makeCertificates(folder: string): void {
  const openssl = (words: string): void => {
    const { status, stderr } = spawnSync('openssl', words.split(' '), { cwd: folder, encoding: 'utf8' })
    if (status !== 0) throw new Error(`openssl: ${stderr}`)
  }
  const newKey = 'req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'
  openssl(`${newKey} -x509 -subj /CN=kubernetes-ca -keyout ca.key -out ca.pem -addext keyUsage=critical,keyCertSign`)
  openssl(`${newKey} -subj /CN=kube-apiserver -keyout server.key -out server.csr`)
  openssl(`${newKey} -subj /O=system:masters/CN=admin -keyout admin.key -out admin.csr`)
  writeFileSync(path.join(folder, 'server.ext'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n')
  writeFileSync(path.join(folder, 'admin.ext'), 'extendedKeyUsage=clientAuth\n')
  for (const name of ['server', 'admin']) {
    openssl(`x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ${name}.ext -out ${name}.pem`)
  }
}

function writeKubeconfigs(folder: string, server: string): KubernetesProcess['kubeconfigs'] {
  const base64 = (name: string): string => readFileSync(path.join(folder, name)).toString('base64')
  mkdirSync(path.join(folder, 'kube'))
  const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: 'admin-token' } }
  const write = (name: string, user: unknown, cluster: Record<string, string>): string => {
    const file = path.join(folder, 'kube', name)
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server, ...cluster } }],
      users: [{ name: 'test', user }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    }
    writeFileSync(file, JSON.stringify(config))
    return file
  }
  const inline = { 'certificate-authority-data': base64('ca.pem') }
  return {
    token: write('token', { token: 'admin-token' }, inline),
    certificate: write(
      'certificate',
      { 'client-certificate-data': base64('admin.pem'), 'client-key': '../admin.key' },
      { 'certificate-authority': '../ca.pem' },
    ),
    exec: write(
      'exec',
      {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: 'echo',
          args: [JSON.stringify(credential)],
          interactiveMode: 'Never',
        },
      },
      inline,
    ),
    nobody: write('nobody', { token: 'nobody-token' }, inline),
  }
}

function askServer(port: number, ca: Buffer, method: string, url: string, body?: unknown): ReturnType<KubernetesProcess['ask']> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: 'Bearer admin-token', 'content-type': 'application/json' }
    const asked = request({ host: '127.0.0.1', port, ca, method, path: url, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> })
      })
    })
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
