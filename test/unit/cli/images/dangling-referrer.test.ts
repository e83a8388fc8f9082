/** A list of referrers that names what is gone, as garbage collection and older tools leave it: nothing else is lost because of it. */
import { describe, expect, it } from 'vitest'
import { answer } from '../../../support/registry-fake.ts'
import { createImageWorkspace, withKey } from './image-workspace.ts'
import type { ImageWorkspace } from './image-workspace.ts'

/** An image with two signatures, of which one is gone; the registry has no referrers API and takes no index that names what is gone. */
async function withDangling(): Promise<ImageWorkspace & { readonly gone: string; readonly tag: string }> {
  const workspace = await createImageWorkspace({}, { referrers: false })
  const { run, image, registry, digest } = workspace
  for (const value of ['1', '2']) expect(await run(['sign', ...withKey, '-a', `n=${value}`, image])).toMatchObject({ exitCode: 0 })
  const tag = `app:${digest.replace(':', '-')}`
  const [first] = listed(workspace, tag)
  const gone = first ?? ''
  registry.manifests.delete(`app@${gone}`)
  registry.rule(/^PUT \/v2\/app\/manifests\/sha256-/, (_request, response, body) => {
    if (!Buffer.from(body).includes(gone)) return
    return answer(400, {}, '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}')(_request, response, body)
  })
  return { ...workspace, gone, tag }
}

function listed({ registry }: ImageWorkspace, tag: string): string[] {
  const { bytes } = registry.manifests.get(tag) ?? { bytes: new Uint8Array() }
  return (JSON.parse(Buffer.from(bytes).toString()) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest)
}

describe('a referrer that is listed and gone', () => {
  it('keeps nobody from signing, and from verifying the others', async () => {
    const workspace = await withDangling()
    const { run, image, gone, tag } = workspace
    const signed = await run(['sign', ...withKey, '-a', 'n=3', image])
    expect(signed.exitCode, signed.stderr).toBe(0)
    expect(listed(workspace, tag)).toHaveLength(2)
    expect(listed(workspace, tag)).not.toContain(gone)
    const { exitCode } = await run(['verify', '--key', 'signer.pub', '--insecure-ignore-tlog', '-a', 'n=3', image])
    expect(exitCode).toBe(0)
  })

  it('is shown by tree, and left out by copy and save with a word', async () => {
    const { run, image, registry, gone } = await withDangling()
    expect((await run(['tree', image])).stdout).toContain(`listed as an OCI referrer, and not there: ${registry.host}/app@${gone}`)
    for (const argv of [
      ['copy', image, `${registry.host}/other:v1`],
      ['save', '--dir', 'saved', image],
    ]) {
      const { exitCode, stderr } = await run(argv)
      expect(exitCode, stderr).toBe(0)
      expect(stderr).toContain(`${gone} is listed as a referrer of`)
    }
    const verified = await run(['verify', '--key', 'signer.pub', '--insecure-ignore-tlog', `${registry.host}/other:v1`])
    expect(verified.exitCode, verified.stderr).toBe(0)
  })

  it('is removed by clean', async () => {
    const workspace = await withDangling()
    const { exitCode, stderr } = await workspace.run(['clean', '--force', workspace.image])
    expect(exitCode, stderr).toBe(0)
    expect(workspace.registry.manifests.has(workspace.tag)).toBe(false)
  })
})
