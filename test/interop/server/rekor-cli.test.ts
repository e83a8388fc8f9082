/** What clients signed with a private Sigstore is found, read and verified in its Rekor v1 by the real rekor-cli. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ending } from '../peer.ts'
import { findPeer } from '../peer.ts'
import { artifact, beginLogs } from './clients.ts'
import { cell } from './matrix.ts'
import type { StartedSigstore } from './private-sigstore.ts'
import { machineEmail, startSigstore } from './private-sigstore.ts'

const rekorCli = findPeer('rekor-cli')

describe.skipIf(rekorCli === undefined)('rekor-cli', () => {
  let sigstore: StartedSigstore
  let uuid = ''

  const run = (...words: readonly string[]): Promise<Ending> => sigstore.run(rekorCli ?? '', [...words, '--rekor_server', sigstore.url])

  beforeAll(async () => {
    sigstore = await startSigstore()
    await beginLogs(sigstore)
    sigstore.write('other', 'another artifact\n')
    const services = ['--use-signing-config=false', '--fulcio-url', sigstore.url, '--rekor-url', sigstore.url, '--yes']
    const outputs = ['--output-signature', 'signature', '--output-certificate', 'certificate.pem']
    const trust = ['--trusted-root', sigstore.trust('trusted_root.json')]
    const env = { SIGSTORE_ID_TOKEN: await sigstore.token() }
    expect(await sigstore.countersign(['sign-blob', 'other', ...services, ...outputs, ...trust], { env })).toMatchObject({ exitCode: 0 })
    // As cosign does it, both files are in base64, the certificate over PEM; rekor-cli wants what is inside.
    for (const name of ['signature', 'certificate.pem'])
      sigstore.write(name, Buffer.from(readFileSync(sigstore.path(name), 'utf8'), 'base64'))
  })

  afterAll(async () => sigstore.stop())

  const entry = (file: string): string[] => ['--artifact', file, '--signature', 'signature', '--public-key', 'certificate.pem']

  /** The index follows the log, a moment later. */
  async function search(...words: readonly string[]): Promise<string[]> {
    for (let tries = 0; ; tries++) {
      const { exitCode, stdout } = await run('search', ...words)
      const found = exitCode === 0 ? stdout.trim().split('\n').filter(Boolean) : []
      if (found.length > 0 || tries === 40) return found
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  it('finds what somebody signed, by e-mail address, digest, certificate and file', cell('entry in Rekor v1', 'rekor-cli'), async () => {
    const digest = createHash('sha256').update('another artifact\n').digest('hex')
    const [found = '', ...more] = await search('--sha', digest)
    expect([found, more]).toEqual([expect.stringMatching(/^[0-9a-f]{80}$/), []])
    uuid = found
    expect(await search('--artifact', 'other')).toEqual([uuid])
    expect(await search('--public-key', 'certificate.pem', '--pki-format', 'x509')).toEqual([uuid])
    expect(await search('--email', machineEmail)).toContain(uuid)
    expect(await search('--email', machineEmail, '--sha', digest, '--operator', 'and')).toEqual([uuid])
    const all = await search('--email', machineEmail, '--sha', createHash('sha256').update(artifact).digest('hex'), '--operator', 'or')
    expect(all).toHaveLength(2)
    expect((await run('search', '--email', 'somebody-else@example.com')).stdout).toBe('')
  })

  it('gets and verifies it, and nothing else', async () => {
    expect((await run('get', '--uuid', uuid)).stdout).toContain('HashedRekordObj')
    expect((await run('get', '--log-index', '1')).stdout).toContain(uuid)
    const verified = await run('verify', ...entry('other'))
    expect(verified).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`Entry Hash: ${uuid.slice(16)}`) as string })
    expect((await run('verify', ...entry('artifact'))).exitCode).not.toBe(0)
  })

  it('follows the log', async () => {
    expect(await run('loginfo')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Verification Successful!') as string })
    await beginLogs(sigstore)
    expect(await run('loginfo')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Verification Successful!') as string })
    expect(await run('logproof', '--first-size', '1', '--last-size', '3')).toMatchObject({ exitCode: 0 })
  })
})
