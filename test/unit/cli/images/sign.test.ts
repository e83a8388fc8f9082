/** `sign` from the command line to the registry, against the services of a universe. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { generatePrivateKey } from '../../../../src/crypto/private-key.ts'
import { contentDigest } from '../../../../src/oci/digest.ts'
import { principal } from '../../../support/signing-services.ts'
import { answer } from '../../../support/registry-fake.ts'
import { putImage, putIndex, signType } from '../../../support/signed-image.ts'
import { tokenIssuer } from '../signing/signing-workspace.ts'
import { createImageWorkspace, withKey, witnessed } from './image-workspace.ts'
import type { ImageWorkspace } from './image-workspace.ts'

const identity = ['--certificate-identity', principal, '--certificate-oidc-issuer', tokenIssuer]
const verify = ({ run, image }: ImageWorkspace, more: readonly string[]) => run(['verify', '--trusted-root', 'root.json', ...more, image])
const verifyKey = (workspace: ImageWorkspace, more: readonly string[] = []) =>
  verify(workspace, ['--key', 'signer.pub', '--insecure-ignore-tlog', ...more])

/** Says what went wrong where something did. */
function expectDone({ exitCode, stderr }: { readonly exitCode: number; readonly stderr: string }): void {
  expect(exitCode, stderr).toBe(0)
}

describe('a bundle', () => {
  for (const referrers of [true, false]) {
    it(`is what verify finds, in a registry ${referrers ? 'with' : 'without'} the referrers API`, async () => {
      const workspace = await createImageWorkspace({}, { referrers })
      expectDone(await workspace.signImage(['-a', 'env=prod']))
      expect(workspace.bundleTypes()).toEqual([signType])
      expectDone(await verify(workspace, [...identity, '-a', 'env=prod']))
      expect((await verify(workspace, [...identity, '-a', 'env=test'])).exitCode).toBe(12)
    })
  }

  it('is announced in the lines of cosign', async () => {
    const { signImage, registry } = await createImageWorkspace()
    const { stdout, stderr } = await signImage(['--bundle', 'app.sigstore.json'])
    expect(stdout).toBe('')
    expect(stderr.split('\n')).toEqual([
      'Generating ephemeral keys...',
      'Retrieving signed certificate...',
      'Successfully verified SCT...',
      'Signing artifact...',
      'tlog entry created with index: 1000003',
      'Wrote bundle to file app.sigstore.json',
      `Pushing signature to: ${registry.host}/app`,
      '',
    ])
  })

  it('is a statement about the digest alone, with the annotations', async () => {
    const workspace = await createImageWorkspace()
    expectDone(await workspace.run(['sign', ...withKey, '-a', 'a=b=c', '--bundle', 'b.json', workspace.image]))
    const { dsseEnvelope } = JSON.parse(workspace.read('b.json')) as { dsseEnvelope: { payload: string } }
    expect(JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString())).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: workspace.digest.slice(7) }, annotations: { a: 'b=c' } }],
      predicateType: signType,
      predicate: {},
    })
    expect(statSync(path.join(workspace.folder, 'b.json')).mode & 0o777).toBe(0o600)
  })

  it('goes into a file only, with --upload=false', async () => {
    const workspace = await createImageWorkspace()
    const before = workspace.registry.manifests.size
    expectDone(await workspace.run(['sign', ...withKey, '--upload=false', '--bundle', 'b.json', workspace.image]))
    expect(workspace.registry.manifests.size).toBe(before)
    expect(workspace.written()).toEqual(['b.json'])
    const nowhere = await workspace.run(['sign', ...withKey, '--upload=false', workspace.image])
    expect(nowhere.exitCode).toBe(1)
    expect(nowhere.stderr).toContain(
      'Error: must enable upload to the OCI registry or specify a local --bundle path with --new-bundle-format\n',
    )
  })

  it('goes where COSIGN_REPOSITORY says, and verify looks there', async () => {
    const workspace = await createImageWorkspace()
    const env = { HOME: workspace.folder, COSIGN_REPOSITORY: `${workspace.registry.host}/signatures` }
    const { stderr, exitCode } = await workspace.run(['sign', ...withKey, workspace.image], { env })
    expect(exitCode, stderr).toBe(0)
    expect(stderr).toContain(`Pushing signature to: ${env.COSIGN_REPOSITORY}\n`)
    expect(workspace.bundleTypes()).toEqual([])
    expect(workspace.bundleTypes('signatures')).toEqual([signType])
    expect((await verifyKey(workspace)).exitCode).toBe(10)
    expectDone(await workspace.run(['verify', '--key', 'signer.pub', '--insecure-ignore-tlog', workspace.image], { env }))
  })

  it('has the time of SOURCE_DATE_EPOCH', async () => {
    const workspace = await createImageWorkspace()
    const env = { HOME: workspace.folder, SOURCE_DATE_EPOCH: '1700000000' }
    expectDone(await workspace.run(['sign', ...withKey, workspace.image], { env }))
    const stored = [...workspace.registry.manifests.values()].map(({ bytes }) => Buffer.from(bytes).toString())
    expect(stored.join()).toContain('"org.opencontainers.image.created":"2023-11-14T22:13:20Z"')
    const wrong = await workspace.run(['sign', ...withKey, workspace.image], { env: { ...env, SOURCE_DATE_EPOCH: 'yesterday' } })
    expect(wrong.stderr).toContain('SOURCE_DATE_EPOCH should be seconds since 1970, found "yesterday"')
  })

  it('is told of as JSON', async () => {
    const workspace = await createImageWorkspace()
    const { stdout } = await workspace.signImage(['-o', 'json'])
    expect(JSON.parse(stdout)).toMatchObject({
      signed: true,
      image: { name: workspace.image, digest: workspace.digest },
      signer: { kind: 'certificate', identity: principal, issuer: tokenIssuer },
      logEntries: [{ logIndex: '1000003' }],
      stored: expect.stringMatching(new RegExp(`^${workspace.registry.host}/app@sha256:`)) as string,
      files: [],
    })
  })
})

describe('the format from before bundles', () => {
  const old = '--new-bundle-format=false'

  it('is a layer under the .sig tag, with payload and signature in files', async () => {
    const workspace = await createImageWorkspace()
    const files = ['--output-signature', 'o.sig', '--output-payload', 'o.json', '--output-certificate', 'o.pem', '--bundle', 'o.bundle']
    expectDone(await workspace.signImage([old, '-y', '-a', 'k=v', ...files]))
    const [layer, ...others] = workspace.layersAt('sig')
    expect(others).toEqual([])
    expect(layer).toMatchObject({ mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json' })
    expect(layer?.annotations).toMatchObject({
      'dev.cosignproject.cosign/signature': workspace.read('o.sig'),
      'dev.sigstore.cosign/certificate': workspace.read('o.pem'),
      'dev.sigstore.cosign/chain': '',
      'dev.sigstore.cosign/bundle': expect.stringContaining('SignedEntryTimestamp') as string,
    })
    expect(workspace.read('o.json')).toBe(
      `{"critical":{"identity":{"docker-reference":"${workspace.registry.host}/app"},"image":{"docker-manifest-digest":"${workspace.digest}"},"type":"cosign container image signature"},"optional":{"k":"v"}}`,
    )
    expect(Object.keys(JSON.parse(workspace.read('o.bundle')) as object)).toEqual(['base64Signature', 'cert', 'rekorBundle'])
    expect(workspace.bundleTypes()).toEqual([])
    expectDone(await verify(workspace, identity))
  })

  it('has no timestamp unless one is asked for, because cosign 2 refuses one that it does not expect', async () => {
    const workspace = await createImageWorkspace()
    const url = [old, '-y', '--use-signing-config=false', '--rekor-url', workspace.services.url]
    expectDone(await workspace.run(['sign', workspace.image, '--key', 'signer.key', '--trusted-root', 'root.json', ...url]))
    expect(Object.keys(workspace.layersAt('sig')[0]?.annotations ?? {})).not.toContain('dev.sigstore.cosign/rfc3161timestamp')
    expectDone(await workspace.signImage([old, '-y']))
    expect(Object.keys(workspace.layersAt('sig')[1]?.annotations ?? {})).toContain('dev.sigstore.cosign/rfc3161timestamp')
  })

  it('needs Rekor v1', async () => {
    const workspace = await createImageWorkspace({ log: 'v2' })
    const { exitCode, stderr } = await workspace.signImage([old, '-y'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(
      'Error: the format from before bundles needs the promise of its log, which only Rekor v1 gives, so make a bundle',
    )
  })

  it('is chosen by flags that belong to it, and not where a bundle is asked for', async () => {
    const workspace = await createImageWorkspace()
    const chosen = await workspace.run(['sign', ...withKey, '--output-signature', 'o.sig', workspace.image])
    expect(chosen.stderr).toContain('WARNING: --output-signature belongs to the format from before bundles, so that one is used')
    expect(workspace.layersAt('sig')).toHaveLength(1)
    const bundled = await workspace.run(['sign', ...withKey, '--output-signature', 'p.sig', '--bundle', 'b.json', workspace.image])
    expect(bundled.stderr).toContain('WARNING: --output-signature is deprecated when using --new-bundle-format and will be ignored\n')
    expect(workspace.layersAt('sig')).toHaveLength(1)
    expect(workspace.written()).toEqual(['b.json', 'o.sig'])
  })

  it('prints a signature that goes nowhere else', async () => {
    const workspace = await createImageWorkspace()
    const { stdout } = await workspace.run(['sign', ...withKey, old, '--upload=false', workspace.image])
    expect(Buffer.from(stdout, 'base64')[0]).toBe(0x30)
  })

  it('calls the image what --sign-container-identity says, in a signature each', async () => {
    const workspace = await createImageWorkspace()
    expectDone(await workspace.run(['sign', ...withKey, old, '--sign-container-identity', 'one.example/a,two.example/b', workspace.image]))
    const payloads = workspace
      .layersAt('sig')
      .map(({ digest }) => Buffer.from(workspace.registry.blobs.get(`app@${digest}`) ?? []).toString())
    expect(payloads.map((payload) => /"docker-reference":"([^"]+)"/.exec(payload)?.[1] ?? '').toSorted()).toEqual([
      'one.example/a',
      'two.example/b',
    ])
  })

  it('is not added again by the same key where it says the same, and by another one is', async () => {
    const workspace = await createImageWorkspace()
    const add = (...more: readonly string[]) => workspace.run(['sign', ...withKey, old, ...more, workspace.image])
    for (let round = 0; round < 3; round++) expectDone(await add())
    expect(workspace.layersAt('sig')).toHaveLength(1)
    expectDone(await add('-a', 'k=v'))
    expect(workspace.layersAt('sig')).toHaveLength(2)
    writeFileSync(path.join(workspace.folder, 'signer.key'), generatePrivateKey('ecdsa-p256').encodePem())
    expectDone(await add())
    expect(workspace.layersAt('sig')).toHaveLength(3)
  })

  it('has Docker media types and a time where they are asked for', async () => {
    const workspace = await createImageWorkspace()
    const env = { HOME: workspace.folder, COSIGN_DOCKER_MEDIA_TYPES: '1', SOURCE_DATE_EPOCH: '1700000000' }
    expectDone(await workspace.run(['sign', ...withKey, old, '--record-creation-timestamp', workspace.image], { env }))
    const tag = `app:${workspace.digest.replace(':', '-')}.sig`
    const manifest = JSON.parse(Buffer.from(workspace.registry.manifests.get(tag)?.bytes ?? []).toString()) as {
      config: { mediaType: string; digest: string }
    }
    expect(workspace.registry.manifests.get(tag)?.type).toBe('application/vnd.docker.distribution.manifest.v2+json')
    expect(manifest.config.mediaType).toBe('application/vnd.docker.container.image.v1+json')
    expect(Buffer.from(workspace.registry.blobs.get(`app@${manifest.config.digest}`) ?? []).toString()).toContain(
      '"created":"2023-11-14T22:13:20Z"',
    )
  })

  it('signs a payload that is given, but not one about another image', async () => {
    const workspace = await createImageWorkspace()
    const { stdout } = await workspace.run(['generate', workspace.image, '-a', 'made=elsewhere'])
    writeFileSync(path.join(workspace.folder, 'payload.json'), stdout)
    expectDone(await workspace.run(['sign', ...withKey, old, '--payload', 'payload.json', workspace.image]))
    expectDone(await verifyKey(workspace, ['-a', 'made=elsewhere']))
    const other = `${workspace.registry.host}/app@${putImage(workspace.registry, 'v2', 'another image')}`
    const refused = await workspace.run(['sign', ...withKey, old, '--payload', 'payload.json', other])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(`the payload payload.json is about ${workspace.digest}, and ${other} is `)
  })

  it('can be an OCI referrer, where COSIGN_EXPERIMENTAL allows it', async () => {
    const workspace = await createImageWorkspace()
    const words = ['sign', ...withKey, old, '--registry-referrers-mode', 'oci-1-1', workspace.image]
    const refused = await workspace.run(words)
    expect(refused.stderr).toContain('in order to use  mode "oci-1-1", you must set COSIGN_EXPERIMENTAL=1')
    for (let round = 0; round < 2; round++) expectDone(await workspace.run(words, { env: { COSIGN_EXPERIMENTAL: '1' } }))
    expect(workspace.layersAt('sig')).toEqual([])
    expectDone(await verifyKey(workspace))
  })

  it('signs the SBOM that is attached to an image', async () => {
    const workspace = await createImageWorkspace()
    const words = ['sign', ...withKey, old, '--attachment', 'sbom', workspace.image]
    expect((await workspace.run(words)).stderr).toContain('accessing entity: entity not found in registry')
    writeFileSync(path.join(workspace.folder, 's.json'), '{"spdxVersion":"SPDX-2.3"}')
    expectDone(await workspace.run(['attach', 'sbom', '--sbom', 's.json', workspace.image]))
    expectDone(await workspace.run(words))
    const sbom = workspace.registry.manifests.get(`app:${workspace.digest.replace(':', '-')}.sbom`)
    const digest = contentDigest(sbom?.bytes ?? new Uint8Array(0))
    const signatures = [...workspace.registry.manifests.keys()].filter((name) => name.endsWith('.sig'))
    expect(signatures).toEqual([`app:${digest.replace(':', '-')}.sig`])
    expect((await workspace.run(['sign', ...withKey, old, '--attachment', 'logo', workspace.image])).exitCode).toBe(1)
  })
})

describe('several images', () => {
  it('are signed after one sign-in, with a bundle each in a folder', async () => {
    const workspace = await createImageWorkspace()
    const second = `${workspace.registry.host}/app@${putImage(workspace.registry, 'v2', 'another image')}`
    mkdirSync(path.join(workspace.folder, 'bundles'))
    const { stderr, exitCode } = await workspace.signImage([second, '--bundle', 'bundles'])
    expect(exitCode, stderr).toBe(0)
    expect(stderr.match(/Retrieving signed certificate/g)).toHaveLength(1)
    expect(stderr.match(/Successfully verified SCT/g)).toHaveLength(1)
    expect(stderr.match(/Wrote bundle to file bundles\/app-sha256-[0-9a-f]{64}\.sigstore\.json\n/g)).toHaveLength(2)
    expect(workspace.bundleTypes()).toEqual([signType, signType])
  })

  it('of an index are signed with it, each once, and the digest is behind the name of each file', async () => {
    const workspace = await createImageWorkspace()
    const other = putImage(workspace.registry, 'v2', 'another image')
    const index = putIndex(workspace.registry, { 'linux/amd64': workspace.digest, 'linux/arm64': other }, 'index')
    const words = ['sign', '--recursive', ...withKey, '--bundle', 'b.json', `${workspace.registry.host}/app@${index}`]
    const { stderr, exitCode } = await workspace.run([...words, workspace.image])
    expect(exitCode, stderr).toBe(0)
    expect(workspace.written()).toEqual([index, workspace.digest, other].map((digest) => `b.json-${digest.replace(':', '-')}`).toSorted())
    const all = ['verify', '--recursive', '--key', 'signer.pub', '--insecure-ignore-tlog', `${workspace.registry.host}/app@${index}`]
    expectDone(await workspace.run(all))
  })

  it('without --recursive leave what an index names unsigned', async () => {
    const workspace = await createImageWorkspace()
    const index = putIndex(workspace.registry, { 'linux/amd64': workspace.digest }, 'index')
    expectDone(await workspace.run(['sign', ...withKey, `${workspace.registry.host}/app@${index}`]))
    expect((await verifyKey(workspace)).exitCode).toBe(10)
  })

  it('show how far it is on a terminal, and nothing of it elsewhere', async () => {
    const workspace = await createImageWorkspace()
    const words = [
      'sign',
      ...withKey,
      workspace.image,
      `${workspace.registry.host}/app@${putImage(workspace.registry, 'v2', 'another image')}`,
    ]
    expect((await workspace.run(words)).stderr).not.toContain('\r')
    const shown = await workspace.run(words, { columns: 80 })
    expect(shown.stderr).toContain('\r2 of 2 images signed')
    expect(shown.stderr.endsWith('\r\u001B[K')).toBe(true)
  })
})

describe('nothing is stored', () => {
  it('when an image is not there, and it is said which', async () => {
    const workspace = await createImageWorkspace()
    const missing = `${workspace.registry.host}/app@sha256:${'0'.repeat(64)}`
    const { exitCode, stderr } = await workspace.signImage([missing])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`Error: signing [${missing}]: accessing entity: entity not found in registry: `)
    expect(workspace.services.requests).toEqual([])
    expect(workspace.bundleTypes()).toEqual([])
  })

  it('when what the services answered does not verify', async () => {
    const workspace = await createImageWorkspace({ bendRoot: (root) => void (root['tlogs'] = []) })
    const { exitCode, stderr } = await workspace.signImage(['--bundle', 'b.json'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`signing [${workspace.image}]: `)
    expect(workspace.bundleTypes()).toEqual([])
    expect(workspace.written()).toEqual([])
  })

  it('when a file could not be written afterwards', async () => {
    const workspace = await createImageWorkspace()
    const { exitCode, stderr } = await workspace.signImage(['--bundle', 'missing/b.json'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('missing/b.json cannot be written')
    expect(workspace.services.requests).toEqual([])
  })

  it.each([
    [['-a', 'without-a-value'], 'unable to parse annotation: "without-a-value" should be key=value'],
    [['--registry-password', 'x'], '--registry-password needs --registry-username'],
    [['--key', 'signer.key', '--sk'], 'at most one of: key reference (--key) or hardware token (--sk) can be provided'],
    [['NOT A NAME'], 'could not parse reference'],
    [
      ['--sign-container-identity', 'a,b', '--output-signature', 's'],
      '--output-signature names one file, and --sign-container-identity makes several signatures',
    ],
  ])('for %j', async (more, message) => {
    const workspace = await createImageWorkspace()
    const { exitCode, stderr } = await workspace.signImage(more)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
    expect(workspace.services.requests).toEqual([])
  })

  it('of the rest when the registry refuses one, and it is said how many were done', async () => {
    const workspace = await createImageWorkspace()
    const others = Array.from(
      { length: 12 },
      (_, index) => `${workspace.registry.host}/app@${putImage(workspace.registry, `v${index}`, `image ${index}`)}`,
    )
    const refused = `${workspace.registry.host}/locked@${putImage(workspace.registry, 'v1', 'locked', 'locked')}`
    workspace.registry.rule('POST /v2/locked/', answer(403, {}, '{"errors":[{"code":"DENIED","message":"not yours"}]}'))
    const { exitCode, stderr } = await workspace.run(['sign', ...withKey, ...others, refused])
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/Error: signing \[.*\/locked@.*not yours.*\(\d+ of the 13 were done before\)\n/)
  })
})

describe('an image layout', () => {
  const local = '--local-image'

  for (const layout of [[], ['--new-bundle-format=false']] as const) {
    it(`is signed before it is pushed, and its signature goes with it: ${layout.join() || 'a bundle'}`, async () => {
      const workspace = await createImageWorkspace()
      expectDone(await workspace.run(['save', '--dir', 'saved', workspace.image]))
      const before = workspace.registry.requests.length
      const { stderr, exitCode } = await workspace.run(['sign', ...withKey, ...layout, local, 'saved'])
      expect(exitCode, stderr).toBe(0)
      expect(stderr).toContain('Storing signature in: saved\n')
      expect(workspace.registry.requests).toHaveLength(before)
      expectDone(await workspace.run(['verify', '--key', 'signer.pub', '--insecure-ignore-tlog', local, 'saved']))
      expect((await verifyKey(workspace)).exitCode).toBe(10)
      expectDone(await workspace.run(['load', '--dir', 'saved', `${workspace.registry.host}/app:v2`]))
      expectDone(await verifyKey(workspace))
    })
  }

  it('that is none is not signed', async () => {
    const workspace = await createImageWorkspace()
    expect((await workspace.run(['sign', ...withKey, local, 'nowhere'])).exitCode).toBe(1)
    expect(workspace.written()).toEqual([])
  })
})

it('warns of a tag in the words of cosign, and signs what it names now', async () => {
  const workspace = await createImageWorkspace()
  const { stderr } = await workspace.run(['sign', ...withKey, `${workspace.registry.host}/app:v1`])
  expect(stderr)
    .toContain(`WARNING: Image reference ${workspace.registry.host}/app:v1 uses a tag, not a digest, to identify the image to sign.
    This can lead you to sign a different image than the intended one. Please use a
    digest (example.com/ubuntu@sha256:abc123...) rather than tag
    (example.com/ubuntu:latest) for the input to cosign. The ability to refer to
    images by tag will be removed in a future release.

`)
  expectDone(await verifyKey(workspace))
})

describe('an image that not everybody may see', () => {
  const login = { username: 'alice', password: 'secret' } as const
  const credentials = ['--registry-username', login.username, '--registry-password', login.password]
  const urls = ({ services }: ImageWorkspace) => ['--use-signing-config=false', '--rekor-url', services.url, '--trusted-root', 'root.json']

  it('is logged only after its owner agrees', async () => {
    const workspace = await createImageWorkspace({}, { auth: { kind: 'basic', ...login } })
    const words = ['sign', '--key', 'signer.key', ...urls(workspace), ...credentials, workspace.image]
    const { exitCode, stderr } = await workspace.run(words, { typed: true, stdin: Buffer.from('y\ny\n') })
    expect(exitCode, stderr).toBe(0)
    expect(stderr).toContain(
      `WARNING: "${workspace.registry.host}/app" appears to be a private repository, please confirm uploading to the transparency log at "${workspace.services.url}"\n`,
    )
    expect(stderr).toContain('tlog entry created with index: ')
  })

  it('is signed without a log where its owner does not', async () => {
    const workspace = await createImageWorkspace({}, { auth: { kind: 'basic', ...login } })
    const words = ['sign', '--key', 'signer.key', ...urls(workspace), ...credentials, workspace.image]
    const { exitCode, stderr } = await workspace.run(words, { typed: true, stdin: Buffer.from('n\n') })
    expect(exitCode, stderr).toBe(0)
    expect(stderr).toContain('not uploading to transparency log\n')
    expect(workspace.services.requests).toEqual([])
    expect(workspace.bundleTypes()).toEqual([signType])
  })

  it('is not asked about with --yes, nor where a job signs with a signing config', async () => {
    const workspace = await createImageWorkspace({}, { auth: { kind: 'basic', ...login } })
    const asked = await workspace.run(['sign', '--key', 'signer.key', ...urls(workspace), ...credentials, '--yes', workspace.image])
    const job = await workspace.run(['sign', '--key', 'signer.key', ...witnessed, ...credentials, workspace.image])
    for (const { exitCode, stderr } of [asked, job]) {
      expect(exitCode, stderr).toBe(0)
      expect(stderr).not.toContain('private repository')
      expect(stderr).not.toContain(login.password)
    }
  })
})
