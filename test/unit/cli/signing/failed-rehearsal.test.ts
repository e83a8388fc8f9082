import { expect, it, vi } from 'vitest'
import { createWorkspace } from './signing-workspace.ts'

vi.mock('../../../../src/crypto/encrypted-private-key.ts', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  // Only what signs for nobody seals by itself.
  sealSecret: () => Promise.reject(new Error('out of entropy')),
}))

it('a rehearsal that fails takes nothing from the signature that is wanted', async () => {
  const { run, written } = await createWorkspace()
  const env = { COSIGN_PASSWORD: 'right' }
  expect(await run(['generate-key-pair'], { env })).toMatchObject({ exitCode: 0 })
  const words = ['sign-blob', 'artifact', '--key', 'cosign.key', '--tlog-upload=false', '--bundle', 'bundle.json']
  expect(await run(words, { env })).toMatchObject({ exitCode: 0 })
  expect(written()).toContain('bundle.json')
})
