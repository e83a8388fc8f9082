/** Text that a registry chooses never looks like a line of ours, and never moves the cursor. */
import { describe, expect, it } from 'vitest'
import type { Json } from '../../../support/universe/universe.ts'
import { attachBundle, attestationLayer, imageAttestation, putTag } from '../../../support/signed-image.ts'
import { createImageWorkspace, withKey } from './image-workspace.ts'

const forged = '\nVerification for us --\n\u001B[2K\u009B1A\u202E::error::x'
const lineStart = /^(?:Verification for us|::error)/m
// eslint-disable-next-line no-control-regex
const terminal = /[\u001B\u009B\u202E]/

describe('text of a registry', () => {
  it.each([
    ['the name of an annotation', (manifest: Json) => ({ ...manifest, annotations: { [forged]: 1 } })],
    ['a media type', (manifest: Json) => ({ ...manifest, mediaType: forged })],
    ['the digest of a layer', (manifest: Json) => ({ ...manifest, layers: [{ mediaType: 'x', size: 1, digest: forged }] })],
    ['a predicate type', (manifest: Json) => ({ ...manifest, annotations: { 'dev.sigstore.bundle.predicateType': forged } })],
    ['an artifact type', (manifest: Json) => ({ ...manifest, artifactType: forged })],
  ])('is printed within a line: %s', async (_, bend) => {
    const { run, image, digest, registry } = await createImageWorkspace()
    const attestation = imageAttestation(digest).json
    attachBundle(registry, digest, attestation, {
      bend: (manifest) => {
        for (const [name, value] of Object.entries(bend(manifest))) manifest[name] = value
      },
    })
    for (const argv of [
      ['verify', '--explain', '--key', 'signer.pub', '--insecure-ignore-tlog', image],
      ['verify-attestation', '--explain', '--key', 'signer.pub', '--insecure-ignore-tlog', image],
      ['tree', image],
      ['download', 'signature', image],
      ['clean', '--force', image],
      ['sign', ...withKey, image],
    ]) {
      const { stdout, stderr } = await run(argv)
      expect(`${stdout}${stderr}`, argv[0]).not.toMatch(lineStart)
      expect(`${stdout}${stderr}`, argv[0]).not.toMatch(terminal)
    }
  })

  it('is printed within a line: the media type of an SBOM', async () => {
    const { run, image, digest, registry } = await createImageWorkspace()
    const layer = { mediaType: forged, digest: registry.putBlob('app', 'sbom'), size: 4 }
    putTag(registry, digest, [layer], 'sbom')
    const { stdout, stderr } = await run(['download', 'sbom', image])
    expect(stdout).toBe('sbom')
    expect(stderr).not.toMatch(lineStart)
    expect(stderr).not.toMatch(terminal)
  })

  it('is printed within a line: members of an envelope that nobody signed', async () => {
    const { run, image, digest, registry } = await createImageWorkspace()
    const signed = imageAttestation(digest)
    const envelope = { ...(signed.bundle['dsseEnvelope'] as object), note: '\u009B2K\u202E' }
    putTag(registry, digest, [attestationLayer(registry, { ...signed, bundle: { ...signed.bundle, dsseEnvelope: envelope } })], 'att')
    const { stdout } = await run(['download', 'attestation', image])
    expect(JSON.parse(stdout)).toEqual(envelope)
    expect(stdout).not.toMatch(terminal)
  })
})
