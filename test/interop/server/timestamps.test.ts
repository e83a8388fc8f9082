/** Timestamps of a private Sigstore with nothing but openssl and curl. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cell } from './matrix.ts'
import type { StartedSigstore } from './private-sigstore.ts'
import { startSigstore } from './private-sigstore.ts'

const missing = [
  ['openssl', 'version'],
  ['curl', '--version'],
].flatMap(([program = '', flag = '']) => (spawnSync(program, [flag]).status === 0 ? [] : [program]))
if (missing.length > 0 && process.env['CI'] !== undefined) throw new Error(`not installed: ${missing.join(', ')}`)
if (missing.length > 0) console.warn(`skipped: ${missing.join(' and ')} not installed`)

describe.skipIf(missing.length > 0)('openssl ts', () => {
  let sigstore: StartedSigstore

  beforeAll(async () => {
    sigstore = await startSigstore()
    for (const name of ['artifact', 'other']) sigstore.write(name, `${name}\n`)
    // The export has the chain in one file: the leaf first, the root last.
    const chain = readFileSync(sigstore.trust('tsa.pem'), 'utf8').match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----\n/g) ?? []
    sigstore.write('tsa-root.pem', chain.at(-1) ?? '')
    sigstore.write('tsa-untrusted.pem', chain.slice(0, -1).join(''))
    sigstore.write('tsa-leaf.pem', chain[0] ?? '')
  })

  afterAll(async () => sigstore.stop())

  const openssl = async (...words: readonly string[]): Promise<{ readonly status: number | null; readonly output: string }> => {
    const { exitCode, stdout, stderr } = await sigstore.run('openssl', words)
    return { status: exitCode, output: stdout + stderr }
  }

  /** Asks for a timestamp of the artifact, over HTTP. */
  async function timestamp(...flags: readonly string[]): Promise<void> {
    expect(await openssl('ts', '-query', '-data', 'artifact', ...flags, '-out', 'request.tsq')).toMatchObject({ status: 0 })
    const post = ['--fail', '--silent', '--show-error', '--data-binary', '@request.tsq', '-H', 'content-type: application/timestamp-query']
    const ending = await sigstore.run('curl', [...post, '--output', 'response.tsr', `${sigstore.url}/api/v1/timestamp`])
    expect(ending).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  }

  const verify = (data: string, ...flags: readonly string[]): ReturnType<typeof openssl> =>
    openssl('ts', '-verify', '-in', 'response.tsr', '-data', data, ...flags)

  const rounds = [
    ['with the certificate in the answer', ['-sha256', '-cert'], []],
    ['without the certificate in the answer', ['-sha256'], ['-untrusted', 'tsa-untrusted.pem']],
    ['over SHA-512, without a nonce', ['-sha512', '-no_nonce', '-cert'], []],
  ] as const

  for (const [what, query, certificates] of rounds) {
    it(`verifies a timestamp ${what}, of this artifact by this authority only`, cell(`timestamp ${what}`, 'openssl'), async () => {
      await timestamp(...query)
      expect((await openssl('ts', '-reply', '-in', 'response.tsr', '-text')).output).toContain('Status: Granted.')
      const trusted = [...certificates, '-CAfile', 'tsa-root.pem']
      expect(await verify('artifact', ...trusted)).toMatchObject({
        status: 0,
        output: expect.stringContaining('Verification: OK') as string,
      })
      expect(await openssl('ts', '-verify', '-in', 'response.tsr', '-queryfile', 'request.tsq', ...trusted)).toMatchObject({ status: 0 })
      expect((await verify('other', ...trusted)).output).toContain('Verification: FAILED')
      // The certificate authority's root is another.
      expect((await verify('artifact', ...certificates, '-CAfile', sigstore.trust('fulcio.pem'))).output).toContain('Verification: FAILED')
      const response = readFileSync(sigstore.path('response.tsr'))
      response.writeUInt8(response.readUInt8(response.length - 1) ^ 1, response.length - 1)
      sigstore.write('response.tsr', response)
      expect((await verify('artifact', ...trusted)).output).toContain('Verification: FAILED')
    })
  }

  it('has the certificate in the answer only where it asked for it', async () => {
    const certificates = async (): Promise<string> => {
      await openssl('ts', '-reply', '-in', 'response.tsr', '-token_out', '-out', 'token.der')
      return (await openssl('pkcs7', '-inform', 'DER', '-in', 'token.der', '-print_certs')).output
    }
    await timestamp('-sha256', '-cert')
    expect((await certificates()).match(/BEGIN CERTIFICATE/g)).toHaveLength(1)
    await timestamp('-sha256')
    expect(await certificates()).not.toContain('BEGIN CERTIFICATE')
  })

  it('is told which digests are taken', async () => {
    await openssl('ts', '-query', '-data', 'artifact', '-sha1', '-out', 'request.tsq')
    const post = ['--silent', '--data-binary', '@request.tsq', '-H', 'content-type: application/timestamp-query', '-w', '%{http_code}']
    const { stdout } = await sigstore.run('curl', [...post, `${sigstore.url}/api/v1/timestamp`])
    expect(stdout).toMatch(/400$/)
  })
})
