/**
 * The server's TUF repository as the real clients see it: cosign, tuf-js and python-tuf start to trust it, follow it through
 * rotations, and refuse it when it is bent; what cosign verifies with the trust it got there, ours verifies too.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Updater } from 'tuf-js'
import { describe, expect, it } from 'vitest'
import { parseTrustedRoot } from '../../src/trust/trusted-root.ts'
import { exportTrust } from '../../src/server/trust-export.ts'
import { trustTargets } from '../../src/server/trust-targets.ts'
import type { TufRepository } from '../../src/server/tuf/repository.ts'
import { publicTrustOf } from '../support/server/universe-trust.ts'
import type { ServedRepository } from '../unit/server/tuf/served-repository.ts'
import {
  day,
  get,
  listen,
  newRepository,
  newSigners,
  rolesOf,
  startedRepository,
  temporaryFolder,
} from '../unit/server/tuf/served-repository.ts'
import { artifactBytes, identity, issuer, legacyBundle, signBlob, universeOf } from '../support/universe/universe.ts'
import type { Ending } from './peer.ts'
import { findPeer, runPeerLive } from './peer.ts'

const cosign = findPeer('cosign')
const sigstorePython = findPeer('sigstore-python')
const trust = publicTrustOf(universeOf())
const trustedRoot = Buffer.from(trustTargets(trust, 'v2', 0)[0]?.contents ?? [])

/** The real clients take the time from the machine's clock. */
async function served(): Promise<ServedRepository & { readonly address: string; readonly root: Uint8Array }> {
  const clock = { now: Date.now() }
  const repository = await startedRepository({ targets: () => trustTargets(trust, 'v2', clock.now) }, clock)
  return { ...repository, address: await listen(repository.repository), root: await fileOf(repository.repository, '1.root.json') }
}

async function fileOf(repository: TufRepository, name: string): Promise<Uint8Array> {
  const bytes = await get(repository, name)
  if (bytes === undefined) throw new Error(`the repository has no ${name}`)
  return bytes
}

/** The logs of a trusted root, in an order that does not depend on who wrote it. */
function logsOf(json: Uint8Array) {
  return parseTrustedRoot(json).transparencyLogs.toSorted((a, b) => a.baseUrl.localeCompare(b.baseUrl))
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe.skipIf(cosign === undefined)('cosign', () => {
  const initialize = (home: string, { address, root }: { address: string; root: Uint8Array }, checksum = sha256(root)): Promise<Ending> =>
    runPeerLive(cosign ?? '', ['initialize', '--mirror', address, '--root', `${address}/1.root.json`, '--root-checksum', checksum], home)

  it('initializes without a warning, and has the trusted root and the signing config in its cache', async () => {
    const server = await served()
    const home = temporaryFolder()
    expect(await initialize(home, server)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    const cache = path.join(home, '.sigstore/root', server.address.replace('http://', '').replaceAll(/[/:]/g, '-'))
    expect(readFileSync(path.join(cache, 'targets/trusted_root.json'))).toEqual(trustedRoot)
    expect(existsSync(path.join(cache, 'targets/signing_config.v0.2.json'))).toBe(true)
  })

  it('of older versions finds keys and certificates one by one, by their usage', async () => {
    const clock = { now: Date.now() }
    const legacy = trustTargets(trust, 'v2', clock.now).filter(({ sigstore }) => sigstore !== undefined)
    const { repository } = await startedRepository({ targets: () => legacy }, clock)
    const home = temporaryFolder()
    // Without a trusted root, cosign 3 falls back to the TUF client of cosign 1 and 2.
    const ending = await initialize(home, { address: await listen(repository), root: await fileOf(repository, '1.root.json') })
    expect(ending).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('falling back to individual targets') })
    const { targets } = JSON.parse(ending.stdout.slice(ending.stdout.indexOf('{'))) as { targets: string[] }
    expect(targets.toSorted()).toEqual(legacy.map(({ name }) => name).toSorted())
    writeFileSync(path.join(home, 'legacy.json'), JSON.stringify(legacyBundle(signBlob())))
    writeFileSync(path.join(home, 'artifact'), artifactBytes)
    const words = ['--new-bundle-format=false', '--bundle', 'legacy.json', '--certificate-identity', identity]
    const verify = await runPeerLive(cosign ?? '', ['verify-blob', ...words, '--certificate-oidc-issuer', issuer, 'artifact'], home)
    expect(verify.stderr).toContain('Verified OK')
  })

  it('refuses a root with another checksum', async () => {
    const server = await served()
    const { exitCode, stderr } = await initialize(temporaryFolder(), server, '00'.repeat(32))
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/checksum/i)
  })

  it('verifies a bundle with the trust it got, and refuses a tampered one', async () => {
    const server = await served()
    const home = temporaryFolder()
    await initialize(home, server)
    const { bundle } = signBlob()
    const verify = (json: unknown): Promise<Ending> => {
      writeFileSync(path.join(home, 'bundle.json'), JSON.stringify(json))
      writeFileSync(path.join(home, 'artifact'), artifactBytes)
      const words = ['--bundle', 'bundle.json', '--certificate-identity', identity, '--certificate-oidc-issuer', issuer, 'artifact']
      return runPeerLive(cosign ?? '', ['verify-blob', ...words], home)
    }
    const verified = await verify(bundle)
    expect(verified.stderr).toContain('Verified OK')
    const tampered = JSON.parse(JSON.stringify(bundle)) as { messageSignature: { signature: string } }
    tampered.messageSignature.signature = Buffer.from('tampered').toString('base64')
    expect((await verify(tampered)).exitCode).toBe(1)
  })

  it('follows a rotation of every key with the cache it has, and with none', async () => {
    const server = await served()
    const home = temporaryFolder()
    await initialize(home, server)
    const fresh = newSigners()
    const signers = { ...fresh, root: [...server.signers.root, ...fresh.root] }
    const { repository } = newRepository({ documents: server.documents, signers }, server.clock)
    expect((await repository.rotate(rolesOf(fresh))).versions).toMatchObject({ root: 2 })
    const out = path.join(home, 'out.json')
    const create = await runPeerLive(cosign ?? '', ['trusted-root', 'create', '--with-default-services', '--out', out], home)
    expect([create.exitCode, create.stderr]).toEqual([0, expect.not.stringContaining('Error')])
    expect(logsOf(readFileSync(out))).toEqual(logsOf(trustedRoot))
    expect(await initialize(temporaryFolder(), server)).toMatchObject({ exitCode: 0, stderr: '' })
  })

  it('finds everything with the exported environment alone', async () => {
    const server = await served()
    const home = temporaryFolder()
    const folder = path.join(home, 'it\'s "trust" $HOME')
    mkdirSync(folder)
    const exported = exportTrust({ ...trust, tufUrl: server.address }, { rekor: 'v2', tufRoot: server.root })
    for (const { name, contents } of exported) writeFileSync(path.join(folder, name), contents)
    const script = '. "$1" && "$2" trusted-root create --with-default-services --out out.json'
    const { exitCode, stderr } = await runPeerLive('bash', ['-euc', script, 'bash', path.join(folder, 'env.sh'), cosign ?? ''], home)
    expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('Error')])
    expect(parseTrustedRoot(readFileSync(path.join(home, 'out.json'))).transparencyLogs).toHaveLength(2)
  })

  it('makes the same trusted root of the exported keys and chains', async () => {
    const home = temporaryFolder()
    for (const { name, contents } of exportTrust(trust, { rekor: 'v2', tufRoot: new Uint8Array() }))
      writeFileSync(path.join(home, name), contents)
    const start = new Date(universeOf().time - 365 * day).toISOString()
    const words = [
      `--fulcio=url=https://fulcio.universe.test,certificate-chain=fulcio.pem,start-time=${start}`,
      `--rekor=url=https://rekor.universe.test,public-key=rekor.pub,start-time=${start}`,
      `--rekor=url=https://log1.universe.test,public-key=rekor-v2.pub,start-time=${start},origin=log1.universe.test`,
      `--ctfe=url=https://ct.universe.test,public-key=ctfe.pub,start-time=${start}`,
      `--tsa=url=https://tsa.universe.test,certificate-chain=tsa.pem,start-time=${start}`,
    ]
    const { exitCode, stderr } = await runPeerLive(cosign ?? '', ['trusted-root', 'create', ...words, '--out', 'made.json'], home)
    expect([exitCode, stderr]).toEqual([0, ''])
    const theirs = parseTrustedRoot(readFileSync(path.join(home, 'made.json')))
    const ours = parseTrustedRoot(trustedRoot)
    expect(logsOf(readFileSync(path.join(home, 'made.json')))).toEqual(logsOf(trustedRoot))
    expect({ ...theirs, mediaType: '', transparencyLogs: [] }).toEqual({ ...ours, mediaType: '', transparencyLogs: [] })
  })
})

describe.skipIf(sigstorePython === undefined)('sigstore-python', () => {
  const identityFlags = ['--cert-identity', identity, '--cert-oidc-issuer', issuer]

  function prepare(): { readonly home: string; readonly run: (...words: readonly string[]) => Promise<Ending> } {
    const home = temporaryFolder()
    const bundle = signBlob().bundle
    writeFileSync(path.join(home, 'artifact'), artifactBytes)
    writeFileSync(path.join(home, 'other'), 'another artifact')
    writeFileSync(path.join(home, 'bundle.json'), JSON.stringify(bundle))
    return { home, run: (...words) => runPeerLive(sigstorePython ?? '', words, home, { XDG_DATA_HOME: home, XDG_CACHE_HOME: home }) }
  }

  it('trusts the instance by its root, through python-tuf, and verifies with the trust it got', async () => {
    const server = await served()
    const python = prepare()
    writeFileSync(path.join(python.home, 'root.json'), server.root)
    const trusted = await python.run('--instance', server.address, 'trust-instance', 'root.json')
    expect([trusted.exitCode, trusted.stderr]).toEqual([0, expect.not.stringContaining('rror')])
    const verify = (artifact: string) =>
      python.run('--instance', server.address, 'verify', 'identity', '--bundle', 'bundle.json', ...identityFlags, artifact)
    expect(await verify('artifact')).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('OK: artifact') })
    expect((await verify('other')).exitCode).not.toBe(0)
  })

  it('verifies with the exported client trust config alone', async () => {
    const python = prepare()
    for (const { name, contents } of exportTrust(trust, { rekor: 'v2', tufRoot: new Uint8Array() }))
      writeFileSync(path.join(python.home, name), contents)
    const verify = (artifact: string) =>
      python.run('--trust-config', 'client_trust_config.json', 'verify', 'identity', '--bundle', 'bundle.json', ...identityFlags, artifact)
    expect(await verify('artifact')).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('OK: artifact') })
    expect((await verify('other')).exitCode).not.toBe(0)
  })
})

describe('tuf-js', () => {
  function updater(folder: string, { address, root }: { address: string; root: Uint8Array }): Updater {
    const metadataDir = path.join(folder, 'metadata')
    const targetDir = path.join(folder, 'targets')
    for (const directory of [metadataDir, targetDir]) mkdirSync(directory, { recursive: true })
    if (!existsSync(path.join(metadataDir, 'root.json'))) writeFileSync(path.join(metadataDir, 'root.json'), root)
    return new Updater({ metadataBaseUrl: address, targetBaseUrl: `${address}/targets`, metadataDir, targetDir })
  }

  async function download(folder: string, server: { address: string; root: Uint8Array }, name = 'trusted_root.json'): Promise<Buffer> {
    const client = updater(folder, server)
    await client.refresh()
    const target = await client.getTargetInfo(name)
    if (target === undefined) throw new Error(`there is no target ${name}`)
    return readFileSync(await client.downloadTarget(target))
  }

  it('downloads every target', async () => {
    const server = await served()
    const folder = temporaryFolder()
    for (const { name, contents } of trustTargets(trust, 'v2', 0))
      expect(await download(folder, server, name), name).toEqual(Buffer.from(contents))
  })

  it('follows a rotation of every key, with the old metadata in its cache', async () => {
    const server = await served()
    const folder = temporaryFolder()
    await download(folder, server)
    const fresh = newSigners()
    const { repository } = newRepository(
      { documents: server.documents, signers: { ...fresh, root: [...server.signers.root, ...fresh.root] } },
      server.clock,
    )
    await repository.rotate(rolesOf(fresh))
    expect(await download(folder, server)).toEqual(trustedRoot)
  })

  it('refuses a repository whose database went back', async () => {
    const server = await served()
    const folder = temporaryFolder()
    const backup = server.documents.copy()
    server.clock.now += day
    await server.repository.refresh()
    await download(folder, server)
    const { repository } = newRepository({ documents: backup, signers: server.signers }, { now: Date.now() })
    const restored = { address: await listen(repository), root: server.root }
    await expect(download(folder, restored)).rejects.toThrow(/version 1 is less than|less than current version/i)
  })

  it('refuses the root of another repository', async () => {
    const [server, other] = [await served(), await served()]
    await expect(download(temporaryFolder(), { address: server.address, root: other.root })).rejects.toThrow(/signed by 0\/1|signature/i)
  })
})
