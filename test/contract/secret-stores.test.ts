/** The places that keep a key pair as secrets: the same of each. The real API server of Kubernetes is met in test/interop. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { makeScryptCheap } from '../support/cheap-scrypt.ts'
import type { SecretService } from '../support/secret-services.ts'
import { kubeconfig, startGithub, startGitlab, startKubernetes, token } from '../support/secret-services.ts'
import type { Outcome, Surroundings } from '../unit/cli/captured-context.ts'
import { startServer } from '../unit/http/test-server.ts'
import { runCaptured } from '../unit/cli/captured-context.ts'

interface Store {
  readonly name: string
  readonly start: () => Promise<SecretService>
  /** What is printed about the secrets. */
  readonly written: readonly string[]
  readonly copied: string
  /** Whether what it keeps can be read back. */
  readonly isReadable: boolean
}

const github = {
  written: ['Password', 'Private key', 'Public key'].map(
    (what) => `${what} written to COSIGN_${what.toUpperCase().replace(' ', '_')} github actions secret`,
  ),
  copied: 'Public key also written to cosign.pub',
  isReadable: false,
}
const gitlab = (kind: string) => ({
  written: ['Password', 'Private key', 'Public key'].map(
    (what) => `${what} written to "COSIGN_${what.toUpperCase().replace(' ', '_')}" ${kind} variable`,
  ),
  copied: 'Public key also written to cosign.pub',
  isReadable: true,
})

const stores: readonly Store[] = [
  { name: 'GitHub, a repository', start: () => startGithub(), ...github },
  { name: 'GitHub, an organisation', start: () => startGithub('github://owner'), ...github },
  { name: 'GitLab, a project', start: () => startGitlab(), ...gitlab('project') },
  { name: 'GitLab, a project by its ID', start: () => startGitlab('gitlab://42'), ...gitlab('project') },
  { name: 'GitLab, a group', start: () => startGitlab('gitlab://group'), ...gitlab('group') },
  { name: 'GitLab, a subgroup', start: () => startGitlab('gitlab://group/subgroup'), ...gitlab('group') },
  {
    name: 'Kubernetes',
    start: () => startKubernetes(),
    written: ['Successfully created secret release in namespace production'],
    copied: 'Public key written to cosign.pub',
    isReadable: true,
  },
]

makeScryptCheap()
const password = 'ein Pässwort'
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-secrets-'))
  writeFileSync(path.join(folder, 'artifact'), 'an artifact')
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
})

async function begin(start: () => Promise<SecretService>) {
  const service = await start()
  onTestFinished(() => service.stop())
  const env = { HOME: folder, COSIGN_PASSWORD: password, ...service.environment(folder) }
  const run = (words: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> =>
    runCaptured(words, { cwd: folder, env, ...surroundings })
  return { service, env, run, generate: (more: readonly string[] = []) => run(['generate-key-pair', service.reference, ...more]) }
}

const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')
const local = ['--tlog-upload=false', '--bundle', 'b.json']

describe.each(stores)('$name', ({ start, written, copied, isReadable }) => {
  it('keeps a new key pair, and what else was there', async () => {
    const { service, run, generate } = await begin(start)
    expect(await generate()).toEqual({ exitCode: 0, stdout: '', stderr: `${[...written, copied].join('\n')}\n` })
    expect(service.kept('password')).toBe(password)
    expect(service.kept('publicKey')).toBe(read('cosign.pub'))
    expect(service.other()).toBe('other')
    expect(statSync(path.join(folder, 'cosign.pub')).mode & 0o777).toBe(0o644)
    expect(existsSync(path.join(folder, 'cosign.key'))).toBe(false)
    // As a workflow has it, the key signs for its public half.
    const env = { COSIGN_PASSWORD: service.kept('password') ?? '', COSIGN_PRIVATE_KEY: service.kept('privateKey') ?? '' }
    const signed = await run(['sign-blob', 'artifact', '--key', 'env://COSIGN_PRIVATE_KEY', ...local], { env })
    expect(signed.exitCode, signed.stderr).toBe(0)
    const verified = await run(['verify-blob', 'artifact', '--key', 'cosign.pub', '--bundle', 'b.json', '--insecure-ignore-tlog'])
    expect(verified.stderr).toContain('Verified OK')
  })

  if (isReadable) {
    it('signs and verifies by reference, without a password of the caller', async () => {
      const { service, env, run, generate } = await begin(start)
      expect(await generate()).toMatchObject({ exitCode: 0 })
      const { COSIGN_PASSWORD: _, ...others } = env
      const signed = await run(['sign-blob', 'artifact', '--key', service.reference, ...local], { env: others })
      expect(signed.exitCode, signed.stderr).toBe(0)
      const words = ['verify-blob', 'artifact', '--key', service.reference, '--bundle', 'b.json', '--insecure-ignore-tlog']
      expect((await run(words, { env: others })).stderr).toContain('Verified OK')
      expect(await run(['public-key', '--key', service.reference], { env: others })).toEqual({
        exitCode: 0,
        stdout: read('cosign.pub'),
        stderr: '',
      })
    })

    it('says that there is no key where there is none', async () => {
      const { service, run } = await begin(start)
      for (const words of [
        ['sign-blob', 'artifact', '--key', service.reference, ...local],
        ['public-key', '--key', service.reference],
      ]) {
        const { exitCode, stderr } = await run(words)
        expect(exitCode).toBe(1)
        expect(stderr).toMatch(/generate-key-pair (?:k8s|gitlab):\/\/\S+ makes/)
      }
    })
  }

  it('asks before it replaces a key, and does when told to', async () => {
    const { service, run, generate } = await begin(start)
    await generate()
    const first = service.kept('privateKey')
    const declined = await run(['generate-key-pair', service.reference], { typed: true, stdin: Buffer.from('n\n') })
    expect(declined.exitCode).toBe(1)
    expect(declined.stderr).toMatch(/^WARNING: .+ already exists\. Overwrite\?\nAre you sure you would like to continue\? \[y\/N\] /)
    expect(service.kept('privateKey')).toBe(first)
    expect(await run(['generate-key-pair', service.reference], { typed: true, stdin: Buffer.from('y\n') })).toMatchObject({ exitCode: 0 })
    const second = service.kept('privateKey')
    expect(second).not.toBe(first)
    expect(await generate(['--yes'])).toMatchObject({ exitCode: 0 })
    expect(service.kept('privateKey')).not.toBe(second)
    expect(service.kept('publicKey')).toBe(read('cosign.pub'))
    expect(service.other()).toBe('other')
  })

  it('takes an empty password', async () => {
    const { service, env, run } = await begin(start)
    expect(await run(['generate-key-pair', service.reference], { env: { ...env, COSIGN_PASSWORD: '' } })).toMatchObject({ exitCode: 0 })
    expect(service.kept('password')).toBe('')
    if (!isReadable) return
    const signed = await run(['sign-blob', 'artifact', '--key', service.reference, ...local], { env: { ...env, COSIGN_PASSWORD: 'other' } })
    expect(signed.exitCode, signed.stderr).toBe(0)
  })

  it.each([
    [401, 'refused with status 401: "no"'],
    [403, 'refused with status 403: "no"'],
    [500, 'refused with status 500: "no"'],
    [301, 'a redirect, which is not allowed here'],
  ])('refuses with status %i in one sentence, before a password is asked for, and writes nothing', async (status, sentence) => {
    const { service, env, run } = await begin(start)
    const headers = status === 301 ? { location: 'http://127.0.0.1:9/elsewhere' } : { 'retry-after': '0' }
    service.fail({ status, headers, body: '{"message":"no"}' })
    const { COSIGN_PASSWORD: _, ...others } = env
    const refused = await run(['generate-key-pair', service.reference], { env: others, typed: true })
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(sentence)
    expect(refused.stderr).not.toContain('Enter password')
    expect(refused.stderr).not.toContain(token)
    expect(refused.stderr.match(/^Error: /gm)).toHaveLength(1)
    expect(existsSync(path.join(folder, 'cosign.pub'))).toBe(false)
  })

  it('does not read answers without an end', async () => {
    const { service, generate } = await begin(start)
    service.fail({ status: 200, body: `{"message":"${'x'.repeat(5 * 1024 * 1024)}"}` })
    const refused = await generate()
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toMatch(/more than the limit of \d+/)
  })

  it.each(['[]', 'no JSON', '{}'])('says what is wrong with the answer %s', async (body) => {
    const { service, generate } = await begin(start)
    service.fail({ status: 200, body })
    const refused = await generate()
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).not.toContain('bug in countersign')
    expect(existsSync(path.join(folder, 'cosign.pub'))).toBe(false)
  })

  it('writes no file when the secrets cannot be written', async () => {
    const { service, generate } = await begin(start)
    service.fail({ status: 403, body: '{"message":"read only"}' }, 'changes')
    const refused = await generate()
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('"read only"')
    expect(service.kept('privateKey')).toBeUndefined()
    expect(existsSync(path.join(folder, 'cosign.pub'))).toBe(false)
  })

  it('changes nothing when the public key could not be written here', async () => {
    const { service, generate } = await begin(start)
    const refused = await generate(['--output-key-prefix', 'missing/cosign'])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('missing/cosign.pub cannot be written: no such file or directory')
    expect(service.requests).toEqual([])
  })

  it('says that the server is not there', async () => {
    const { service, generate } = await begin(start)
    await service.stop()
    const refused = await generate()
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toMatch(/could not reach 127\.0\.0\.1:\d+ after \d attempts: the connection was refused/)
  })

  it('needs its credentials', async () => {
    const { service, env, run } = await begin(start)
    const variable = Object.keys(env).find((name) => /TOKEN|KUBECONFIG/.test(name)) ?? ''
    const refused = await run(['generate-key-pair', service.reference], { env: { ...env, [variable]: '' } })
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(variable)
    expect(service.requests).toEqual([])
    const wrong = variable === 'KUBECONFIG' ? {} : { [variable]: 'wrong' }
    if (Object.keys(wrong).length > 0) {
      const unauthorised = await run(['generate-key-pair', service.reference], { env: { ...env, ...wrong } })
      expect(unauthorised.stderr).toContain(`(${variable} is not valid, or not of this server`)
    }
  })
})

it('three secrets of which the second cannot be written: says which one is new', async () => {
  for (const start of [() => startGithub(), () => startGitlab()]) {
    const { service, generate } = await begin(start)
    service.fail({ status: 403, body: '{"message":"enough"}' }, 'second change')
    expect((await generate()).stderr).toContain('could not create "COSIGN_PRIVATE_KEY": ')
    expect((await generate(['--yes'])).exitCode).toBe(0)
    service.fail({ status: 403, body: '{"message":"enough"}' }, 'second change')
    expect((await generate(['--yes'])).stderr).toContain('(COSIGN_PASSWORD is of the new key already: run it again)')
  }
})

it('a secret of Kubernetes from 1.21 on is immutable, and is not replaced', async () => {
  const { service, generate } = await begin(() => startKubernetes('21+'))
  expect(await generate()).toMatchObject({ exitCode: 0 })
  const first = service.kept('privateKey')
  const refused = await generate(['--yes'])
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain('the secret release in namespace production is immutable: give another name, or delete it first')
  expect(service.kept('privateKey')).toBe(first)
})

it('the proxy of a kubeconfig is taken, whatever the environment says about proxies', async () => {
  const asked: (string | undefined)[] = []
  const proxy = await startServer((request, response) => {
    asked.push(request.url)
    response.writeHead(404).end('{}')
  })
  const config = JSON.parse(kubeconfig('http://cluster.test', token)) as { clusters: { cluster: Record<string, string> }[] }
  for (const { cluster } of config.clusters) cluster['proxy-url'] = proxy.origin
  const file = path.join(folder, 'kubeconfig')
  writeFileSync(file, JSON.stringify(config))
  for (const name of ['NO_PROXY', 'no_proxy']) {
    const env = { HOME: folder, KUBECONFIG: file, [name]: 'cluster.test', http_proxy: 'http://127.0.0.1:9' }
    const refused = await runCaptured(['public-key', '--key', 'k8s://production/release'], { cwd: folder, env })
    expect(refused.stderr).toContain('there is no secret release in namespace production')
  }
  expect(asked).toEqual(Array(2).fill('http://cluster.test/api/v1/namespaces/production/secrets/release'))
})

it.each([
  ['k8s://production', 'kubernetes specification should be in the format k8s://<namespace>/<secret>'],
  ['k8s://production/a/b', 'kubernetes specification should be in the format k8s://<namespace>/<secret>'],
  ['k8s:///release', 'kubernetes specification should be in the format k8s://<namespace>/<secret>'],
  ['k8s://production/..', 'kubernetes specification should be in the format k8s://<namespace>/<secret>'],
  ['k8s://Production/release', 'kubernetes specification should be in the format k8s://<namespace>/<secret>'],
  ['github://', 'could not parse scheme, use github://<owner> or github://<owner>/<repo> format'],
  ['github://owner/repo/more', 'could not parse scheme, use github://<owner> or github://<owner>/<repo> format'],
  ['github://owner/..', 'could not parse scheme, use github://<owner> or github://<owner>/<repo> format'],
  ['github://owner/a?b', 'could not parse scheme, use github://<owner> or github://<owner>/<repo> format'],
  ['gitlab://', 'expected gitlab://<group>/<project>, gitlab://<id> or gitlab://<group>, found "gitlab://"'],
  ['gitlab://a/../b', 'expected gitlab://<group>/<project>'],
  ['floppy://a', 'undefined provider: floppy: key pairs are kept in github://, gitlab://, k8s://'],
  ['owner/repo', 'could not parse scheme, use <scheme>://<ref> format'],
])('the reference %s is refused before anything is asked', async (reference, sentence) => {
  const env = {
    HOME: folder,
    GITHUB_TOKEN: token,
    GITLAB_TOKEN: token,
    GITHUB_HOST: 'http://127.0.0.1:9',
    GITLAB_HOST: 'http://127.0.0.1:9',
  }
  const refused = await runCaptured(['generate-key-pair', reference], { cwd: folder, env, typed: true })
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain(`Error: ${sentence}`)
  expect(refused.stderr).not.toContain('Enter password')
})

it.each([
  ['GITHUB_HOST', 'ftp://x'],
  ['GITHUB_HOST', 'https://user@host'],
  ['GITLAB_HOST', 'https://host/?a'],
  ['GITLAB_HOST', ':'],
])('%s=%s is no server', async (name, value) => {
  const reference = name === 'GITHUB_HOST' ? 'github://a/b' : 'gitlab://a/b'
  const refused = await runCaptured(['generate-key-pair', reference], {
    cwd: folder,
    env: { GITHUB_TOKEN: token, GITLAB_TOKEN: token, [name]: value },
  })
  expect(refused.stderr).toContain(`${name} should be an address such as https://git.example.com, found `)
})

it('what is neither a project nor a group of GitLab is said to be so', async () => {
  const { env, run } = await begin(() => startGitlab())
  const refused = await run(['generate-key-pair', 'gitlab://nobody/nothing'], { env })
  expect(refused.stderr).toContain('reference "nobody/nothing" is neither a valid project nor group of 127.0.0.1:')
})
