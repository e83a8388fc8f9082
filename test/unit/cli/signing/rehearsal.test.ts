import { describe, expect, it } from 'vitest'
import { rehearseSigning } from '../../../../src/cli/signing/rehearsal.ts'
import { createWorkspace } from './signing-workspace.ts'

describe('signing once for nobody', () => {
  it('works without services, files or a password', async () => {
    await expect(rehearseSigning()).resolves.toBeUndefined()
  })

  it('leaves nothing behind but what was asked for, and no signature where the password is wrong', async () => {
    const workspace = await createWorkspace({})
    const env = { COSIGN_PASSWORD: 'right' }
    expect(await workspace.run(['generate-key-pair'], { env })).toMatchObject({ exitCode: 0 })
    const words = ['sign-blob', 'artifact', '--key', 'cosign.key', '--tlog-upload=false', '--bundle', 'bundle.json']
    const refused = await workspace.run(words, { env: { COSIGN_PASSWORD: 'wrong' } })
    expect(refused.exitCode).not.toBe(0)
    expect(refused.stderr).toContain('the password is wrong, or the file is damaged')
    expect(workspace.written()).not.toContain('bundle.json')
    expect(await workspace.run(words, { env })).toMatchObject({ exitCode: 0 })
    expect(workspace.written()).toContain('bundle.json')
  })
})
