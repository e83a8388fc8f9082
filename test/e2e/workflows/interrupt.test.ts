/** Ctrl-C, as a terminal sends it to the built program, in the middle of a release. */
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { StartedSigstore } from '../../interop/server/private-sigstore.ts'
import { machineEmail, startSigstore } from '../../interop/server/private-sigstore.ts'

const program = path.resolve(import.meta.dirname, '../../../dist/cli/main.cjs')
const total = 400
let sigstore: StartedSigstore

beforeAll(async () => {
  sigstore = await startSigstore()
})
afterAll(() => sigstore.stop())

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s leaves whole bundles and nothing else, and says how many', async (signal, exitCode) => {
  const folder = sigstore.path(signal)
  mkdirSync(folder)
  for (let at = 0; at < total; at++) writeFileSync(path.join(folder, `file-${at}`), `${signal} ${at}\n`)
  const services = ['--signing-config', sigstore.trust('signing_config.v0.2.json'), '--trusted-root', sigstore.trust('trusted_root.json')]
  const env = { HOME: sigstore.path('home'), PATH: process.env['PATH'] ?? '', SIGSTORE_ID_TOKEN: await sigstore.token() }
  const child = spawn(process.execPath, [program, 'sign-blob', '--recursive', '.', ...services], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    if (stderr.split('Wrote bundle').length > 5) child.kill(signal)
  })
  expect(await ended).toBe(exitCode)
  const names = readdirSync(folder).filter((name) => !/^file-\d+$/.test(name))
  const bundles = names.filter((name) => /^file-\d+\.sigstore\.json$/.test(name))
  expect(names).toEqual(bundles)
  expect(bundles.length).toBeGreaterThanOrEqual(5)
  expect(bundles.length).toBeLessThan(total)
  expect(stderr).toContain(`${bundles.length} of ${total} blobs are signed, the others are not\n`)
  expect(stderr.match(/^Error: .*/gm)).toEqual([`Error: interrupted by ${signal}`])
  const who = ['--certificate-identity', machineEmail, '--certificate-oidc-issuer', sigstore.issuer]
  for (const bundle of [bundles.at(0), bundles.at(-1)]) {
    const words = [
      'verify-blob',
      `${signal}/${bundle?.replace('.sigstore.json', '')}`,
      '--trusted-root',
      sigstore.trust('trusted_root.json'),
    ]
    expect((await sigstore.countersign([...words, ...who])).stderr).toContain('Verified OK')
  }
})
