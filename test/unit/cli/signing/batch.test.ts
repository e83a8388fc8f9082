/** Many blobs at once: several by name, a tree of them, and a checksums file in the place of each. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { principal, paths } from '../../../support/signing-services.ts'
import type { Outcome, Surroundings } from '../captured-context.ts'
import type { Workspace, WorkspaceOptions } from './signing-workspace.ts'
import { artifact, createWorkspace, tokenIssuer } from './signing-workspace.ts'

const services = ['--identity-token', 'token', '--signing-config', 'config.json', '--trusted-root', 'root.json']
const identity = ['--certificate-identity', principal, '--certificate-oidc-issuer', tokenIssuer]

const sign = (workspace: Workspace, words: readonly string[], surroundings?: Surroundings): Promise<Outcome> =>
  workspace.run(['sign-blob', ...words, ...services], surroundings)

function put(workspace: Workspace, name: string, contents = `the contents of ${name}\n`): void {
  const file = path.join(workspace.folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, contents)
}

/** All files below a folder, links too. */
function filesBelow(workspace: Workspace, folder: string): string[] {
  const found = readdirSync(path.join(workspace.folder, folder), { recursive: true, withFileTypes: true })
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(workspace.folder, path.join(entry.parentPath, entry.name)))
    .toSorted()
}

async function workspaceWithTree(options: WorkspaceOptions = {}): Promise<Workspace> {
  const workspace = await createWorkspace(options)
  for (const name of ['dist/app', 'dist/lib/one.so', 'dist/lib/two.so', 'dist/.hidden', 'dist/.git/config']) put(workspace, name)
  put(workspace, 'dist/old.sigstore.json', '{}')
  put(workspace, 'dist/lines.sigstore.jsonl', '{}')
  put(workspace, 'dist/old.sigstore', '{}')
  put(workspace, 'secret')
  symlinkSync('../secret', path.join(workspace.folder, 'dist/link'))
  symlinkSync('..', path.join(workspace.folder, 'dist/up'))
  return workspace
}

const requestsFor = ({ services: { requests } }: Workspace, address: string): number =>
  requests.filter((request) => request === `POST ${address}`).length

describe('--recursive', () => {
  it('signs the files of a tree, each with a bundle beside it, and with one certificate', async () => {
    const workspace = await workspaceWithTree()
    const before = filesBelow(workspace, 'dist')
    expect(await sign(workspace, ['--recursive', 'dist'])).toMatchObject({ exitCode: 0 })
    const added = filesBelow(workspace, 'dist').filter((name) => !before.includes(name))
    expect(added).toEqual(['dist/app.sigstore.json', 'dist/lib/one.so.sigstore.json', 'dist/lib/two.so.sigstore.json'])
    expect(requestsFor(workspace, paths.certificate)).toBe(1)
    for (const name of ['dist/app', 'dist/lib/one.so', 'dist/lib/two.so']) {
      expect((await workspace.run(['verify-blob', name, '--trusted-root', 'root.json', ...identity])).stderr).toContain('Verified OK')
    }
  })

  it('gives the only file of a folder a bundle, as it does where there are more, and prints no signature', async () => {
    const workspace = await createWorkspace()
    put(workspace, 'dist/app')
    expect(await sign(workspace, ['--recursive', 'dist'])).toMatchObject({ exitCode: 0, stdout: '' })
    expect(filesBelow(workspace, 'dist')).toEqual(['dist/app', 'dist/app.sigstore.json'])
    expect(await sign(workspace, ['--recursive', 'dist', '--bundle', 'b.json'])).toMatchObject({ exitCode: 0, stdout: '' })
    expect(workspace.written()).toContain('b.json')
  })

  it('passes over links, hidden files and bundles, and says so when asked', async () => {
    const workspace = await workspaceWithTree()
    const { stderr } = await sign(workspace, ['--recursive', 'dist', '--verbose'])
    for (const [name, reason] of [
      ['.git', 'hidden'],
      ['.hidden', 'hidden'],
      ['link', 'a link'],
      ['up', 'a link'],
      ['old.sigstore.json', 'a bundle'],
      ['lines.sigstore.jsonl', 'a bundle'],
      ['old.sigstore', 'a bundle'],
    ]) {
      expect(stderr).toContain(`dist/${name} is not signed: it is ${reason}\n`)
    }
  })

  it('signs the same files when it is run again', async () => {
    const workspace = await workspaceWithTree()
    await sign(workspace, ['-r', 'dist'])
    const after = filesBelow(workspace, 'dist')
    await sign(workspace, ['-r', 'dist'])
    expect(filesBelow(workspace, 'dist')).toEqual(after)
    expect(requestsFor(workspace, paths.rekorV1)).toBe(6)
  })

  it('takes files beside folders', async () => {
    const workspace = await workspaceWithTree()
    expect(await sign(workspace, ['-r', 'dist/lib', 'artifact'])).toMatchObject({ exitCode: 0 })
    expect(requestsFor(workspace, paths.rekorV1)).toBe(3)
  })

  it.each([
    [['-r', 'empty'], 'there is nothing to sign in empty: links, hidden files and bundles are passed over'],
    [['-r', 'nowhere'], 'the blob nowhere cannot be read: no such file or directory'],
    [['-r', 'dist', 'dist/app'], 'one of the blobs is named twice'],
    [['dist'], 'the blob dist cannot be read: it is a directory, a file was expected (--recursive signs the files in it)'],
    [['-r', 'dist', '--output-signature', 'x.sig'], '--output-signature names one file, and 3 blobs are signed'],
  ])('%s is refused before anybody is asked', async (words, message) => {
    const workspace = await workspaceWithTree()
    mkdirSync(path.join(workspace.folder, 'empty'))
    const refused = await sign(workspace, words)
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(message)
    expect(workspace.services.requests).toEqual([])
  })
})

describe('--checksums', () => {
  const hasSha256sum = spawnSync('sha256sum', ['--version']).status === 0
  if (!hasSha256sum) console.warn('skipped: there is no program sha256sum to check a checksums file with')

  it('signs one file in the place of all, with a bundle beside it', async () => {
    const workspace = await workspaceWithTree()
    const signed = await sign(workspace, ['-r', 'dist', '--checksums', 'dist/checksums.txt'])
    expect(signed.exitCode).toBe(0)
    expect(signed.stderr).toContain('Wrote checksums to file dist/checksums.txt\nWrote bundle to file dist/checksums.txt.sigstore.json\n')
    const names = workspace
      .read('dist/checksums.txt')
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(66))
    expect(names).toEqual(['app', 'lib/one.so', 'lib/two.so'])
    expect(requestsFor(workspace, paths.rekorV1)).toBe(1)
    expect(statSync(path.join(workspace.folder, 'dist/checksums.txt')).mode & 0o044).not.toBe(0)
    const verify = ['verify-blob', 'dist/checksums.txt', '--trusted-root', 'root.json', ...identity]
    expect((await workspace.run(verify)).stderr).toContain('Verified OK')
  })

  it.skipIf(!hasSha256sum)('is what sha256sum checks, whatever the files are called', async () => {
    const workspace = await createWorkspace()
    for (const name of ['with blank', 'back\\slash', 'new\nline', 'ünï']) put(workspace, `out/${name}`)
    await sign(workspace, ['-r', 'out', '--checksums', 'out/SHA256SUMS'])
    const check = (): number | null =>
      spawnSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: path.join(workspace.folder, 'out') }).status
    expect(check()).toBe(0)
    put(workspace, 'out/ünï', 'changed')
    expect(check()).toBe(1)
  })

  it('is not among its own lines, nor are the files of its signature', async () => {
    const workspace = await workspaceWithTree()
    const words = ['-r', 'dist', '--checksums', 'dist/checksums.txt', '--output-signature', 'dist/checksums.txt.sig']
    expect(await sign(workspace, words, { stdin: Buffer.from('y\n') })).toMatchObject({ exitCode: 0 })
    const first = workspace.read('dist/checksums.txt')
    expect(existsSync(path.join(workspace.folder, 'dist/checksums.txt.sigstore.json'))).toBe(false)
    await sign(workspace, words, { stdin: Buffer.from('y\n') })
    expect(workspace.read('dist/checksums.txt')).toBe(first)
  })

  it('is not written when it cannot be signed', async () => {
    const workspace = await workspaceWithTree({ answers: { [paths.rekorV1]: [{ status: 400, body: '{"message":"no"}' }] } })
    expect((await sign(workspace, ['-r', 'dist', '--checksums', 'sums'])).exitCode).toBe(1)
    expect(workspace.written()).not.toContain('sums')
  })

  it('is not one of the files that it is about', async () => {
    const workspace = await createWorkspace()
    const refused = await sign(workspace, ['artifact', 'token', '--checksums', './artifact'])
    expect(refused.stderr).toContain('./artifact would be the checksums, and is the blob: name another file')
    expect(workspace.read('artifact')).toBe(artifact)
  })

  it('has no line for standard input', async () => {
    const workspace = await createWorkspace()
    const refused = await sign(workspace, ['-', '--checksums', 'sums'], { stdin: Buffer.from('x') })
    expect(refused.stderr).toContain('standard input has no name that a checksums file could have')
  })
})

describe('what is wrong with one file', () => {
  /** Files of which the third loses its place for a bundle once the certificate was asked for. */
  async function signWithLoss(words: readonly string[] = []): Promise<{ readonly workspace: Workspace; readonly outcome: Outcome }> {
    const workspace = await createWorkspace()
    for (const name of ['a/file', 'b/file', 'c/file', 'd/file']) put(workspace, name)
    // Read when its turn comes, and gone by then: the certificate comes first.
    const running = sign(workspace, ['a/file', 'b/file', 'c/file', 'd/file', ...words])
    while (requestsFor(workspace, paths.certificate) === 0) await new Promise((resolve) => setImmediate(resolve))
    rmSync(path.join(workspace.folder, 'c'), { recursive: true })
    return { workspace, outcome: await running }
  }

  it('does not keep the others from being signed, and is said at once and at the end', async () => {
    const { workspace, outcome } = await signWithLoss()
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toMatch(/^Not signed: signing c\/file: the blob c\/file cannot be read: no such file or directory$/m)
    expect(outcome.stderr).toMatch(/^Error: 1 of 4 blobs are not signed: "c\/file"$/m)
    for (const name of ['a', 'b', 'd']) expect(filesBelow(workspace, name)).toEqual([`${name}/file`, `${name}/file.sigstore.json`])
  })

  it('is an object of its own in JSON', async () => {
    const { outcome } = await signWithLoss(['-o', 'json'])
    const objects = outcome.stdout.split(/(?<=^\})\n/m).filter((text) => text !== '')
    const found = objects.map((text) => JSON.parse(text) as { signed: boolean; artifact: { name: string }; error?: { code: string } })
    expect(found.map(({ signed, artifact }) => [artifact.name, signed])).toEqual([
      ['a/file', true],
      ['b/file', true],
      ['c/file', false],
      ['d/file', true],
    ])
    expect(found[2]?.error?.code).toBe('FILE_UNREADABLE')
  })

  it.skipIf(process.getuid?.() === 0)('is noticed before anybody is asked where it can be', async () => {
    const workspace = await createWorkspace()
    put(workspace, 'a')
    chmodSync(path.join(workspace.folder, 'a'), 0)
    expect((await sign(workspace, ['a', 'artifact'])).exitCode).toBe(1)
  })
})

describe('what is wrong with a service', () => {
  it('ends it, and says how many are signed; those are whole', async () => {
    const refusal = { status: 400, body: '{"message":"full"}' }
    const workspace = await createWorkspace({ answers: { [paths.rekorV2]: [refusal] }, log: 'v2' })
    const names = Array.from({ length: 40 }, (_, at) => `files/${at}`)
    for (const name of names) put(workspace, name)
    const outcome = await sign(workspace, ['-r', 'files'])
    expect(outcome.exitCode).toBe(1)
    const bundles = filesBelow(workspace, 'files').filter((name) => name.endsWith('.json'))
    expect(outcome.stderr).toContain(`${bundles.length} of 40 blobs are signed, the others are not\n`)
    expect(bundles.length).toBeLessThan(40)
    for (const name of bundles) expect(() => JSON.parse(readFileSync(path.join(workspace.folder, name), 'utf8')) as unknown).not.toThrow()
    expect(filesBelow(workspace, 'files').filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})

describe('Ctrl-C', () => {
  it('leaves what is finished, and nothing half-written', async () => {
    const workspace = await createWorkspace()
    const names = Array.from({ length: 60 }, (_, at) => `files/${at}`)
    for (const name of names) put(workspace, name)
    const interruption = new AbortController()
    const { ExitError } = await import('../../../../src/cli/failure.ts')
    const running = sign(workspace, ['-r', 'files'], { signal: interruption.signal })
    const bundles = (): string[] => filesBelow(workspace, 'files').filter((name) => name.endsWith('.json'))
    while (bundles().length < 3) await new Promise((resolve) => setTimeout(resolve, 1))
    interruption.abort(new ExitError(130, 'ABORTED', 'interrupted by SIGINT'))
    const outcome = await running
    expect(outcome.exitCode).toBe(130)
    const left = bundles()
    expect(left.length).toBeLessThan(60)
    expect(outcome.stderr).toContain(`${left.length} of 60 blobs are signed, the others are not\n`)
    expect(outcome.stderr.match(/^Wrote bundle/gm)).toHaveLength(left.length)
    for (const bundle of left) {
      const blob = bundle.replace('.sigstore.json', '')
      expect((await workspace.run(['verify-blob', blob, '--trusted-root', 'root.json', ...identity])).stderr).toContain('Verified OK')
    }
    expect(filesBelow(workspace, 'files').filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})

describe('progress', () => {
  async function signTwelve(surroundings: Surroundings): Promise<Outcome> {
    const workspace = await createWorkspace()
    for (let at = 0; at < 12; at++) put(workspace, `files/${at}`)
    return sign(workspace, ['-r', 'files'], surroundings)
  }

  it('is a bar on a terminal, which is gone at the end', async () => {
    const { stderr } = await signTwelve({ columns: 80 })
    expect(stderr).toMatch(/\rSigning \[#*\.*\] \d+\/12\u001B\[K/)
    expect(stderr).not.toContain('Wrote bundle')
    expect(stderr.endsWith('\r\u001B[KSigned 12 of 12 blobs\n')).toBe(true)
  })

  it('is lines elsewhere, and on a terminal that is too narrow', async () => {
    for (const surroundings of [{}, { columns: 20 }]) {
      const { stderr } = await signTwelve(surroundings)
      expect(stderr).not.toContain('\r')
      expect(stderr.match(/^Using payload from: /gm)).toHaveLength(12)
      expect(stderr.match(/^tlog entry created with index: /gm)).toHaveLength(12)
      expect(stderr.match(/^Wrote bundle to file /gm)).toHaveLength(12)
    }
  })
})
