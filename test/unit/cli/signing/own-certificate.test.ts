/** `sign-blob --key --certificate`: a certificate of an authority of one's own. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { derElement, derSequence } from '../../../../src/encoding/der-writer.ts'
import type { SubjectName } from '../../../support/universe/certificates.ts'
import { issue, pemOf } from '../../../support/universe/certificates.ts'
import { namedKey } from '../../../support/universe/keys.ts'
import { universeOf } from '../../../support/universe/universe.ts'
import type { Outcome } from '../captured-context.ts'
import type { Workspace, WorkspaceOptions } from './signing-workspace.ts'
import { createWorkspace } from './signing-workspace.ts'

const { time } = universeOf()
const year = 365 * 86_400_000
const validity = { notBefore: time - year, notAfter: time + year }
const root = issue({ key: namedKey('own root'), name: 'own root', ca: true, ...validity })
const intermediate = issue({ key: namedKey('own intermediate'), name: 'own intermediate', ca: true, ...validity }, root)
const subjects = [{ email: 'me@example.com' }]
const leaf = issue({ key: namedKey('own leaf'), name: 'me', subjects, ...validity }, intermediate)
const fromRoot = issue({ key: namedKey('own leaf'), name: 'me', subjects, ...validity }, root)
const expired = issue({ key: namedKey('own leaf'), name: 'me', subjects, notBefore: time - year, notAfter: time - 1 }, intermediate)
const foreign = issue({ key: namedKey('somebody else'), name: 'me', subjects, ...validity }, intermediate)
const server = issue({ key: namedKey('own leaf'), subjects, extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'], ...validity }, intermediate)

const files = {
  'own.key': namedKey('own leaf').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  'own.pem': pemOf(leaf.der),
  'from-root.pem': pemOf(fromRoot.der),
  'chain.pem': pemOf(leaf.der) + pemOf(intermediate.der) + pemOf(root.der),
  'root-alone.pem': pemOf(root.der),
  'expired.pem': pemOf(expired.der),
  'foreign.pem': pemOf(foreign.der),
  'server.pem': pemOf(server.der),
  'ca.pem': pemOf(intermediate.der) + pemOf(root.der),
}

async function workspaceWithFiles(options: WorkspaceOptions = {}): Promise<Workspace> {
  const workspace = await createWorkspace(options)
  for (const [name, contents] of Object.entries(files)) writeFileSync(path.join(workspace.folder, name), contents)
  return workspace
}

const services = ['--signing-config', 'config.json', '--trusted-root', 'root.json']
const sign = (workspace: Workspace, ...words: readonly string[]): Promise<Outcome> =>
  workspace.run(['sign-blob', 'artifact', '--bundle', 'b.json', ...words])

/** A trusted root with the own authority beside the universe's. */
function withOwnAuthority(workspace: Workspace): void {
  const trusted = JSON.parse(workspace.universe.trustedRoot()) as { certificateAuthorities: object[] }
  const certificates = [intermediate, root].map(({ der }) => ({ rawBytes: Buffer.from(der).toString('base64') }))
  trusted.certificateAuthorities.push({
    uri: 'https://ca.example.com',
    certChain: { certificates },
    validFor: { start: new Date(validity.notBefore).toISOString() },
  })
  writeFileSync(path.join(workspace.folder, 'own-root.json'), JSON.stringify(trusted))
}

const anybody = ['--certificate-identity', 'me@example.com', '--certificate-oidc-issuer-regexp', '.*', '--insecure-ignore-sct']

describe('a certificate of an own authority', () => {
  it.each(['v1', 'v2'] as const)('is logged in Rekor %s and put into the bundle with its intermediates, without its root', async (log) => {
    const workspace = await workspaceWithFiles({ log })
    const words = ['--key', 'own.key', '--certificate', 'own.pem', '--certificate-chain', 'chain.pem', ...services]
    expect(await sign(workspace, ...words)).toMatchObject({ exitCode: 0 })
    const { verificationMaterial } = JSON.parse(workspace.read('b.json')) as { verificationMaterial: Record<string, unknown> }
    const base64 = (der: Uint8Array): { rawBytes: string } => ({ rawBytes: Buffer.from(der).toString('base64') })
    expect(verificationMaterial['x509CertificateChain']).toEqual({ certificates: [base64(leaf.der), base64(intermediate.der)] })
    withOwnAuthority(workspace)
    const verify = ['verify-blob', 'artifact', '--bundle', 'b.json', '--trusted-root', 'own-root.json', ...anybody]
    expect((await workspace.run([...verify, '--allow-certificate-chain'])).stderr).toContain('Verified OK')
    expect((await workspace.run(verify)).exitCode).toBe(1)
  })

  it('stands in the bundle as any other where nothing is between it and its root', async () => {
    const workspace = await workspaceWithFiles()
    const words = ['--key', 'own.key', '--certificate', 'from-root.pem', '--certificate-chain', 'root-alone.pem']
    expect(await sign(workspace, ...words, '--tlog-upload=false')).toMatchObject({ exitCode: 0 })
    expect(workspace.read('b.json')).toContain(`"certificate":{"rawBytes":"${Buffer.from(fromRoot.der).toString('base64')}"}`)
    expect(workspace.services.requests).toEqual([])
  })

  it('needs no chain where the trusted root has its authority', async () => {
    const workspace = await workspaceWithFiles()
    withOwnAuthority(workspace)
    const words = ['--key', 'own.key', '--certificate', 'own.pem', '--signing-config', 'config.json', '--trusted-root', 'own-root.json']
    expect(await sign(workspace, ...words)).toMatchObject({ exitCode: 0 })
    const verify = ['verify-blob', 'artifact', '--bundle', 'b.json', '--trusted-root', 'own-root.json', ...anybody]
    expect((await workspace.run(verify)).stderr).toContain('Verified OK')
  })

  it('comes in a file of its own, too', async () => {
    const workspace = await workspaceWithFiles()
    const words = ['--key', 'own.key', '--certificate', 'own.pem', '--certificate-chain', 'chain.pem', '--tlog-upload=false']
    await workspace.run(['sign-blob', 'artifact', '--output-signature', 'a.sig', '--output-certificate', 'a.pem', ...words])
    const verify = ['verify-blob', 'artifact', '--signature', 'a.sig', '--certificate', 'a.pem', '--insecure-ignore-tlog', ...anybody]
    expect((await workspace.run([...verify, '--certificate-chain', 'ca.pem'])).stderr).toContain('Verified OK')
  })

  it.each([
    [['--certificate', 'foreign.pem'], 'public key in certificate does not match the provided public key'],
    [['--certificate', 'own.pem', '--certificate-chain', 'root-alone.pem'], 'unable to validate certificate chain'],
    [['--certificate', 'own.pem'], 'which is not a certificate authority of the trusted root (--certificate-chain says who issued it)'],
    [['--certificate', 'expired.pem', '--certificate-chain', 'ca.pem'], 'cannot be used: the certificate of'],
    [['--certificate', 'server.pem', '--certificate-chain', 'ca.pem'], 'is not for code signing'],
    [['--certificate', 'chain.pem'], 'should be one certificate'],
    [['--certificate', 'artifact'], 'the certificate artifact cannot be used'],
    [['--certificate', 'own.pem', '--certificate-chain', 'artifact'], 'the certificate chain artifact cannot be used'],
    [['--certificate', 'nowhere.pem'], 'the certificate nowhere.pem cannot be read'],
    [['--certificate-chain', 'chain.pem'], 'no leaf certificate found or provided while specifying chain'],
    [['--certificate', 'own.pem', '--issue-certificate'], 'exclude each other'],
  ])('is refused before anybody is asked: %s', async (words, message) => {
    const workspace = await workspaceWithFiles()
    const before = workspace.written()
    const refused = await sign(workspace, '--key', 'own.key', ...services, ...words)
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(message)
    expect(workspace.services.requests).toEqual([])
    expect(workspace.written()).toEqual(before)
  })

  it('is nothing without its key', async () => {
    const workspace = await workspaceWithFiles()
    const refused = await sign(workspace, '--certificate', 'own.pem', '--identity-token', 'token', ...services)
    expect(refused.stderr).toContain('--certificate is the certificate of the key that is given with --key')
    expect(workspace.services.requests).toEqual([])
  })
})

describe('the names of an own certificate', () => {
  const address = { der: derElement(0x87, Uint8Array.of(192, 0, 2, 1)) }
  const directory = { der: derElement(0xa4, derSequence()) }
  const named = (...names: readonly SubjectName[]): string =>
    pemOf(issue({ key: namedKey('own leaf'), name: 'me', subjects: names, ...validity }, intermediate).der)
  const local = ['--key', 'own.key', '--certificate', 'named.pem', '--certificate-chain', 'ca.pem', '--tlog-upload=false']

  it.each([
    ['a host', named({ dns: 'build.example.com' }), 'build.example.com'],
    ['an IP address', named(address), '192.0.2.1'],
    ['several, any of which may be asked for', named({ dns: 'a.example.com' }, { email: 'me@example.com' }), 'me@example.com'],
    ['one that nobody can ask for, and another', named(directory, { uri: 'https://example.com/me' }), 'https://example.com/me'],
  ])('%s', async (_, pem, name) => {
    const workspace = await workspaceWithFiles()
    writeFileSync(path.join(workspace.folder, 'named.pem'), pem)
    const signed = await sign(workspace, ...local, '--output-signature', 'a.sig')
    expect(signed.exitCode, signed.stderr).toBe(0)
    const verify = (identity: string) =>
      workspace.run([
        'verify-blob',
        'artifact',
        '--signature',
        'a.sig',
        '--certificate',
        'named.pem',
        '--certificate-chain',
        'ca.pem',
        '--certificate-identity',
        identity,
        '--certificate-oidc-issuer-regexp',
        '.*',
        '--insecure-ignore-sct',
        '--insecure-ignore-tlog',
      ])
    expect((await verify(name)).stderr).toContain('Verified OK')
    expect((await verify(`x${name}`)).stderr).toContain('none of the expected identities matched')
  })

  it.each([
    ['none', named()],
    ['a distinguished name alone', named(directory)],
    ['a name of another kind alone', named({ der: derElement(0x88, Uint8Array.of(0x2a, 3, 4)) })],
  ])('%s: nothing is signed that nobody could verify', async (_, pem) => {
    const workspace = await workspaceWithFiles()
    writeFileSync(path.join(workspace.folder, 'named.pem'), pem)
    const signed = await sign(workspace, ...local)
    expect(signed.exitCode).toBe(1)
    expect(signed.stderr).toContain('the certificate named.pem has no name that a verifier can ask for: an e-mail address, a URI')
    expect(workspace.written()).not.toContain('b.json')
  })
})
