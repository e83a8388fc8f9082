/** The registry of `scripts/warm-up/registry.json`: what `make-warm-up.ts` has stored, served while the code cache of `verify` is made. */
import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import type { FakeRegistry } from '../test/support/registry-fake.ts'
import { startFakeRegistry } from '../test/support/registry-fake.ts'

interface Stored {
  readonly manifests: Readonly<Record<string, { readonly type: string; readonly text: string }>>
  readonly blobs: Readonly<Record<string, string>>
}

/** What is in a registry, as JSON. */
export function storedRegistry({ manifests, blobs }: FakeRegistry): string {
  const stored: Stored = {
    manifests: Object.fromEntries([...manifests].map(([name, { type, bytes }]) => [name, { type, text: Buffer.from(bytes).toString() }])),
    blobs: Object.fromEntries([...blobs].map(([name, bytes]) => [name, Buffer.from(bytes).toString()])),
  }
  return `${JSON.stringify(stored, undefined, 1)}\n`
}

/** Starts a registry that has it. */
export async function startWarmUpRegistry(): Promise<FakeRegistry> {
  const { manifests, blobs } = JSON.parse(readFileSync('scripts/warm-up/registry.json', 'utf8')) as Stored
  const registry = await startFakeRegistry()
  for (const [name, { type, text }] of Object.entries(manifests)) registry.manifests.set(name, { type, bytes: Buffer.from(text) })
  for (const [name, text] of Object.entries(blobs)) registry.blobs.set(name, Buffer.from(text))
  return registry
}
