/** `attest` from the command line to the registry, against the services of a universe. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { principal } from '../../../support/signing-services.ts'
import { putImage } from '../../../support/signed-image.ts'
import { tokenIssuer } from '../signing/signing-workspace.ts'
import { createImageWorkspace, withKey, witnessed } from './image-workspace.ts'
import type { ImageWorkspace } from './image-workspace.ts'

const type = 'https://example.com/tests/v1'
const custom = 'https://cosign.sigstore.dev/attestation/v1'
const old = '--new-bundle-format=false'

async function createAttesting(...options: Parameters<typeof createImageWorkspace>): Promise<ImageWorkspace> {
  const workspace = await createImageWorkspace(...options)
  writeFileSync(path.join(workspace.folder, 'p.json'), '{"passed":12}')
  return workspace
}

const attest = ({ run, image }: ImageWorkspace, more: readonly string[], ...rest: readonly Parameters<ImageWorkspace['run']>[1][]) =>
  run(['attest', image, ...more], ...rest)
const verify = ({ run, image }: ImageWorkspace, more: readonly string[]) =>
  run(['verify-attestation', '--key', 'signer.pub', '--insecure-ignore-tlog', ...more, image])

function expectDone({ exitCode, stderr }: { readonly exitCode: number; readonly stderr: string }): void {
  expect(exitCode, stderr).toBe(0)
}

interface Statement {
  readonly _type: string
  readonly subject: unknown
  readonly predicateType: string
  readonly predicate: unknown
}

const statementIn = (envelope: string): Statement =>
  JSON.parse(Buffer.from((JSON.parse(envelope) as { payload: string }).payload, 'base64').toString()) as Statement

describe('a bundle', () => {
  for (const referrers of [true, false]) {
    it(`is what verify-attestation finds, in a registry ${referrers ? 'with' : 'without'} the referrers API`, async () => {
      const workspace = await createAttesting({}, { referrers })
      const { stdout, stderr, exitCode } = await attest(workspace, [
        ...witnessed,
        '--identity-token',
        'token',
        '--predicate',
        'p.json',
        '--type',
        type,
      ])
      expect(exitCode, stderr).toBe(0)
      expect(stdout).toBe('')
      expect(stderr.split('\n')).toEqual([
        'Using payload from: p.json',
        'Generating ephemeral keys...',
        'Retrieving signed certificate...',
        'Successfully verified SCT...',
        'Signing artifact...',
        'tlog entry created with index: 1000003',
        `Pushing attestation to: ${workspace.registry.host}/app`,
        '',
      ])
      expect(workspace.bundleTypes()).toEqual([type])
      const identity = ['--certificate-identity', principal, '--certificate-oidc-issuer', tokenIssuer, '--trusted-root', 'root.json']
      const verified = await workspace.run(['verify-attestation', ...identity, '--type', type, workspace.image])
      expectDone(verified)
      expect(statementIn(verified.stdout)).toEqual({
        _type: 'https://in-toto.io/Statement/v0.1',
        subject: [{ name: `${workspace.registry.host}/app`, digest: { sha256: workspace.digest.slice(7) } }],
        predicateType: type,
        predicate: { passed: 12 },
      })
    })
  }

  it('is no signature of the image', async () => {
    const workspace = await createAttesting()
    expectDone(await attest(workspace, [...withKey, '--predicate', 'p.json']))
    const signature = await workspace.run(['verify', '--key', 'signer.pub', '--insecure-ignore-tlog', workspace.image])
    expect(signature.exitCode).toBe(10)
  })

  it('of each of several images is about that one', async () => {
    const workspace = await createAttesting()
    const second = `${workspace.registry.host}/app@${putImage(workspace.registry, 'v2', 'another image')}`
    expectDone(await attest(workspace, [second, ...withKey, '--predicate', '-', '--type', type], { stdin: Buffer.from('{"a":1}') }))
    for (const image of [workspace.image, second]) {
      const { stdout } = await workspace.run(['verify-attestation', '--key', 'signer.pub', '--insecure-ignore-tlog', '--type', type, image])
      expect(statementIn(stdout)).toMatchObject({ subject: [{ digest: { sha256: image.slice(-64) } }] })
    }
  })

  it('replaces none, and says so', async () => {
    const workspace = await createAttesting()
    for (let round = 0; round < 2; round++) {
      const { stderr } = await attest(workspace, [...withKey, '--replace', '--predicate', 'p.json'])
      expect(stderr).toContain('WARNING: --replace has no effect on bundles')
    }
    expect(workspace.bundleTypes()).toEqual([custom, custom])
  })
})

describe('with --no-upload', () => {
  it('the envelope is printed, or in the bundle', async () => {
    const workspace = await createAttesting()
    const before = workspace.registry.manifests.size
    const { stdout } = await attest(workspace, [...withKey, '--no-upload', '--predicate', 'p.json'])
    expect(statementIn(stdout).predicateType).toBe(custom)
    const filed = await attest(workspace, [...withKey, '--no-upload', '--predicate', 'p.json', '--bundle', 'b.json'])
    expect(filed.stdout).toBe('')
    expect(workspace.written()).toContain('b.json')
    expect(workspace.registry.manifests.size).toBe(before)
  })

  it('JSON holds the envelope where nothing else does', async () => {
    const workspace = await createAttesting()
    const { stdout } = await attest(workspace, [...withKey, '--no-upload', '--predicate', 'p.json', '-o', 'json'])
    expect(JSON.parse(stdout)).toMatchObject({ signed: true, image: { digest: workspace.digest }, envelope: { signatures: [{}] } })
  })
})

describe('the format from before bundles', () => {
  it('is a layer under the .att tag, with its predicate type', async () => {
    const workspace = await createAttesting()
    expectDone(await attest(workspace, [...witnessed, '--identity-token', 'token', old, '-y', '--predicate', 'p.json', '--type', type]))
    expect(workspace.layersAt('att')).toMatchObject([
      {
        mediaType: 'application/vnd.dsse.envelope.v1+json',
        annotations: {
          'dev.cosignproject.cosign/signature': '',
          'dev.sigstore.cosign/certificate': expect.stringContaining('BEGIN CERTIFICATE') as string,
          'dev.sigstore.cosign/bundle': expect.stringContaining('SignedEntryTimestamp') as string,
          predicateType: type,
        },
      },
    ])
    const identity = ['--certificate-identity', principal, '--certificate-oidc-issuer', tokenIssuer, '--trusted-root', 'root.json']
    expectDone(await workspace.run(['verify-attestation', ...identity, '--use-signed-timestamps', '--type', type, workspace.image]))
  })

  it('adds an attestation, and with --replace only takes the place of those of its type', async () => {
    const workspace = await createAttesting()
    const add = (what: string, ...more: readonly string[]) =>
      attest(workspace, [...withKey, old, '--predicate', 'p.json', '--type', what, ...more])
    expectDone(await add(type))
    expectDone(await add(type))
    expectDone(await add('https://example.com/other'))
    const types = () => workspace.layersAt('att').map(({ annotations }) => annotations?.['predicateType'])
    expect(types()).toEqual([type, type, 'https://example.com/other'])
    expectDone(await add(type, '--replace'))
    expect(types()).toEqual(['https://example.com/other', type])
    expectDone(await verify(workspace, ['--type', type]))
  })
})

describe('a statement that is finished', () => {
  const write = (workspace: ImageWorkspace, sha256: string) =>
    writeFileSync(
      path.join(workspace.folder, 's.json'),
      JSON.stringify({
        _type: 'https://in-toto.io/Statement/v1',
        subject: [{ name: 'x', digest: { sha256 } }],
        predicateType: type,
        predicate: {},
      }),
    )

  it('is signed to the byte', async () => {
    const workspace = await createAttesting()
    write(workspace, workspace.digest.slice(7))
    expectDone(await attest(workspace, [...withKey, '--statement', 's.json', '--bundle', 'b.json']))
    const { dsseEnvelope } = JSON.parse(workspace.read('b.json')) as { dsseEnvelope: { payload: string } }
    expect(Buffer.from(dsseEnvelope.payload, 'base64').toString()).toBe(workspace.read('s.json'))
  })

  it('is refused when it is about something else, and nothing is stored', async () => {
    const workspace = await createAttesting()
    write(workspace, '0'.repeat(64))
    const { exitCode, stderr } = await attest(workspace, [...withKey, '--statement', 's.json'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(
      `${workspace.image} is not a subject of the statement s.json: none of its 1 subjects has the digest of that image`,
    )
    expect(workspace.bundleTypes()).toEqual([])
  })
})

it.each([
  [[], 'at least one of the flags in the group [predicate statement] is required'],
  [['--predicate', 'p.json', '--statement', 'p.json'], 'one of --predicate or --statement must be set'],
  [['--predicate', 'p.json', '--type', 'slsa'], 'invalid predicate type: slsa'],
  [['--predicate', 'none.json'], 'the predicate none.json cannot be read: no such file or directory'],
  [['--predicate', 'p.json', '--type', 'slsaprovenance1'], 'invalid predicate in p.json: '],
  [['--predicate', 'p.json', '--rekor-entry-type', 'tuf'], 'unknown value for rekor-entry-type: expected dsse or intoto, found "tuf"'],
])('nothing is signed for %j', async (more, message) => {
  const workspace = await createAttesting()
  const { exitCode, stderr } = await attest(workspace, [...withKey, ...more])
  expect(exitCode).toBe(1)
  expect(stderr).toContain(message)
  expect(workspace.bundleTypes()).toEqual([])
})
