/**
 * cosign against a private Sigstore by every way it can be pointed at one: TUF, environment, files, addresses. What it signs our
 * command line verifies with the same words, and the other way round.
 */
import { readFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ending } from '../peer.ts'
import { cosign } from './clients.ts'
import { cell } from './matrix.ts'
import type { StartedSigstore } from './private-sigstore.ts'
import { machineEmail, startSigstore } from './private-sigstore.ts'

let sigstore: StartedSigstore
let env: Record<string, string> = {}
let who: readonly string[] = []

beforeAll(async () => {
  sigstore = await startSigstore()
  for (const name of ['artifact', 'other']) sigstore.write(name, `${name}\n`)
  env = { SIGSTORE_ID_TOKEN: await sigstore.token(), COSIGN_PASSWORD: 'a password' }
  who = ['--certificate-identity', machineEmail, '--certificate-oidc-issuer', sigstore.issuer]
})

afterAll(async () => sigstore.stop())

type Program = 'cosign' | 'countersign'
const both: readonly Program[] = ['cosign', 'countersign']

function run(program: Program, words: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ending> {
  const options = { env: { ...env, ...more } }
  return program === 'cosign' ? sigstore.run(cosign ?? '', words, options) : sigstore.countersign(words, options)
}

async function succeed(program: Program, words: readonly string[], more?: Readonly<Record<string, string>>): Promise<Ending> {
  const ending = await run(program, words, more)
  expect(ending.exitCode, `${program} ${words.join(' ')}: ${ending.stderr}`).toBe(0)
  return ending
}

/** It accepts the artifact by the signer, not another artifact, nor by another signer. @param notWho flags of another signer */
async function expectVerifies(
  program: Program,
  flags: readonly string[],
  signer: readonly string[],
  notWho: readonly string[],
  more?: Readonly<Record<string, string>>,
): Promise<void> {
  const verify = (file: string, by: readonly string[]): Promise<Ending> => run(program, ['verify-blob', file, ...flags, ...by], more)
  expect((await verify('artifact', signer)).stderr, `${program} ${flags.join(' ')}`).toContain('Verified OK\n')
  expect(await verify('other', signer)).toMatchObject({ exitCode: 1 })
  expect(await verify('artifact', notWho)).toMatchObject({ exitCode: 1 })
}

const stranger = (): string[] => ['--certificate-identity', 'somebody-else@example.com', '--certificate-oidc-issuer', sigstore.issuer]

/** Environments in which a program finds the server, each with a home of its own. */
const ways: readonly (readonly [way: string, prepare: (program: Program) => Promise<Record<string, string>>])[] = [
  [
    'initialize',
    async (program) => {
      const more = { HOME: sigstore.path(`${program}-initialized`) }
      const checksum = createHash('sha256')
        .update(readFileSync(sigstore.trust('root.json')))
        .digest('hex')
      const mirror = ['--mirror', `${sigstore.url}/tuf`, '--root', `${sigstore.url}/tuf/1.root.json`]
      expect(await run(program, ['initialize', ...mirror, '--root-checksum', '00'.repeat(32)], more)).toMatchObject({ exitCode: 1 })
      await succeed(program, ['initialize', ...mirror, '--root-checksum', checksum], more)
      return more
    },
  ],
  [
    'env.sh',
    async (program) => {
      const script = `. '${sigstore.trust('env.sh')}' && env`
      const { stdout } = await sigstore.run('bash', ['-c', script])
      const set = stdout.split('\n').flatMap((line) => (/^(?:TUF|SIGSTORE|COSIGN)_/.test(line) ? [line.split(/=(.*)/s).slice(0, 2)] : []))
      return { ...(Object.fromEntries(set) as Record<string, string>), HOME: sigstore.path(`${program}-environment`) }
    },
  ],
]

describe.skipIf(cosign === undefined).each(ways)('pointed at the server by %s', (way, prepare) => {
  const environments = new Map<Program, Record<string, string>>()

  beforeAll(async () => {
    for (const program of both) environments.set(program, await prepare(program))
  })

  for (const signer of both) {
    for (const judge of both) {
      it(`${signer} signs and ${judge} verifies`, cell(`blob by ${signer}, trust by ${way}`, judge), async () => {
        const bundle = `${signer}-${judge}.json`
        await succeed(signer, ['sign-blob', 'artifact', '--yes', '--bundle', bundle], environments.get(signer))
        await expectVerifies(judge, ['--bundle', bundle], who, stranger(), environments.get(judge))
      })
    }
  }

  it('countersign signs several blobs, each with a bundle that cosign verifies', async () => {
    await succeed('countersign', ['sign-blob', 'artifact', 'other', '--yes'], environments.get('countersign'))
    for (const name of ['artifact', 'other']) {
      const verify = (file: string): Promise<Ending> =>
        run('cosign', ['verify-blob', file, '--bundle', `${name}.sigstore.json`, ...who], environments.get('cosign'))
      expect((await verify(name)).stderr).toContain('Verified OK\n')
      expect((await verify(name === 'other' ? 'artifact' : 'other')).exitCode).toBe(1)
    }
  })
})

describe.skipIf(cosign === undefined)('pointed at the server by addresses, and at its keys by files one by one', () => {
  const addresses = (): string[] => ['--use-signing-config=false', '--fulcio-url', sigstore.url, '--rekor-url', sigstore.url, '--yes']
  const files = (): Record<string, string> => ({
    SIGSTORE_ROOT_FILE: sigstore.trust('fulcio.pem'),
    SIGSTORE_REKOR_PUBLIC_KEY: sigstore.trust('rekor.pub'),
    SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: sigstore.trust('ctfe.pub'),
    SIGSTORE_TSA_CERTIFICATE_FILE: sigstore.trust('tsa.pem'),
  })

  for (const signer of both) {
    describe(`by ${signer}`, () => {
      const name = (suffix: string): string => `${signer}.${suffix}`

      beforeAll(async () => {
        const outputs = ['--bundle', name('old.json'), '--output-signature', name('sig'), '--output-certificate', name('pem')]
        await succeed(signer, ['sign-blob', 'artifact', ...addresses(), '--new-bundle-format=false', ...outputs], files())
      })

      for (const judge of both) {
        it(`a local bundle of cosign 1 and 2 is verified by ${judge}`, cell(`old bundle by ${signer}`, judge), async () => {
          const flags = ['--bundle', name('old.json'), '--new-bundle-format=false']
          await expectVerifies(judge, flags, who, stranger(), files())
          const bundle = JSON.parse(readFileSync(sigstore.path(name('old.json')), 'utf8')) as {
            rekorBundle: { Payload: { logIndex: number } }
          }
          bundle.rekorBundle.Payload.logIndex += 1
          const tampered = ['--bundle', sigstore.write('tampered.old.json', JSON.stringify(bundle)), '--new-bundle-format=false']
          expect((await run(judge, ['verify-blob', 'artifact', ...tampered, ...who], files())).exitCode).toBe(1)
        })
      }

      for (const judge of both) {
        it(`signature and certificate are found in the log by ${judge}`, cell(`old files by ${signer}`, judge), async () => {
          const flags = ['--signature', name('sig'), '--certificate', name('pem'), '--rekor-url', sigstore.url]
          await expectVerifies(judge, flags, who, stranger(), files())
        })
      }
    })
  }
})

describe.skipIf(cosign === undefined)('with a key', () => {
  beforeAll(async () => {
    for (const key of ['own', 'stranger']) await succeed('cosign', ['generate-key-pair', '--output-key-prefix', key])
  })

  const trust = (): string[] => ['--trusted-root', sigstore.trust('trusted_root.json')]

  const logs = [
    ['Rekor v2', () => ['--signing-config', sigstore.trust('signing_config_rekor_v2.v0.2.json'), ...trust()]],
    ['Rekor v1', () => ['--use-signing-config=false', '--rekor-url', sigstore.url, ...trust()]],
  ] as const

  for (const [log, services] of logs) {
    for (const signer of both) {
      for (const judge of both) {
        it(`${signer} signs, ${judge} verifies, with ${log}`, cell(`blob by ${signer}, key, ${log}`, judge), async () => {
          await succeed(signer, ['sign-blob', 'artifact', '--key', 'own.key', '--yes', ...services(), '--bundle', 'keyed.json'])
          await expectVerifies(judge, ['--bundle', 'keyed.json', ...trust()], ['--key', 'own.pub'], ['--key', 'stranger.pub'])
        })
      }
    }
  }
})
