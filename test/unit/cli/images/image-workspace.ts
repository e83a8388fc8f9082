/** A folder, an instance to sign with, and a registry with an image, for tests of the verbs that sign images. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { generatePrivateKey } from '../../../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../../../src/crypto/public-key.ts'
import type { FakeRegistry, FakeRegistryOptions } from '../../../support/registry-fake.ts'
import { startFakeRegistry } from '../../../support/registry-fake.ts'
import { putImage } from '../../../support/signed-image.ts'
import type { Outcome, Surroundings } from '../captured-context.ts'
import type { Workspace, WorkspaceOptions } from '../signing/signing-workspace.ts'
import { createWorkspace } from '../signing/signing-workspace.ts'

export interface ImageWorkspace extends Workspace {
  readonly registry: FakeRegistry
  /** `127.0.0.1:…/app@sha256:…`. */
  readonly image: string
  readonly digest: string
  /** Runs `sign` keyless on the image, with whatever else is said. */
  signImage(more?: readonly string[], surroundings?: Surroundings): Promise<Outcome>
  /** The layers under a tag beside the image. */
  layersAt(suffix: 'sig' | 'att' | 'sbom', repository?: string): Layer[]
  /** The bundles that refer to the image, by predicate type. */
  bundleTypes(repository?: string): string[]
}

export interface Layer {
  readonly mediaType: string
  readonly digest: string
  readonly annotations?: Readonly<Record<string, string>>
}

export const witnessed = ['--signing-config', 'config.json', '--trusted-root', 'root.json'] as const
/** With a key, recorded nowhere. */
export const withKey = ['--key', 'signer.key', '--tlog-upload=false'] as const

/** Makes one that ends with the test: beside the files of `createWorkspace`, `signer.key` and `signer.pub`. */
export async function createImageWorkspace(
  options: WorkspaceOptions = {},
  registryOptions: FakeRegistryOptions = {},
): Promise<ImageWorkspace> {
  const workspace = await createWorkspace(options)
  const registry = await startFakeRegistry(registryOptions)
  onTestFinished(() => registry.stop())
  const key = generatePrivateKey('ecdsa-p256')
  writeFileSync(path.join(workspace.folder, 'signer.key'), key.encodePem())
  writeFileSync(path.join(workspace.folder, 'signer.pub'), encodePublicKeyPem(key.publicKey))
  const initial = workspace.written()
  const digest = putImage(registry)
  const image = `${registry.host}/app@${digest}`
  const manifestAt = (name: string): { readonly layers: Layer[]; readonly annotations?: Record<string, string> } | undefined => {
    const stored = registry.manifests.get(name)
    return stored === undefined ? undefined : (JSON.parse(Buffer.from(stored.bytes).toString()) as { layers: Layer[] })
  }
  return {
    ...workspace,
    written: () => workspace.written().filter((name) => !initial.includes(name)),
    registry,
    image,
    digest,
    signImage: (more = [], surroundings) =>
      workspace.run(['sign', image, '--identity-token', 'token', ...witnessed, ...more], surroundings),
    layersAt: (suffix, repository = 'app') => manifestAt(`${repository}:${digest.replace(':', '-')}.${suffix}`)?.layers ?? [],
    bundleTypes: (repository = 'app') =>
      [...registry.manifests.keys()]
        .filter((name) => name.startsWith(`${repository}@`))
        .flatMap((name) => manifestAt(name)?.annotations?.['dev.sigstore.bundle.predicateType'] ?? [])
        .toSorted(),
  }
}
