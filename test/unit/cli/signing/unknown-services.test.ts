/** Services that flags name and whose keys nobody has given here: scripts of cosign have them where they verify. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { generatePrivateKey } from '../../../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../../../src/crypto/public-key.ts'
import { paths } from '../../../support/signing-services.ts'
import { pemOf } from '../../../support/universe/certificates.ts'
import { namedKey, universeOf } from '../../../support/universe/universe.ts'
import type { Workspace, WorkspaceOptions } from './signing-workspace.ts'
import { createWorkspace } from './signing-workspace.ts'

const stranger = universeOf({ name: 'other' })
const unknownLog = /WARNING: a log entry of the unknown log [0-9a-f]{64} was not counted; whoever verifies has to trust its key/
const unknownAuthority = /WARNING: a timestamp of an authority that the trusted root does not have was not counted; whoever verifies has to/

interface Place extends Workspace {
  /** Signs with a key and the services of the workspace, which are not those that it trusts. */
  sign(more: readonly string[], env?: Readonly<Record<string, string>>): ReturnType<Workspace['run']>
}

async function createPlace(options: WorkspaceOptions = {}): Promise<Place> {
  const workspace = await createWorkspace(options)
  const write = (name: string, contents: string): void => writeFileSync(path.join(workspace.folder, name), contents)
  const key = generatePrivateKey('ecdsa-p256')
  write('signer.key', key.encodePem())
  write('signer.pub', encodePublicKeyPem(key.publicKey))
  write('other-rekor.pub', stranger.rekor.key.pem)
  write('rekor.pub', workspace.universe.rekor.key.pem)
  write('other-tsa.pem', pemOf(stranger.timestampLeaf.der) + pemOf(stranger.timestampRoot.der))
  write('tsa.pem', pemOf(workspace.universe.timestampLeaf.der) + pemOf(workspace.universe.timestampRoot.der))
  const others = { SIGSTORE_REKOR_PUBLIC_KEY: 'other-rekor.pub', SIGSTORE_TSA_CERTIFICATE_FILE: 'other-tsa.pem' }
  return {
    ...workspace,
    sign: (more, env = others) =>
      workspace.run(['sign-blob', 'artifact', '--key', 'signer.key', '--yes', ...more], {
        env: { HOME: workspace.folder, TUF_MIRROR: 'http://127.0.0.1:9', TUF_ROOT_JSON: 'nowhere.json', ...env },
      }),
  }
}

describe('a service that a flag names, and that nobody here knows', () => {
  it('a log: the signature is written, with a warning, and verifies for who has its key', async () => {
    const place = await createPlace()
    const signed = await place.sign(['--rekor-url', place.services.url, '--bundle', 'b.json'])
    expect(signed, signed.stderr).toMatchObject({ exitCode: 0 })
    expect(signed.stderr).toMatch(unknownLog)
    const verify = (key: string) =>
      place.run(['verify-blob', 'artifact', '--bundle', 'b.json', '--key', 'signer.pub'], { env: { SIGSTORE_REKOR_PUBLIC_KEY: key } })
    expect(await verify('rekor.pub')).toMatchObject({ exitCode: 0 })
    expect(await verify('other-rekor.pub')).toMatchObject({ exitCode: 1 })
  })

  it('a timestamp authority: its timestamp is written, with a warning, and verifies for who has its chain', async () => {
    const place = await createPlace()
    const url = `${place.services.url}${paths.timestamp}`
    const words = ['--tlog-upload=false', '--timestamp-server-url', url, '--rfc3161-timestamp', 't.json', '--output-signature', 'a.sig']
    const signed = await place.sign(words)
    expect(signed, signed.stderr).toMatchObject({ exitCode: 0 })
    expect(signed.stderr).toMatch(unknownAuthority)
    const given = ['artifact', '--signature', 'a.sig', '--rfc3161-timestamp', 't.json', '--key', 'signer.pub', '--insecure-ignore-tlog']
    const verify = (chain: string) => place.run(['verify-blob', ...given, '--timestamp-certificate-chain', chain])
    expect(await verify('tsa.pem')).toMatchObject({ exitCode: 0 })
    expect(await verify('other-tsa.pem')).toMatchObject({ exitCode: 1 })
  })

  it('as the envelope of an attestation is timestamped', async () => {
    const place = await createPlace()
    writeFileSync(path.join(place.folder, 'predicate.json'), '{}')
    const url = `${place.services.url}${paths.timestamp}`
    const attested = await place.run(
      ['attest-blob', 'artifact', '--predicate', 'predicate.json', '--key', 'signer.key', '--yes', '--tlog-upload=false'].concat([
        '--timestamp-server-url',
        url,
        '--rfc3161-timestamp-bundle',
        't.json',
        '--output-signature',
        'a.att',
      ]),
      { env: { SIGSTORE_TSA_CERTIFICATE_FILE: 'other-tsa.pem' } },
    )
    expect(attested, attested.stderr).toMatchObject({ exitCode: 0 })
    expect(attested.stderr).toMatch(unknownAuthority)
    expect(place.written()).toContain('t.json')
  })

  it('where no trusted root is to be had, either, which is said', async () => {
    const place = await createPlace()
    const signed = await place.sign(['--rekor-url', place.services.url, '--bundle', 'b.json'], {})
    expect(signed, signed.stderr).toMatchObject({ exitCode: 0 })
    expect(signed.stderr).toMatch(/WARNING: getting the trusted root from TUF: /)
    expect(signed.stderr).toMatch(unknownLog)
  })
})

describe('nothing is written', () => {
  it('where a trusted root that is given does not have the log', async () => {
    const place = await createPlace()
    writeFileSync(path.join(place.folder, 'other-root.json'), stranger.trustedRoot())
    const signed = await place.sign(['--rekor-url', place.services.url, '--bundle', 'b.json', '--trusted-root', 'other-root.json'])
    expect(signed.exitCode).toBe(1)
    expect(signed.stderr).toContain('does not verify against the trusted root, so nothing was written')
    expect(place.written()).not.toContain('b.json')
  })

  const known = { SIGSTORE_REKOR_PUBLIC_KEY: 'rekor.pub', SIGSTORE_TSA_CERTIFICATE_FILE: 'tsa.pem' }
  const aboutSomethingElse: WorkspaceOptions = { bendBody: (parts) => ({ ...parts, digest: new Uint8Array(32) }) }

  it.each<[string, WorkspaceOptions, Readonly<Record<string, string>> | undefined]>([
    ['somebody else signed for a log that is known', { entry: { signer: namedKey('eve') } }, known],
    ['the entry of a log that is known is about something else', aboutSomethingElse, known],
    ['the entry of a log that is not known is about something else', aboutSomethingElse, undefined],
    ['somebody else signed for a timestamp authority that is known', { timestamp: { key: namedKey('eve') } }, known],
  ])('where %s', async (_, options, env) => {
    const place = await createPlace(options)
    const { url } = place.services
    const words = ['--rekor-url', url, '--timestamp-server-url', `${url}${paths.timestamp}`, '--bundle', 'b.json']
    const signed = await place.sign(words, env)
    expect(signed.exitCode).toBe(1)
    expect(signed.stderr).toContain('so nothing was written')
    expect(place.written()).not.toContain('b.json')
  })

  it('where a log that is known gives no time, which the signature of a certificate cannot do without', async () => {
    const place = await createPlace({ entry: { withPromise: false } })
    writeFileSync(path.join(place.folder, 'ct.pub'), place.universe.ctLog.pem)
    writeFileSync(path.join(place.folder, 'chain.pem'), place.universe.chain.map(({ der }) => pemOf(der)).join(''))
    const { url } = place.services
    const words = [
      'sign-blob',
      'artifact',
      '--yes',
      '--bundle',
      'b.json',
      '--identity-token',
      'token',
      '--fulcio-url',
      url,
      '--rekor-url',
      url,
    ]
    const own = { SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: 'ct.pub', SIGSTORE_ROOT_FILE: 'chain.pem', HOME: place.folder }
    const signed = await place.run(words, { env: { ...known, ...own } })
    expect(signed.exitCode).toBe(1)
    expect(signed.stderr).toContain('so nothing was written: no verified time of the signature')
    expect(place.written()).not.toContain('b.json')
    // A timestamp may be that time, and whoever verifies may know its authority.
    const others = { SIGSTORE_TSA_CERTIFICATE_FILE: 'other-tsa.pem' }
    const stamped = await place.run([...words, '--timestamp-server-url', `${url}${paths.timestamp}`], {
      env: { ...known, ...own, ...others },
    })
    expect(stamped, stamped.stderr).toMatchObject({ exitCode: 0 })
    expect(stamped.stderr).toMatch(unknownAuthority)
  })

  it('where the authority for a certificate is not known', async () => {
    const place = await createPlace()
    const urls = ['--fulcio-url', place.services.url, '--rekor-url', place.services.url, '--identity-token', 'token']
    const env = { HOME: place.folder, TUF_MIRROR: 'http://127.0.0.1:9', TUF_ROOT_JSON: 'nowhere.json' }
    const signed = await place.run(['sign-blob', 'artifact', '--yes', '--bundle', 'b.json', ...urls], { env })
    expect(signed.exitCode).toBe(1)
    expect(place.services.requests).toEqual([])
  })
})
