import { describe, expect, expectTypeOf, it } from 'vitest'
import type { Invocation } from '../../../src/cli/command.ts'
import { defineCommand, defineGroup } from '../../../src/cli/command.ts'
import type { FlagValues } from '../../../src/cli/flags.ts'
import type { verifyBlobAttestationFlags } from '../../../src/cli/flag-groups.ts'
import { certificateExclusions, verifyBlobFlags } from '../../../src/cli/flag-groups.ts'
import { exactly } from '../../../src/cli/positional.ts'
import type { Outcome, Surroundings } from './captured-context.ts'
import { runCaptured } from './captured-context.ts'

type BlobFlags = FlagValues<typeof verifyBlobFlags>

interface Received {
  readonly flags: BlobFlags
  readonly given: ReadonlySet<string>
}

async function verifyBlob(argv: readonly string[], surroundings: Surroundings = {}): Promise<Outcome & Partial<Received>> {
  let received: Partial<Received> = {}
  const command = defineCommand({
    flags: verifyBlobFlags,
    positional: exactly(1),
    exclusive: certificateExclusions,
    run(_context, flags, _args, { values }: Invocation) {
      received = { flags, given: new Set(values.keys()) }
    },
  })
  const entry = { name: 'verify-blob', short: 'Verify', load: () => Promise.resolve({ command }) }
  const program = defineGroup({ subcommands: [entry] })
  const root = { name: 'countersign', short: 'Test', load: () => Promise.resolve({ command: program }) }
  return { ...(await runCaptured(['verify-blob', ...argv], surroundings, root)), ...received }
}

describe('the flags of verify-blob', () => {
  it('reach the command with their types', () => {
    expectTypeOf<BlobFlags['bundle']>().toEqualTypeOf<string>()
    expectTypeOf<BlobFlags['max-workers']>().toEqualTypeOf<number>()
    expectTypeOf<BlobFlags['insecure-ignore-tlog']>().toEqualTypeOf<boolean>()
    expectTypeOf<BlobFlags['output']>().toEqualTypeOf<'text' | 'json'>()
  })

  it('do not reach it under old names', () => {
    expectTypeOf<BlobFlags>().not.toHaveProperty('certificate-email')
    expectTypeOf<BlobFlags>().not.toHaveProperty('enforce-sct')
    expectTypeOf<BlobFlags>().not.toHaveProperty('k8s-keychain')
  })

  it('of both verbs go to one verifier', () => {
    expectTypeOf<FlagValues<typeof verifyBlobAttestationFlags>>().toExtend<BlobFlags>()
  })

  it('have the defaults of the newest cosign', async () => {
    const { flags, given } = await verifyBlob(['file'])
    expect(flags).toMatchObject({
      'new-bundle-format': true,
      'max-workers': 10,
      output: 'text',
      'rekor-url': 'https://rekor.sigstore.dev',
      'signature-digest-algorithm': 'sha256',
      slot: '',
    })
    expect(given).toEqual(new Set())
  })

  it('of 2022 still verify: --certificate-email is the identity', async () => {
    const outcome = await verifyBlob(['file', '--certificate-email', 'dev@example.com'])
    expect(outcome.exitCode).toBe(0)
    expect(outcome.flags).toMatchObject({ 'certificate-identity': 'dev@example.com' })
    expect(outcome.flags).not.toHaveProperty('certificate-email')
    expect(outcome.given).toEqual(new Set(['certificate-identity']))
    expect(outcome.stderr).toBe('Flag --certificate-email has been deprecated, please use --certificate-identity instead\n')
  })

  it('of 2022 still verify: --cert-email and -cert-email too', async () => {
    for (const name of ['--cert-email', '-cert-email']) {
      expect((await verifyBlob(['file', name, 'a@b'])).flags).toMatchObject({ 'certificate-identity': 'a@b' })
    }
  })

  it('never loosen a check through an old name: --enforce-sct=false changes nothing', async () => {
    expect((await verifyBlob(['file', '--enforce-sct=false'])).flags).toMatchObject({ 'insecure-ignore-sct': false })
    expect((await verifyBlob(['file', '--enforce-sct'])).flags).toMatchObject({ 'insecure-ignore-sct': false })
  })

  it('contradict each other audibly: --enforce-sct against --insecure-ignore-sct, wherever they come from', async () => {
    const message = /\[enforce-sct insecure-ignore-sct\] were all set/
    const line = await verifyBlob(['file', '--insecure-ignore-sct', '--enforce-sct'])
    expect(line.exitCode).toBe(1)
    expect(line.stderr).toMatch(message)
    const environment = await verifyBlob(['file', '--enforce-sct'], { env: { COSIGN_INSECURE_IGNORE_SCT: 'true' } })
    expect(environment.exitCode).toBe(1)
    expect(environment.stderr).toMatch(message)
    expect(environment.flags).toBeUndefined()
  })

  it('contradict each other audibly: two identities', async () => {
    const outcome = await verifyBlob(['file', '--certificate-email', 'a@b'], { env: { COSIGN_CERTIFICATE_IDENTITY: 'c@d' } })
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toContain('[certificate-email certificate-identity] were all set')
  })

  it('that exclude each other are refused in the words of cosign', async () => {
    const outcome = await verifyBlob(['f', '--ca-roots', 'y', '--certificate-chain', 'x', '--ca-intermediates', 'z'])
    expect(outcome.stderr).toContain(
      'Error: if any flags in the group [ca-intermediates certificate-chain] are set none of the others can be; [ca-intermediates certificate-chain] were all set\n',
    )
  })

  it('for registries are accepted and have no effect', async () => {
    const outcome = await verifyBlob(['f', '--k8s-keychain', '--allow-insecure-registry', '--attachment-tag-prefix=x'])
    expect(outcome.exitCode).toBe(0)
    expect(outcome.stderr.split('\n').filter((line) => line.startsWith('Flag --'))).toHaveLength(3)
  })
})

describe('the deprecation messages', () => {
  it('are those that cosign prints', async () => {
    const outcome = await verifyBlob(['f', '--rekor-url', 'x', '--offline', '--cert', 'c', '--signature=s', '--sct', 's'])
    expect(outcome.stderr).toBe(
      [
        'Flag --rekor-url has been deprecated, please use --bundle, which includes the Rekor inclusion proof',
        'Flag --offline has been deprecated, To verify in an airgapped environment, provide a --bundle with the signature and verification material, and a --trusted-root file with the service keys and certificates',
        'Flag --certificate has been deprecated, please use --bundle with --trusted-root to provide the public certificate',
        'Flag --signature has been deprecated, please use --bundle to provide a signature',
        'Flag --sct has been deprecated, a Signed Certificate Timestamp is now provided via a Sigstore bundle',
        '',
      ].join('\n'),
    )
  })
})
