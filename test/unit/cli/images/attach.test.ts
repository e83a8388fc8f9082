/** `generate`, `attach` and `upload`: what was made elsewhere, and where it goes in a registry. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { putImage } from '../../../support/signed-image.ts'
import { createImageWorkspace, withKey } from './image-workspace.ts'
import type { ImageWorkspace } from './image-workspace.ts'

const write = ({ folder }: ImageWorkspace, name: string, contents: string | Uint8Array): void =>
  writeFileSync(path.join(folder, name), contents)

function expectDone({ exitCode, stderr }: { readonly exitCode: number; readonly stderr: string }): void {
  expect(exitCode, stderr).toBe(0)
}

const verify = ({ run, image }: ImageWorkspace, verb = 'verify') => run([verb, '--key', 'signer.pub', '--insecure-ignore-tlog', image])

describe('generate', () => {
  it('prints the payload with the escapes of Go, and nothing behind it', async () => {
    const { run, image, registry, digest } = await createImageWorkspace()
    const { stdout, stderr } = await run(['generate', '-a', 'b=<c>', '-a', 'a=1', image])
    expect(stdout).toBe(
      `{"critical":{"identity":{"docker-reference":"${registry.host}/app"},"image":{"docker-manifest-digest":"${digest}"},"type":"cosign container image signature"},"optional":{"a":"1","b":"\\u003cc\\u003e"}}`,
    )
    expect(stderr).toContain('Command "generate" is deprecated')
  })

  it('says that a tag is not there', async () => {
    const { run, registry } = await createImageWorkspace()
    expect((await run(['generate', `${registry.host}/app:none`])).exitCode).toBe(11)
  })
})

describe('attach signature', () => {
  async function signedPayload(): Promise<ImageWorkspace> {
    const workspace = await createImageWorkspace()
    write(workspace, 'payload.json', (await workspace.run(['generate', workspace.image])).stdout)
    expectDone(await workspace.run(['sign-blob', ...withKey, '--output-signature', 'payload.sig', 'payload.json']))
    return workspace
  }

  it('puts a payload and its signature where verify finds them, once', async () => {
    const workspace = await signedPayload()
    for (let round = 0; round < 2; round++)
      expectDone(await workspace.run(['attach', 'signature', '--payload', 'payload.json', '--signature', 'payload.sig', workspace.image]))
    expect(workspace.layersAt('sig')).toHaveLength(1)
    expectDone(await verify(workspace))
  })

  it('makes the payload that cosign implies, and takes the signature from standard input', async () => {
    const workspace = await signedPayload()
    const stdin = Buffer.from(workspace.read('payload.sig'))
    const { exitCode, stderr } = await workspace.run(['attach', 'signature', '--signature', '-', workspace.image], { stdin })
    expect(exitCode, stderr).toBe(0)
    expect(stderr).toContain('WARNING: using obsolete implied signature payload data')
    expectDone(await verify(workspace))
  })

  it('keeps certificate, log entry and timestamp', async () => {
    const workspace = await createImageWorkspace()
    const files = [
      '--output-signature',
      's',
      '--output-payload',
      'p',
      '--output-certificate',
      'c.pem',
      '--bundle',
      'local.json',
      '--upload=false',
    ]
    expectDone(await workspace.signImage(['--new-bundle-format=false', '-y', ...files]))
    const { rekorBundle } = JSON.parse(workspace.read('local.json')) as { rekorBundle: object }
    write(workspace, 'rekor.json', JSON.stringify(rekorBundle))
    const words = ['--signature', 's', '--payload', 'p', '--certificate', 'c.pem', '--rekor-response', 'rekor.json']
    expectDone(await workspace.run(['attach', 'signature', ...words, workspace.image]))
    const identity = ['--certificate-identity-regexp', '.*', '--certificate-oidc-issuer-regexp', '.*']
    expectDone(await workspace.run(['verify', '--trusted-root', 'root.json', ...identity, workspace.image]))
  })

  it('stores a bundle as a referrer', async () => {
    const workspace = await createImageWorkspace()
    expectDone(await workspace.run(['sign', ...withKey, '--upload=false', '--bundle', 'b.json', workspace.image]))
    expectDone(await workspace.run(['attach', 'signature', '--bundle', 'b.json', workspace.image]))
    expect(workspace.bundleTypes()).toHaveLength(1)
    expectDone(await verify(workspace))
  })

  it('refuses what is about another image', async () => {
    const workspace = await signedPayload()
    expectDone(await workspace.run(['sign', ...withKey, '--upload=false', '--bundle', 'b.json', workspace.image]))
    const other = `${workspace.registry.host}/app@${putImage(workspace.registry, 'v2', 'another image')}`
    for (const words of [
      ['--payload', 'payload.json', '--signature', 'payload.sig'],
      ['--bundle', 'b.json'],
    ]) {
      const { exitCode, stderr } = await workspace.run(['attach', 'signature', ...words, other])
      expect(exitCode).toBe(1)
      expect(stderr).toContain(`and ${other} is sha256:`)
    }
    expect([...workspace.registry.manifests.keys()].filter((name) => name.endsWith('.sig'))).toEqual([])
  })

  it.each([
    [['--payload', 'payload.json'], 'name the signature with --signature'],
    [['--signature', 'none'], 'the signature none cannot be read'],
    [['--signature', 'payload.sig', '--certificate-chain', 'payload.sig'], '--certificate-chain is the chain of a certificate'],
    [['--signature', 'payload.sig', '--rekor-response', 'payload.json'], 'answer'],
  ])('refuses %j', async (words, message) => {
    const workspace = await signedPayload()
    const { exitCode, stderr } = await workspace.run(['attach', 'signature', ...words, workspace.image])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
    expect(workspace.layersAt('sig')).toEqual([])
  })
})

describe('attach attestation', () => {
  it('puts every envelope of a file under the .att tag, and bundles beside the image', async () => {
    const workspace = await createImageWorkspace()
    write(workspace, 'p.json', '{}')
    const attest = (...more: readonly string[]) =>
      workspace.run(['attest', ...withKey, '--no-upload', '--predicate', 'p.json', ...more, workspace.image])
    const envelopes = [await attest(), await attest('--type', 'https://example.com/a')].map(({ stdout }) => stdout.trim())
    await attest('--bundle', 'b.json')
    write(workspace, 'all.json', envelopes.join('') + workspace.read('b.json'))
    expectDone(await workspace.run(['attach', 'attestation', '--attestation', 'all.json', workspace.image]))
    expect(workspace.layersAt('att')).toHaveLength(2)
    expect(workspace.bundleTypes()).toHaveLength(1)
    expectDone(await verify(workspace, 'verify-attestation'))
  })

  it.each([
    ['{"a":1}', 'attaching payload from f: invalid payloadType "" on envelope. Expected application/vnd.in-toto+json'],
    ['[]', 'the attestation f should hold JSON objects, one after the other'],
    ['{"payloadType":', 'the attestation f ends within a JSON object'],
    [
      `{"payloadType":"application/vnd.in-toto+json","payload":"${Buffer.from(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"${'0'.repeat(64)}"}}],"predicateType":"x"}`).toString('base64')}","signatures":[{"sig":"AAAA"}]}`,
      'attaching payload from f: the attestation is about "1 subjects without its digest"',
    ],
  ])('refuses %s', async (contents, message) => {
    const workspace = await createImageWorkspace()
    write(workspace, 'f', contents)
    const { exitCode, stderr } = await workspace.run(['attach', 'attestation', '--attestation', 'f', workspace.image])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
    expect(workspace.layersAt('att')).toEqual([])
  })
})

describe('attach sbom', () => {
  it.each([
    [[], '{"a":1}', 'text/spdx+json'],
    [[], 'SPDXVersion: SPDX-2.3', 'text/spdx'],
    [['--type', 'cyclonedx'], '<bom/>', 'application/vnd.cyclonedx+xml'],
    [['--type', 'cyclonedx', '--input-format', 'xml'], '{}', 'application/vnd.cyclonedx+json'],
    [['--type', 'syft'], '{}', 'application/vnd.syft+json'],
  ])('with %j of %s has the media type of cosign', async (words, contents, mediaType) => {
    const workspace = await createImageWorkspace()
    write(workspace, 'sbom', 'an earlier one')
    expectDone(await workspace.run(['attach', 'sbom', '--sbom', 'sbom', workspace.image]))
    write(workspace, 'sbom', contents)
    const { exitCode, stderr } = await workspace.run(['attach', 'sbom', '--sbom', 'sbom', ...words, workspace.image])
    expect(exitCode, stderr).toBe(0)
    expect(stderr).toContain(`with mediaType [${mediaType}].\n\n`)
    expect(workspace.layersAt('sbom')).toMatchObject([{ mediaType }])
  })

  it.each([
    [['--type', 'word'], 'unknown SBOM type: "word", expected (spdx|cyclonedx|syft)'],
    [['--input-format', 'xml'], 'invalid SBOM input format: "xml", expected (json|text)'],
    [['--registry-referrers-mode', 'oci-1-1'], 'you must set COSIGN_EXPERIMENTAL=1'],
  ])('refuses %j', async (words, message) => {
    const workspace = await createImageWorkspace()
    write(workspace, 'sbom', '{}')
    const { exitCode, stderr } = await workspace.run(['attach', 'sbom', '--sbom', 'sbom', ...words, workspace.image])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
    expect(workspace.layersAt('sbom')).toEqual([])
  })
})

describe('upload', () => {
  it('prints the name with the digest, and nothing else, on standard output', async () => {
    const { run, registry } = await createImageWorkspace()
    const { stdout, stderr } = await run(['upload', 'blob', '-f', 'artifact', `${registry.host}/blob`])
    expect(stdout).toMatch(new RegExp(`^${registry.host}/blob@sha256:[0-9a-f]{64}\n$`))
    expect(stderr).toContain(`Uploading file from [artifact] to [${registry.host}/blob:latest] with media type [text/plain]\n`)
    expect(stderr.endsWith('Uploaded image to:\n')).toBe(true)
  })

  it('sends a large file in pieces', async () => {
    const workspace = await createImageWorkspace()
    write(workspace, 'large', Buffer.alloc(20 * 1024 * 1024 + 3, 7))
    expectDone(await workspace.run(['upload', 'blob', '-f', 'large', `${workspace.registry.host}/blob:v1`]))
    expect([...workspace.registry.blobs.values()].map(({ length }) => length)).toContain(20 * 1024 * 1024 + 3)
  })

  it('makes an index of several files', async () => {
    const { run, registry } = await createImageWorkspace()
    const files = ['-f', 'artifact:linux/arm64/v8', '-f', 'root.json:windows']
    expectDone(await run(['upload', 'blob', ...files, '-a', 'k=v', `${registry.host}/blob:v1`]))
    const index = JSON.parse(Buffer.from(registry.manifests.get('blob:v1')?.bytes ?? []).toString()) as object
    expect(index).toMatchObject({
      manifests: [{ platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }, { platform: { os: 'windows', architecture: '' } }],
      annotations: { k: 'v' },
    })
  })

  it.each([
    [[], 'name the files to upload with --files'],
    [['-f', 'none'], 'the blob none cannot be read: no such file or directory'],
    [['-f', 'artifact', '-f', 'token'], 'each file must include a unique platform, artifact had no platform'],
    [['-f', 'artifact:linux', '-f', 'token:linux'], 'each file must include a unique platform, that of token is another'],
    [['-f', 'artifact:a/b/c/d'], 'expected path[:os[/architecture[/variant]]], found artifact:a/b/c/d'],
  ])('refuses %j', async (words, message) => {
    const { run, registry } = await createImageWorkspace()
    const { exitCode, stderr } = await run(['upload', 'blob', ...words, `${registry.host}/blob`])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
    expect(registry.manifests.has('blob:latest')).toBe(false)
  })

  it('refuses a digest to upload to', async () => {
    const { run, image } = await createImageWorkspace()
    expect((await run(['upload', 'blob', '-f', 'artifact', image])).stderr).toContain('names a digest')
  })

  it('stores a WebAssembly module as its runtimes expect it', async () => {
    const { run, registry } = await createImageWorkspace()
    expectDone(await run(['upload', 'wasm', '-f', 'artifact', `${registry.host}/wasm:v1`]))
    expect(JSON.parse(Buffer.from(registry.manifests.get('wasm:v1')?.bytes ?? []).toString())).toMatchObject({
      config: { mediaType: 'application/vnd.wasm.config.v1+json', size: 115 },
      layers: [{ mediaType: 'application/vnd.wasm.content.layer.v1+wasm' }],
    })
  })
})
