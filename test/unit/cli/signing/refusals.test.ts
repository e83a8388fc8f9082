/** `sign-blob` when something is wrong: one clear sentence, exit code 1, and nothing written. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Answer } from '../../../support/signing-services.ts'
import { paths, startServices } from '../../../support/signing-services.ts'
import { namedKey, universeOf } from '../../../support/universe/universe.ts'
import type { Outcome } from '../captured-context.ts'
import { askedServices, createWorkspace, tokenOf } from './signing-workspace.ts'
import type { WorkspaceOptions } from './signing-workspace.ts'

/** The one sentence of a failure; checks that it is one, and that it shows no secret. */
function sentenceOf({ exitCode, stdout, stderr }: Outcome): string {
  expect(exitCode).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).not.toMatch(/eyJ[A-Za-z0-9_-]{10,}/)
  const lines = stderr.split('\n').filter((line) => line.startsWith('Error: '))
  expect(lines).toHaveLength(1)
  expect(stderr).not.toContain('this is a bug')
  return lines[0] ?? ''
}

async function refusalOf(options: WorkspaceOptions, more: readonly string[] = []): Promise<string> {
  const workspace = await createWorkspace(options)
  const outcome = await workspace.sign(more)
  expect(workspace.written()).toEqual([])
  return sentenceOf(outcome)
}

describe.each(askedServices)('the %s (%s)', (kind, address, log) => {
  const refusal: Answer = { status: 400, body: '{"code":3,"message":"not \\u001b[31mtoday"}' }

  it('that refuses is quoted, without what a terminal acts on', async () => {
    const sentence = await refusalOf({ log, answers: { [address]: [refusal] } })
    expect(sentence).toContain(`the ${kind} 127.0.0.1:`)
    expect(sentence).toContain('refused with status 400: "not \\u001b[31mtoday"')
  })

  it('that answers with a page of a proxy is not quoted', async () => {
    const sentence = await refusalOf({ log, answers: { [address]: [{ status: 403, body: '<html>Forbidden' }] } })
    expect(sentence).toMatch(/refused with status 403(;|$)/)
  })

  it('that answers with nonsense is said to', async () => {
    const answer = { status: address === paths.certificate || address === paths.timestamp ? 200 : 201, body: '{}' }
    expect(await refusalOf({ log, answers: { [address]: [answer] } })).toContain(`the ${kind} 127.0.0.1:`)
  })

  it('that is down for a moment is asked again', async () => {
    const workspace = await createWorkspace({ log, answers: { [address]: ['reset', { status: 503 }] } })
    expect(await workspace.sign()).toMatchObject({ exitCode: 0 })
    expect(workspace.services.requests.filter((request) => request === `POST ${address}`)).toHaveLength(3)
  })

  it('that stays down is named', async () => {
    const sentence = await refusalOf({ log, answers: { [address]: ['reset', 'reset', 'reset'] } })
    expect(sentence).toContain(`the ${kind} 127.0.0.1:`)
    expect(sentence).toContain('cannot be used: could not reach')
  })

  it('is not followed to another host, which the request is not for', async () => {
    const sentence = await refusalOf({ log, answers: { [address]: [{ status: 307, headers: { location: 'http://evil.example/' } }] } })
    expect(sentence).toContain('a redirect, which is not allowed here')
  })

  it('is given up when the time of the command is over, and nothing is left', async () => {
    const sentence = await refusalOf({ log, answers: { [address]: ['hang'] } }, ['--timeout', '300ms'])
    expect(sentence).toContain('the command did not finish within 300ms')
  })

  it('is given up at Ctrl-C, and nothing is left', async () => {
    const workspace = await createWorkspace({ log, answers: { [address]: ['hang'] } })
    const interruption = new AbortController()
    const running = workspace.sign([], { signal: interruption.signal })
    while (!workspace.services.requests.includes(`POST ${address}`)) await new Promise((resolve) => setTimeout(resolve, 5))
    const { ExitError } = await import('../../../../src/cli/failure.ts')
    interruption.abort(new ExitError(130, 'ABORTED', 'interrupted by SIGINT'))
    expect(await running).toMatchObject({ exitCode: 130, stdout: '' })
    expect(workspace.written()).toEqual([])
  })
})

it('a file of several trusted roots is refused before anybody is asked: a signature is made with the services of one', async () => {
  const workspace = await createWorkspace({})
  const root = workspace.universe.trustedRoot()
  writeFileSync(path.join(workspace.folder, 'root.json'), `${root}\n${universeOf({ name: 'other' }).trustedRoot()}\n`)
  expect(sentenceOf(await workspace.sign())).toContain(
    'the trusted root root.json has 2 roots, one a line, and a signature is made with the services of one: give one with that line alone',
  )
  expect(workspace.services.requests).toEqual([])
  expect(workspace.written()).toEqual([])
})

describe('a wrong answer', () => {
  const other = namedKey('somebody else')
  const bendings: readonly (readonly [string, WorkspaceOptions, RegExp])[] = [
    ['a certificate for another key', { certifiedKey: other }, /issued a certificate that must not be used: it is for another key/],
    [
      'a certificate for somebody else',
      { certificate: { subjects: [{ email: 'eve@universe.test' }] } },
      /it is for "eve@universe.test", and the identity token is about/,
    ],
    [
      'a certificate of another authority',
      { certificate: { issuedBy: universeOf({ name: 'other' }).intermediate } },
      /must not be used: .*is not a certificate authority of the trusted root|must not be used/,
    ],
    ['a certificate without an SCT', { certificate: { scts: [] } }, /must not be used: only able to verify 0 SCT entries/],
    [
      'a certificate with a wrong SCT',
      { certificate: { scts: [{ signer: other }] } },
      /must not be used: the signature of the SCT does not verify/,
    ],
    ['a certificate that may sign certificates', { certificate: { certificate: { ca: true } } }, /must not be used/],
    [
      'an entry of another digest',
      { bendBody: (parts) => ({ ...parts, digest: new Uint8Array(32) }) },
      /nothing was written: .*log entry/i,
    ],
    ['an entry of another signature', { bendBody: (parts) => ({ ...parts, signature: Uint8Array.of(1, 2, 3) }) }, /nothing was written/],
    [
      'an entry of another key',
      { bendBody: (parts) => ({ ...parts, verifier: other.spki, verifierKind: 'public-key' }) },
      /nothing was written/,
    ],
    ['an entry that another log signed', { entry: { signer: other } }, /nothing was written/],
    ['an entry without a proof', { entry: { withProof: false } }, /nothing was written/],
    ['a v2 entry of another digest', { log: 'v2', bendBody: (parts) => ({ ...parts, digest: new Uint8Array(32) }) }, /nothing was written/],
    ['a timestamp of other bytes', { timestamp: { over: Uint8Array.of(1) } }, /the timestamp is of other bytes than the signature/],
    ['a timestamp without the nonce', { timestamp: { withoutNonce: true } }, /does not repeat the nonce of the request/],
    ['a timestamp that another key signed', { timestamp: { key: other } }, /nothing was written/],
    ['a timestamp of an unknown authority', { timestamp: { signer: universeOf({ name: 'other' }).timestampLeaf } }, /nothing was written/],
    ['a timestamp from after the certificate', { timestamp: { genTime: universeOf().time + 3_600_000 } }, /nothing was written/],
    ['a refused timestamp', { timestamp: { withoutToken: true, status: 2 } }, /it refused the request \(status 2\)/],
  ]

  it.each(bendings)('%s', async (_, options, message) => {
    expect(await refusalOf(options)).toMatch(message)
  })

  it.each([
    [
      'timestamp authorities',
      'tsaUrls',
      'tsaConfig',
      paths.timestamp,
      /2 timestamp authorities were asked, and the timestamps of 1 verify/,
    ],
    ['logs', 'rekorTlogUrls', 'rekorTlogConfig', '', /2 transparency logs were asked, and the entries of 1 verify/],
  ] as const)('one of two %s that were asked for is one too many', async (_, urls, selection, path, message) => {
    const stranger = await startServices(universeOf({ name: 'other' }))
    onTestFinished(() => stranger.stop())
    const bendConfig = (config: Record<string, unknown>): void => {
      const [own] = config[urls] as [object]
      config[urls] = [own, { ...own, url: `${stranger.url}${path}`, operator: 'somebody else' }]
      config[selection] = { selector: 'EXACT', count: 2 }
    }
    expect(await refusalOf({ bendConfig })).toMatch(message)
    expect(stranger.requests).toHaveLength(1)
  })

  it('is refused before the signature is logged, when it is the certificate', async () => {
    const workspace = await createWorkspace({ certifiedKey: other })
    await workspace.sign()
    expect(workspace.services.requests).toEqual([`POST ${paths.certificate}`])
  })

  it('of one service stops the other', async () => {
    const workspace = await createWorkspace({
      answers: { [paths.timestamp]: [{ status: 400, body: '{"message":"no"}' }], [paths.rekorV1]: ['hang'] },
    })
    expect(sentenceOf(await workspace.sign())).toContain('the timestamp authority')
  })

  it('a certificate without an SCT is taken with --insecure-skip-verify', async () => {
    const workspace = await createWorkspace({ certificate: { scts: [] } })
    const signed = await workspace.sign(['--insecure-skip-verify'])
    expect(signed).toMatchObject({ exitCode: 0 })
    expect(signed.stderr).not.toContain('Successfully verified SCT')
  })
})

describe('a token', () => {
  const time = universeOf().time / 1000

  it.each([
    ['that expired', { exp: time - 1 }, /it expired at 2026-01-15T11:59:59.000Z, and it is 2026-01-15T12:01:00.000Z now; get a new one/],
    ['without an issuer', { iss: undefined }, /it names no issuer \(iss\)/],
    ['without a time', { exp: undefined }, /it has no time of expiry/],
    ['of an address that is not verified', { email_verified: false }, /its e-mail address is not verified by the issuer/],
    ['about nobody', { email: undefined, sub: undefined }, /it names neither an e-mail address/],
  ])('%s', async (_, claims, message) => {
    const workspace = await createWorkspace({ claims })
    expect(sentenceOf(await workspace.sign())).toMatch(message)
    expect(workspace.services.requests).toEqual([])
    expect(workspace.written()).toEqual([])
  })

  it('for another audience is described when the authority refuses it', async () => {
    const answers = {
      [paths.certificate]: [{ status: 400, body: '{"code":3,"message":"There was an error processing the identity token","details":[]}' }],
    }
    const sentence = await refusalOf({ claims: { aud: 'https://vault.example' }, answers })
    expect(sentence).toContain(
      'refused with status 400: "There was an error processing the identity token"; it was given a token of the issuer "https://token.actions.universe.test" for the audience "https://vault.example" (certificate authorities expect "sigstore" as a rule), valid until',
    )
  })

  it.each([
    ['http://fulcio.universe.test', true],
    ['http://127.0.0.1:1', false],
    ['http://localhost:1', false],
  ])('for a certificate authority at %s is not sent without a warning where others can read it: %s', async (url, isWarned) => {
    const workspace = await createWorkspace({
      bendConfig: (config) => {
        const [own] = config['caUrls'] as [object]
        config['caUrls'] = [{ ...own, url }]
      },
    })
    const { exitCode, stderr } = await workspace.sign([], { env: { HOME: workspace.folder, HTTP_PROXY: workspace.services.url } })
    expect(exitCode).toBe(1)
    const warning = `WARNING: the identity token is sent to ${new URL(url).host} without TLS: whoever listens on the way can get certificates in its name\n`
    expect(stderr.includes(warning)).toBe(isWarned)
  })

  it('that has a typing mistake is not repeated', async () => {
    const workspace = await createWorkspace()
    const token = tokenOf(workspace.universe).replace('.', '')
    expect(sentenceOf(await workspace.sign(['--identity-token', token]))).toContain('neither a JSON Web Token nor the name of a file')
  })

  it.each(['ghp_0123456789abcdefABCDEF0123456789abcd', 'glpat-0123456789/abcdef', 'x'.repeat(300), `./${'x'.repeat(300)}`])(
    'that may be a secret of another kind is not repeated: %s',
    async (secret) => {
      const workspace = await createWorkspace()
      const outcome = await workspace.sign(['--identity-token', secret])
      expect(sentenceOf(outcome)).toContain('neither a JSON Web Token nor the name of a file')
      expect(outcome.stderr).not.toContain(secret)
    },
  )

  it('in a file that is not there is named by its file', async () => {
    const workspace = await createWorkspace()
    expect(sentenceOf(await workspace.sign(['--identity-token', 'nowhere.jwt']))).toContain(
      'the identity token nowhere.jwt cannot be read: no such file',
    )
  })
})

describe('a place to write to', () => {
  it.each([
    ['missing/bundle.json', 'create bundle file: missing/bundle.json cannot be written: no such file or directory'],
    ['artifact/bundle.json', 'create bundle file: artifact/bundle.json cannot be written: a part of the path is not a directory'],
  ])('that is none (%s) is noticed before anything is signed', async (file, message) => {
    const workspace = await createWorkspace()
    expect(sentenceOf(await workspace.sign(['--bundle', file]))).toContain(message)
    expect(workspace.services.requests).toEqual([])
  })

  it.skipIf(process.getuid?.() === 0)('that is protected is noticed before anything is signed', async () => {
    const workspace = await createWorkspace()
    mkdirSync(path.join(workspace.folder, 'protected'))
    chmodSync(path.join(workspace.folder, 'protected'), 0o500)
    expect(sentenceOf(await workspace.sign(['--bundle', 'protected/b.json']))).toContain('permission denied')
    expect(workspace.services.requests).toEqual([])
  })

  it('keeps what was there when signing fails', async () => {
    const workspace = await createWorkspace({ certifiedKey: namedKey('somebody else') })
    writeFileSync(path.join(workspace.folder, 'bundle.json'), 'of before')
    await workspace.sign()
    expect(workspace.read('bundle.json')).toBe('of before')
  })
})

describe('a blob', () => {
  it.each([
    ['nowhere', 'the blob nowhere cannot be read: no such file or directory'],
    ['.', 'the blob . cannot be read: it is a directory'],
  ])('that cannot be read (%s) is noticed before anybody is asked', async (blob, message) => {
    const workspace = await createWorkspace()
    expect(sentenceOf(await workspace.sign([], {}, blob))).toContain(message)
    expect(workspace.services.requests).toEqual([])
  })

  it('named twice is refused', async () => {
    const workspace = await createWorkspace()
    expect(sentenceOf(await workspace.run(['sign-blob', 'artifact', 'artifact', '--key', 'k']))).toContain(
      'one of the blobs is named twice',
    )
  })
})

describe('a signing config', () => {
  it.each([
    [
      'without a certificate authority',
      (config: Record<string, unknown>) => void (config['caUrls'] = []),
      /has no certificate authority \(caUrls\) that can be used/,
    ],
    [
      'whose logs are all too new',
      (config: Record<string, unknown>) =>
        void (config['rekorTlogUrls'] = [{ url: 'https://log.example', majorApiVersion: 3, validFor: { start: '2020-01-01T00:00:00Z' } }]),
      /has no transparency log/,
    ],
    ['that is none', (config: Record<string, unknown>) => void (config['mediaType'] = 'text/plain'), /signingConfig.mediaType should be/],
  ])('%s', async (_, bendConfig, message) => {
    expect(await refusalOf({ bendConfig })).toMatch(message)
  })

  it('with Rekor v2 and no timestamp authority has no time for a certificate', async () => {
    const sentence = await refusalOf({ log: 'v2', bendConfig: (config) => void (config['tsaUrls'] = []) })
    expect(sentence).toContain('a timestamp authority must be provided to request a short-lived certificate that will be logged to Rekor')
  })

  it('without a log and with a timestamp authority is enough', async () => {
    const workspace = await createWorkspace({ log: 'none' })
    expect(await workspace.sign()).toMatchObject({ exitCode: 0 })
  })

  it('of services that the trusted root does not have is refused, and the flag named', async () => {
    const sentence = await refusalOf({ bendRoot: (root) => void (root.certificateAuthorities = []) })
    expect(sentence).toContain('is not a certificate authority of the trusted root')
  })
})
