/** `verify` as its users see it: flags, what is printed on which stream, exit codes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { FakeRegistry } from '../../../support/registry-fake.ts'
import { answer, digestOf, ociManifest, startFakeRegistry } from '../../../support/registry-fake.ts'
import {
  app,
  attachBundle,
  imageAttestation,
  imageSignature,
  legacySignature,
  putImage,
  putIndex,
  putTag,
  signatureLayer,
  signStatementAbout,
  subjectOf,
} from '../../../support/signed-image.ts'
import { logEntryAnswer } from '../../../support/signing-services.ts'
import { pemOf } from '../../../support/universe/certificates.ts'
import { hashedrekordBody } from '../../../support/universe/entry-bodies.ts'
import { digestOf as hashOf } from '../../../support/universe/keys.ts'
import { logEntry } from '../../../support/universe/logs.ts'
import { epoch, identity, issuer, namedKey, universeOf } from '../../../support/universe/universe.ts'
import { startServer } from '../../http/test-server.ts'
import { EXIT_CODE } from '../../../../src/cli/failure.ts'
import type { Outcome, Surroundings } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

const universe = universeOf()
const manager = namedKey('manager')
const managed = { managed: true, key: manager } as const
const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
const trust = ['--trusted-root', 'root.json']
const key = ['--key', 'key.pub', ...trust]

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-verify-image-'))
  const files = { 'root.json': universe.trustedRoot(), 'key.pub': manager.pem, 'stranger.pub': namedKey('stranger').pem }
  for (const [name, contents] of Object.entries(files)) writeFileSync(path.join(folder, name), contents)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let registry: FakeRegistry
let image = ''
let name = ''
beforeEach(async () => {
  registry = await startFakeRegistry()
  image = putImage(registry)
  name = `${registry.host}/${app}:v1`
})
afterEach(() => registry.stop())

const verify = (words: readonly string[], surroundings: Surroundings = {}, verb = 'verify'): Promise<Outcome> =>
  runCaptured([verb, ...words], { cwd: folder, now: epoch, env: { HOME: folder, ...surroundings.env }, ...surroundings })
const jsonOf = ({ stdout }: Outcome): Record<string, unknown>[] => JSON.parse(stdout) as Record<string, unknown>[]
const sentenceOf = ({ stderr }: Outcome): string => /^Error: ([^]*?)\nerror during/m.exec(stderr)?.[1] ?? ''

describe('what verify prints', () => {
  it('is the header of cosign on stderr, and an array on stdout', async () => {
    attachBundle(registry, image, imageSignature(image).json)
    const outcome = await verify([name, ...trust, ...who])
    expect(outcome.exitCode).toBe(0)
    expect(outcome.stderr).toBe(
      [
        '',
        `Verification for ${name} --`,
        'The following checks were performed on each of these signatures:',
        '  - The cosign claims were validated',
        '  - Existence of the claims in the transparency log was verified offline',
        '  - The code-signing certificate was verified using trusted certificate authority certificates',
        '',
      ].join('\n'),
    )
    expect(outcome.stdout).toMatch(/^\n\[\{.*\}\]\n$/)
    expect(jsonOf(outcome)).toMatchObject([
      {
        critical: {
          identity: { 'docker-reference': name },
          image: { 'docker-manifest-digest': image },
          type: 'https://sigstore.dev/cosign/sign/v1',
        },
        optional: {
          Subject: identity,
          Issuer: issuer,
          '1.3.6.1.4.1.57264.1.1': issuer,
          Bundle: { Payload: { logIndex: expect.any(Number), integratedTime: epoch / 1000 + 60 } },
        },
        evidence: {
          signer: { identity, issuer },
          logEntries: [{ log: 'https://rekor.universe.test', logIndex: expect.stringMatching(/^\d+$/) }],
        },
      },
    ])
  })

  it('is every signature that holds under one of several trusted roots', async () => {
    const other = universeOf({ name: 'another instance' })
    writeFileSync(path.join(folder, 'roots.jsonl'), `${other.trustedRoot()}\n${universe.trustedRoot()}\n`)
    const words = [name, '--trusted-root', 'roots.jsonl', ...who]
    attachBundle(registry, image, imageSignature(image).json)
    putTag(registry, image, [signatureLayer(registry, legacySignature(image, { universe: other }), { 'dev.sigstore.cosign/chain': '' })])
    expect(jsonOf(await verify(words))).toHaveLength(2)
    const mixed = putImage(registry, 'mixed', 'mixed')
    attachBundle(registry, mixed, imageSignature(mixed, { universe: { ...other, rekor: universe.rekor } }).json)
    const refused = await verify([`${registry.host}/${app}:mixed`, '--trusted-root', 'roots.jsonl', ...who])
    expect(refused).toMatchObject({ exitCode: EXIT_CODE.noMatchingSignatures, stdout: '' })
  })

  it('names what was signed where nobody looked whether it is the image', async () => {
    const other = putImage(registry, 'v2', 'another image')
    attachBundle(registry, image, imageSignature(other).json)
    const words = [name, ...trust, ...who]
    expect((await verify(words)).exitCode).not.toBe(0)
    const outcome = await verify([...words, '--check-claims=false'])
    expect(jsonOf(outcome)).toMatchObject([{ critical: { image: { 'docker-manifest-digest': other } }, evidence: { verified: true } }])
    expect(outcome.stdout).not.toContain(image)
    expect((jsonOf(outcome) as [{ evidence: object }])[0].evidence).not.toHaveProperty('artifact')
  })

  it('has no timestamp that did not count', async () => {
    const [mine, strangers] = [{}, { signer: universeOf({ name: 'stranger' }).timestampLeaf }]
    for (const timestamps of [[mine], [strangers, mine]]) {
      const tagged = `v${timestamps.length}`
      const digest = putImage(registry, tagged, tagged)
      attachBundle(registry, digest, imageSignature(digest, { timestamps }).json)
      const [described] = jsonOf(await verify([`${registry.host}/${app}:${tagged}`, ...trust, ...who])) as [{ optional: object }]
      expect('RFC3161Timestamp' in described.optional).toBe(timestamps.length === 1)
    }
  })

  it('is the same of the format of cosign 1 and 2, with what was signed', async () => {
    putTag(registry, image, [signatureLayer(registry, legacySignature(image, {}, { env: 'prod' }))])
    const outcome = await verify([name, ...trust, ...who, '-a', 'env=prod'])
    expect(outcome.stderr).toContain('  - The specified annotations were verified.\n')
    expect(jsonOf(outcome)).toMatchObject([
      {
        critical: { identity: { 'docker-reference': `localhost/${app}` }, type: 'cosign container image signature' },
        optional: { env: 'prod', Subject: identity, Issuer: issuer, Bundle: { SignedEntryTimestamp: expect.any(String) } },
        evidence: { verified: true },
      },
    ])
  })

  it('says of a key that it was the one specified', async () => {
    attachBundle(registry, image, imageSignature(image, managed).json)
    const outcome = await verify([name, ...key])
    expect(outcome.stderr).toContain('  - The signatures were verified against the specified public key\n')
    expect(jsonOf(outcome)).toMatchObject([{ evidence: { signer: { kind: 'key' } } }])
  })

  it('as text is the payload a line, and who signed on stderr', async () => {
    const signed = legacySignature(image)
    putTag(registry, image, [signatureLayer(registry, signed)])
    const outcome = await verify([name, ...trust, ...who, '-o', 'text'])
    expect(outcome.stdout).toBe(`${Buffer.from(signed.artifact).toString()}\n`)
    expect(outcome.stderr).toContain(`Certificate subject: ${identity}\nCertificate issuer URL: ${issuer}\n`)
    expect(outcome.stderr).toMatch(/Log entry: \d+ of https:\/\/rekor\.universe\.test at 2026-01-15T12:01:00/)
  })

  it('does not claim that a log was asked which was not', async () => {
    attachBundle(registry, image, imageSignature(image, { ...managed, log: 'none' }).json)
    const outcome = await verify([name, '--key', 'key.pub', '--insecure-ignore-tlog'])
    expect(outcome.exitCode).toBe(0)
    expect(outcome.stderr).not.toContain('transparency log was verified')
    expect(outcome.stderr).toContain('WARNING: Skipping tlog verification is an insecure practice')
    expect(jsonOf(outcome)[0]).toMatchObject({ optional: null })
  })

  it('does not show a log entry that did not count as evidence', async () => {
    attachBundle(registry, image, imageSignature(image, { ...managed, universe: universeOf({ name: 'foreign' }) }).json)
    const outcome = await verify([name, ...key, '--insecure-ignore-tlog'])
    expect(jsonOf(outcome)).toMatchObject([{ optional: null, evidence: { logEntries: [] } }])
  })

  it('is about all images, in the order that they were named in', async () => {
    const other = putImage(registry, 'v2', 'another image')
    attachBundle(registry, image, imageSignature(image, managed).json)
    attachBundle(registry, other, imageSignature(other, managed).json)
    registry.rule(`HEAD /v2/${app}/manifests/v1`, () => new Promise((resolve) => setTimeout(resolve, 50)), 1)
    const outcome = await verify([name, `${registry.host}/${app}:v2`, ...key])
    const printed = outcome.stdout
      .trim()
      .split(/\n+/)
      .map((line) => JSON.parse(line) as unknown)
    expect(printed).toMatchObject([
      [{ critical: { image: { 'docker-manifest-digest': image } } }],
      [{ critical: { image: { 'docker-manifest-digest': other } } }],
    ])
  })

  it('ends with the first image that is refused', async () => {
    attachBundle(registry, image, imageSignature(image, managed).json)
    putImage(registry, 'v2', 'another image')
    const outcome = await verify([name, `${registry.host}/${app}:v2`, name, ...key])
    expect(outcome.exitCode).toBe(10)
    expect(outcome.stdout.trim().split('\n')).toHaveLength(1)
  })

  it('takes an image without a tag for latest', async () => {
    putImage(registry, 'latest')
    attachBundle(registry, image, imageSignature(image, managed).json)
    expect((await verify([`${registry.host}/${app}`, ...key])).stderr).toContain(`Verification for ${registry.host}/${app}:latest --`)
  })
})

describe('exit codes of verify', () => {
  it('are in its help', async () => {
    const { stdout } = await runCaptured(['verify', '--help'])
    const [sentences = ''] = /Exit codes: [^]*?\n\n/.exec(stdout) ?? []
    for (const code of [0, 1, ...Object.values(EXIT_CODE)]) expect(sentences).toMatch(new RegExp(`\\b${code}\\b`))
  })

  it('10: nothing was signed, and where was looked', async () => {
    const outcome = await verify([name, ...key])
    expect(outcome).toMatchObject({ exitCode: 10, stdout: '' })
    expect(sentenceOf(outcome)).toMatch(/^no signatures found \(.*0 referrers by the referrers API; .*no tag sha256-.*\.sig\)$/)
  })

  it('10: there are only attestations, and that they are no signatures', async () => {
    attachBundle(registry, image, imageAttestation(image, managed).json)
    const outcome = await verify([name, ...key])
    expect(outcome.exitCode).toBe(10)
    expect(sentenceOf(outcome)).toContain(
      'there is one attestation, which is no signature: see verify-attestation, or --accept-attestations',
    )
    expect((await verify([name, ...key, '--accept-attestations'])).exitCode).toBe(0)
  })

  it('11: there is no such image', async () => {
    for (const missing of [`${registry.host}/${app}:v9`, `${registry.host}/nothing`]) {
      const outcome = await verify([missing, ...key])
      expect(outcome).toMatchObject({ exitCode: 11, stdout: '' })
      // The last word is what programs that call cosign look for.
      expect(sentenceOf(outcome)).toMatch(/^image tag not found: .* is not in the registry \(MANIFEST_UNKNOWN\)$/)
    }
  })

  it('10: nobody signed the digest, whether or not there is such an image', async () => {
    const outcome = await verify([`${registry.host}/${app}@${digestOf('x')}`, ...key])
    expect(outcome).toMatchObject({ exitCode: 10, stdout: '' })
    expect(sentenceOf(outcome)).toContain('no signatures found')
  })

  it('0: somebody signed the digest, although the image is not in the registry, or not any more', async () => {
    const gone = digestOf('gone')
    attachBundle(registry, gone, imageSignature(gone, managed).json)
    expect((await verify([`${registry.host}/${app}@${gone}`, ...key])).exitCode).toBe(0)
    expect(await verify([`${registry.host}/${app}@${gone}`, '--recursive', ...key])).toMatchObject({ exitCode: 11, stdout: '' })
  })

  it('12: no signature holds, in either format, and why', async () => {
    attachBundle(registry, image, imageSignature(image, managed).json)
    putTag(registry, image, [signatureLayer(registry, legacySignature(image, managed))])
    const outcome = await verify([name, '--key', 'stranger.pub', ...trust])
    expect(outcome).toMatchObject({ exitCode: 12, stdout: '' })
    expect(sentenceOf(outcome)).toMatch(/^no matching signatures: /)
    expect(sentenceOf(outcome).split('\n')).toHaveLength(2)
  })

  it('13: no signature has a certificate, and one was asked for', async () => {
    attachBundle(registry, image, imageSignature(image, managed).json)
    const outcome = await verify([name, ...trust, ...who])
    expect(outcome.exitCode).toBe(13)
    expect(sentenceOf(outcome)).toMatch(/^no certificate found on signature: /)
  })

  it('1: what is there is unknown', async () => {
    registry.rule(`GET /v2/${app}/referrers/`, answer(403))
    const outcome = await verify([name, ...key])
    expect(outcome.exitCode).toBe(1)
    expect(sentenceOf(outcome)).toMatch(/answered with status 403.*\(of what could be read: no signatures found/)
  })

  it('1: what is there is unknown, and what can be read is refused for several reasons', async () => {
    registry.rule(`GET /v2/${app}/referrers/`, answer(403))
    putTag(
      registry,
      image,
      [legacySignature(image, managed), legacySignature(image)].map((signed) => signatureLayer(registry, signed)),
    )
    const outcome = await verify([name, '--key', 'stranger.pub', ...trust])
    expect(outcome.exitCode).toBe(1)
    expect(sentenceOf(outcome)).toMatch(
      /answered with status 403.*\(of what could be read: no matching signatures: .*\(layer 1\): .*; .*\(layer 2\): /,
    )
    expect(sentenceOf(outcome)).not.toContain(String.raw`\n`)
  })

  it('1: no place can be looked into, and nothing else is said', async () => {
    registry.rule(`GET /v2/${app}/referrers/`, answer(403))
    registry.rule(`GET /v2/${app}/manifests/sha256-`, answer(403))
    const outcome = await verify([name, ...key])
    expect(outcome.exitCode).toBe(1)
    expect(sentenceOf(outcome)).toMatch(/answered with status 403[^()]*\(docker login, or [^()]*\)$/)
  })

  it('0 with a warning: a place cannot be looked into, and another has a signature', async () => {
    registry.rule(`GET /v2/${app}/referrers/`, answer(403))
    putTag(registry, image, [signatureLayer(registry, legacySignature(image, managed))])
    const outcome = await verify([name, ...key])
    expect(outcome.exitCode).toBe(0)
    expect(outcome.stderr).toMatch(/^WARNING: .*not everything could be looked into: .*403/m)
  })
})

describe('flags of verify', () => {
  it.each([
    [['--key', 'key.pub', '--certificate-identity', 'x'], /exactly one of: key reference \(--key\) or certificate identity/],
    [['--key', 'key.pub', '--sk'], /exactly one of: key reference \(--key\), or hardware token \(--sk\) must be provided/],
    [['--key', 'key.pub', '--certificate', 'key.pub'], /exactly one of: key reference/],
    [[], /--certificate-identity or --certificate-identity-regexp is required for verification in keyless mode/],
    [
      ['--certificate-identity', 'x'],
      /--certificate-oidc-issuer or --certificate-oidc-issuer-regexp is required for verification in keyless mode/,
    ],
    [['--key', 'key.pub', '--max-workers', '0'], /please set the --max-worker flag to a value that is greater than 0/],
    [['--key', 'key.pub', '-a', 'nothing'], /unable to parse annotation: "nothing"/],
    [['--key', 'key.pub', '-a', 'env=prod', '-a', 'env=dev'], /the annotation "env" is given twice, as "prod" and as "dev"/],
    [['--key', 'key.pub', '--attachment', 'other'], /--attachment should be sbom/],
    [['--key', 'key.pub', '--payload', 'x'], /--payload needs --signature/],
    [['--key', 'gone.pub'], /gone\.pub/],
    [['--key', 'key.pub', '--platform', 'linux'], /--platform should be os\/architecture/],
    [['--key', 'key.pub', '--platform', 'linux/arm64'], /is one image, and --platform chooses/],
    [['--key', 'key.pub', '--trusted-root', 'gone.json'], /setting trusted material: .*gone\.json/],
  ])('%j: a sentence, and exit code 1', async (words, message) => {
    attachBundle(registry, image, imageSignature(image, managed).json)
    const outcome = await verify([name, ...(words.includes('--trusted-root') ? [] : trust), ...words])
    expect(outcome).toMatchObject({ exitCode: 1, stdout: '' })
    expect(sentenceOf(outcome)).toMatch(message)
  })

  it('references that are none are refused before anything is asked', async () => {
    const outcome = await verify([name, 'UPPER/case', ...key])
    expect(outcome.exitCode).toBe(1)
    expect(sentenceOf(outcome)).toMatch(/could not parse reference/)
    expect(registry.requests).toHaveLength(0)
  })

  it('annotations are compared, from either format', async () => {
    const statement = signStatementAbout(image, { subject: [subjectOf(image, { env: 'prod' })] })
    attachBundle(registry, image, imageSignature(image, { ...managed, statement }).json)
    expect(jsonOf(await verify([name, ...key, '-a', 'env=prod']))).toMatchObject([{ optional: { env: 'prod' } }])
    const wrong = await verify([name, ...key, '-a', 'env=dev'])
    expect(wrong.exitCode).toBe(12)
    expect(sentenceOf(wrong)).toContain('missing or incorrect annotation: "env" should be "dev", it is "prod"')
  })

  it('--check-claims=false takes a signature of another image, and says that nothing was compared', async () => {
    attachBundle(registry, image, imageSignature(digestOf('other'), managed).json)
    expect((await verify([name, ...key])).exitCode).toBe(12)
    const outcome = await verify([name, ...key, '--check-claims=false'])
    expect(outcome.exitCode).toBe(0)
    expect(outcome.stderr).not.toContain('claims were validated')
  })

  it('COSIGN_REPOSITORY says where the signatures are', async () => {
    attachBundle(registry, image, imageSignature(image, managed).json, { repository: 'signatures' })
    expect((await verify([name, ...key])).exitCode).toBe(10)
    expect((await verify([name, ...key], { env: { HOME: folder, COSIGN_REPOSITORY: `${registry.host}/signatures` } })).exitCode).toBe(0)
  })

  it('--attachment-tag-prefix is put in front of tags', async () => {
    const layers = [signatureLayer(registry, legacySignature(image, managed))]
    putTag(registry, image, layers)
    registry.manifests.set(
      `${app}:old-${image.replace(':', '-')}.sig`,
      registry.manifests.get(`${app}:${image.replace(':', '-')}.sig`) ?? { bytes: Buffer.of(), type: '' },
    )
    registry.manifests.delete(`${app}:${image.replace(':', '-')}.sig`)
    expect((await verify([name, ...key])).exitCode).toBe(10)
    expect((await verify([name, ...key, '--attachment-tag-prefix', 'old-'])).exitCode).toBe(0)
  })

  it('COSIGN_MAX_ATTACHMENT_SIZE limits what is read', async () => {
    attachBundle(registry, image, imageSignature(image, managed).json)
    const limited = (size: string): Promise<Outcome> => verify([name, ...key], { env: { HOME: folder, COSIGN_MAX_ATTACHMENT_SIZE: size } })
    expect(sentenceOf(await limited('1KiB'))).toMatch(/more than the limit of 1024/)
    expect((await limited('1 MB')).exitCode).toBe(0)
    expect(sentenceOf(await limited('much'))).toMatch(/COSIGN_MAX_ATTACHMENT_SIZE should be a size like 128MiB/)
  })

  it('--signature and --payload verify a signature in files', async () => {
    const signed = legacySignature(image, { ...managed, log: 'none' })
    writeFileSync(path.join(folder, 'image.sig'), Buffer.from(signed.signature).toString('base64'))
    writeFileSync(path.join(folder, 'payload.json'), signed.artifact)
    const words = [name, '--key', 'key.pub', '--insecure-ignore-tlog', '--signature', 'image.sig']
    expect((await verify([...words, '--payload', 'payload.json'])).exitCode).toBe(0)
    expect((await verify([...words, '--payload', 'key.pub'])).exitCode).toBe(12)
    expect((await verify(words)).exitCode).toBe(12) // That payload names another repository.
    const other = legacySignature(digestOf('other'), { ...managed, log: 'none' })
    writeFileSync(path.join(folder, 'other.sig'), Buffer.from(other.signature).toString('base64'))
    writeFileSync(path.join(folder, 'other.json'), other.artifact)
    const wrong = await verify([name, '--key', 'key.pub', '--insecure-ignore-tlog', '--signature', 'other.sig', '--payload', 'other.json'])
    expect(wrong.exitCode).toBe(12)
    expect(sentenceOf(wrong)).toContain('invalid or missing digest in claim')
  })

  it('--attachment sbom verifies the signature of what is attached', async () => {
    const sbom = putTag(registry, image, [], 'sbom')
    putTag(registry, image, [signatureLayer(registry, legacySignature(image, managed))])
    expect((await verify([name, ...key, '--attachment', 'sbom'])).exitCode).toBe(10)
    putTag(registry, sbom, [signatureLayer(registry, legacySignature(sbom, managed))])
    const outcome = await verify([name, ...key, '--attachment', 'sbom'])
    expect(jsonOf(outcome)).toMatchObject([{ critical: { image: { 'docker-manifest-digest': sbom } } }])
  })

  it('--certificate completes a signature of cosign 1 that was stored without', async () => {
    const signed = legacySignature(image)
    const without = { 'dev.sigstore.cosign/certificate': '', 'dev.sigstore.cosign/chain': '' }
    putTag(registry, image, [signatureLayer(registry, signed, without)])
    writeFileSync(path.join(folder, 'cert.pem'), pemOf(signed.certificate))
    writeFileSync(path.join(folder, 'chain.pem'), universe.chain.map(({ der }) => pemOf(der)).join(''))
    expect((await verify([name, ...trust, ...who])).exitCode).toBe(13)
    expect((await verify([name, ...trust, ...who, '--certificate', 'cert.pem'])).exitCode).toBe(0)
    writeFileSync(path.join(folder, 'rekor.pub'), universe.rekor.key.pem)
    const env = { HOME: folder, SIGSTORE_REKOR_PUBLIC_KEY: 'rekor.pub' }
    const chained = [name, '--insecure-ignore-sct', ...who, '--certificate', 'cert.pem', '--certificate-chain', 'chain.pem']
    expect((await verify(chained, { env })).exitCode).toBe(0)
    expect(await verify([name, ...trust, ...who.with(1, 'somebody@example.com'), '--certificate', 'cert.pem'])).toMatchObject({
      exitCode: 12,
      stdout: '',
    })
  })

  it('--certificate must be the one that a bundle has', async () => {
    const signed = imageSignature(image)
    attachBundle(registry, image, signed.json)
    writeFileSync(path.join(folder, 'own.pem'), pemOf(signed.certificate))
    writeFileSync(path.join(folder, 'other.pem'), pemOf(imageSignature(image, { key: namedKey('other') }).certificate))
    writeFileSync(path.join(folder, 'chain.pem'), universe.chain.map(({ der }) => pemOf(der)).join(''))
    const words = [name, ...trust, ...who, '--certificate']
    expect(await verify([...words, 'own.pem'])).toMatchObject({ exitCode: 0 })
    expect(await verify([...words, 'own.pem', '--certificate-chain', 'chain.pem'])).toMatchObject({ exitCode: 0 })
    const refused = await verify([...words, 'other.pem'])
    expect(refused).toMatchObject({ exitCode: 12, stdout: '' })
    expect(sentenceOf(refused)).toContain('the cert passed in does not match the cert of the signature')
  })

  it('--certificate is of no use to a bundle by a key', async () => {
    attachBundle(registry, image, imageSignature(image, managed).json)
    writeFileSync(path.join(folder, 'own.pem'), pemOf(imageSignature(image).certificate))
    const refused = await verify([name, ...trust, ...who, '--certificate', 'own.pem'])
    expect(refused.exitCode).not.toBe(0)
    expect(sentenceOf(refused)).toContain('the cert passed in does not match the cert of the signature')
  })
})

describe('an index', () => {
  let arm = ''
  let index = ''
  beforeEach(() => {
    arm = putImage(registry, 'arm', 'an image for arm')
    index = putIndex(registry, { 'linux/amd64': image, 'linux/arm64/v8': arm })
  })
  const sign = (digest: string): string => attachBundle(registry, digest, imageSignature(digest, managed).json)

  it('is verified by itself, unless --recursive asks for all that it names', async () => {
    sign(index)
    expect((await verify([name, ...key])).exitCode).toBe(0)
    const incomplete = await verify([name, ...key, '--recursive'])
    expect(incomplete).toMatchObject({ exitCode: 10, stdout: '' })
    sign(image)
    sign(arm)
    const complete = await verify([name, ...key, '-r'])
    expect(complete.stdout.trim().split(/\n+/)).toHaveLength(3)
  })

  it('cannot be passed off as one image, so that --recursive looks at nothing else', async () => {
    sign(index)
    registry.rule(
      `HEAD /v2/${app}/manifests/v1`,
      answer(200, { 'content-type': ociManifest, 'docker-content-digest': index, 'content-length': '1' }),
    )
    expect((await verify([name, ...key, '--recursive'])).exitCode).toBe(10)
  })

  it('with another image in it has another digest, and is refused', async () => {
    sign(index)
    sign(image)
    const stored = registry.manifests.get(`${app}@${index}`)
    const swapped = Buffer.from(
      Buffer.from(stored?.bytes ?? [])
        .toString()
        .replaceAll(arm, digestOf('swapped')),
    )
    for (const target of [`${app}@${index}`, `${app}:v1`]) registry.manifests.set(target, { bytes: swapped, type: stored?.type ?? '' })
    const outcome = await verify([`${registry.host}/${app}@${index}`, ...key, '--recursive'])
    expect(outcome).toMatchObject({ exitCode: 1, stdout: '' })
  })

  it('names the image for a platform, which must be signed itself', async () => {
    sign(index)
    const unsigned = await verify([name, ...key, '--platform', 'linux/arm64'])
    expect(unsigned.exitCode).toBe(10)
    expect(sentenceOf(unsigned)).toContain('the index may be signed, and not the image for this platform')
    sign(arm)
    const outcome = await verify([name, ...key, '--platform', 'linux/arm64'])
    expect(outcome.stderr).toContain(`Verification for ${registry.host}/${app}@${arm} --`)
    expect(jsonOf(outcome)).toMatchObject([{ critical: { image: { 'docker-manifest-digest': arm } } }])
    expect(sentenceOf(await verify([name, ...key, '--platform', 'windows/amd64']))).toMatch(
      /has no image for windows\/amd64; it has linux\/amd64, linux\/arm64\/v8/,
    )
  })
})

describe('a signature of cosign 1 without a log entry', () => {
  const entryOf = (signed: ReturnType<typeof legacySignature>) =>
    logEntry(
      universe.rekor,
      hashedrekordBody({
        digest: hashOf('sha256', signed.artifact),
        digestAlgorithm: 'sha256',
        signature: signed.signature,
        verifier: signed.certificate,
        verifierKind: 'certificate',
        keyDetails: '',
      }),
      { integratedTime: universe.time / 1000 + 60 },
    )

  it('is looked for in the log, and the header says so', async () => {
    const signed = legacySignature(image, { log: 'none' })
    putTag(registry, image, [signatureLayer(registry, signed)])
    const log = await startServer((request, response) => {
      request.resume()
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify([{ ['0'.repeat(80)]: logEntryAnswer(entryOf(signed)) }]))
    })
    const outcome = await verify([name, ...trust, ...who, '--rekor-url', log.origin])
    expect(outcome.exitCode).toBe(0)
    expect(outcome.stderr).toContain(
      '  - The claims were present in the transparency log\n  - The signatures were integrated into the transparency log when the certificate was valid\n',
    )
    expect(jsonOf(outcome)).toMatchObject([{ optional: { Bundle: { Payload: { integratedTime: universe.time / 1000 + 60 } } } }])
  })

  it('is refused where the log has an entry of another signature', async () => {
    putTag(registry, image, [signatureLayer(registry, legacySignature(image, { log: 'none' }))])
    const log = await startServer((request, response) => {
      request.resume()
      const other = entryOf(legacySignature(image, { log: 'none' }))
      const answers = request.url?.includes('/index/') === true ? [] : [{ ['0'.repeat(80)]: logEntryAnswer(other) }]
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answers))
    })
    const outcome = await verify([name, ...trust, ...who, '--rekor-url', log.origin])
    expect(outcome.exitCode).toBe(12)
    expect(sentenceOf(outcome)).toContain('is not to be believed: it answered the entry ')
  })

  it('is not looked for with --offline', async () => {
    putTag(registry, image, [signatureLayer(registry, legacySignature(image, { log: 'none' }))])
    const outcome = await verify([name, ...trust, ...who, '--offline', '--rekor-url', 'http://127.0.0.1:9'])
    expect(outcome.exitCode).toBe(12)
    expect(sentenceOf(outcome)).toContain('offline verification failed')
  })

  it('is not looked for when it does not hold anyway', async () => {
    putTag(registry, image, [signatureLayer(registry, legacySignature(image, { log: 'none', signer: namedKey('stranger') }))])
    const outcome = await verify([name, ...trust, ...who, '--rekor-url', 'http://127.0.0.1:9'])
    expect(sentenceOf(outcome)).toContain('invalid signature')
  })
})

describe('--explain', () => {
  it('draws what was found, what vouches for it and what did not count', async () => {
    attachBundle(registry, image, imageSignature(image, { timestamps: [{}] }).json)
    attachBundle(registry, image, imageSignature(image, managed).json)
    attachBundle(registry, image, imageAttestation(image).json)
    attachBundle(registry, image, 'no bundle')
    const { stderr, exitCode, stdout } = await verify([name, ...trust, ...who, '--explain'])
    expect(exitCode).toBe(0)
    expect(() => JSON.parse(stdout) as unknown).not.toThrow()
    for (const expected of [
      `├─ digest: ${image.slice(0, 20)}`,
      'looked into',
      `signed by: ${identity.slice(0, 30)}`,
      `vouched for by: ${issuer}`,
      'issued by: ',
      'logged: entry ',
      'time: 2026-01-15T12:01:00Z, stamped by',
      'refused: ',
      'found one with a public key',
      'not asked for: ',
      'unreadable: ',
    ])
      expect(stderr).toContain(expected)
  })

  it('draws what is known of an image that is refused', async () => {
    attachBundle(registry, image, imageSignature(image, managed).json)
    const { stderr, exitCode } = await verify([name, ...trust, '--key', 'stranger.pub', '--explain'])
    expect(exitCode).toBe(12)
    expect(stderr).toContain('└─ refused: ')
  })

  it('fits into a narrow terminal', async () => {
    attachBundle(registry, image, imageSignature(image).json)
    const { stderr } = await verify([name, ...trust, ...who, '--explain'], { columns: 60 })
    const tree = stderr.split('\n').filter((line) => /[├└│]/.test(line))
    expect(tree.length).toBeGreaterThan(10)
    for (const line of tree) expect(line.length).toBeLessThanOrEqual(60)
  })
})

describe('verify-attestation', () => {
  const attest = (bend = {}, options = {}): string =>
    attachBundle(registry, image, imageAttestation(image, { ...managed, ...options }, bend).json)
  const run = (words: readonly string[], surroundings?: Surroundings): Promise<Outcome> =>
    verify([name, ...key, ...words], surroundings, 'verify-attestation')

  it('prints the envelope, one a line', async () => {
    attest()
    const outcome = await run(['--type', 'slsaprovenance1'])
    expect(outcome.exitCode).toBe(0)
    const { payload, payloadType } = JSON.parse(outcome.stdout) as { payload: string; payloadType: string }
    expect(payloadType).toBe('application/vnd.in-toto+json')
    expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toMatchObject({ predicateType: 'https://slsa.dev/provenance/v1' })
    expect(outcome.stderr).toContain(`Verification for ${name} --`)
  })

  it('of another type says which there are, in the words of cosign', async () => {
    attest()
    const outcome = await run([])
    expect(outcome).toMatchObject({ exitCode: 1, stdout: '' })
    expect(sentenceOf(outcome)).toBe('none of the attestations matched the predicate type: custom, found: https://slsa.dev/provenance/v1')
  })

  it.each([
    ['custom', 'cosign.sigstore.dev/attestation/v1'],
    ['vuln', 'cosign.sigstore.dev/attestation/vuln/v1'],
  ])('by the name %s is what any cosign calls so: the first one left the scheme out', async (type, former) => {
    const words = type === 'custom' ? [] : ['--type', type]
    const otherName = type === 'custom' ? 'vuln' : 'custom'
    for (const predicateType of [former, `https://${former}`]) {
      registry.manifests.clear()
      image = putImage(registry)
      attest({ predicateType })
      expect((await run(words)).exitCode).toBe(0)
      expect((await run(['--type', predicateType])).exitCode).toBe(0)
      expect((await run(['--type', otherName])).exitCode).toBe(1)
    }
    // A type that is spelled out is that type.
    expect((await run(['--type', former])).exitCode).toBe(1)
  })

  it('of an image without any, or of none, ends with exit code 1', async () => {
    expect(sentenceOf(await run([]))).toMatch(/^no matching attestations: none was found/)
    const missing = await verify([`${registry.host}/${app}:v9`, ...key], {}, 'verify-attestation')
    expect(missing.exitCode).toBe(1)
  })

  it('by somebody else is refused', async () => {
    attest({}, { key: namedKey('stranger') })
    const outcome = await run(['--type', 'slsaprovenance1'])
    expect(outcome).toMatchObject({ exitCode: 1, stdout: '' })
    expect(sentenceOf(outcome)).toMatch(/^no matching attestations: /)
  })

  it('must comply with every policy, and all of them do', async () => {
    attest({ predicate: { count: 1 } })
    const policy = (file: string, contents: string): string => {
      writeFileSync(path.join(folder, file), contents)
      return file
    }
    const words = ['--type', 'slsaprovenance1', '--policy', policy('one.cel', 'predicate.count == 1')]
    const complies = await run(words)
    expect(complies.exitCode).toBe(0)
    expect(complies.stderr).toContain('will be validating against CEL policies: [one.cel]\n')
    attest({ predicate: { count: 2 } })
    const one = await run(words)
    expect(one).toMatchObject({ exitCode: 1, stdout: '' })
    expect(one.stderr).toContain('There are 1 number of errors occurred during the validation:\n- one.cel: the expression is false\n')
    expect(sentenceOf(one)).toBe('1 validation errors occurred')
    const schema = policy('schema.json', JSON.stringify({ properties: { predicate: { required: ['count'] } } }))
    expect((await run(['--type', 'slsaprovenance1', '--policy', schema])).exitCode).toBe(0)
    expect(sentenceOf(await run(['--policy', 'policy.txt']))).toMatch(/invalid policy format, expected \.cue or \.rego/)
    expect(sentenceOf(await run(['--policy', policy('p.rego', 'package signature')], { env: { HOME: folder, PATH: '' } }))).toMatch(
      /the program opa, which is not on PATH/,
    )
  })
})
