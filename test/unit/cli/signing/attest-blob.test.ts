/** `attest-blob` from the command line to its files, against the services of a universe, and `verify-blob-attestation` on what it wrote. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { generatePrivateKey } from '../../../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../../../src/crypto/public-key.ts'
import { predicateDocuments } from '../../../support/predicates.ts'
import { paths, principal } from '../../../support/signing-services.ts'
import type { Outcome } from '../captured-context.ts'
import { artifact, createWorkspace, tokenIssuer } from './signing-workspace.ts'
import type { Workspace, WorkspaceOptions } from './signing-workspace.ts'

const identity = ['--certificate-identity', principal, '--certificate-oidc-issuer', tokenIssuer]
const keyless = ['--identity-token', 'token', '--signing-config', 'config.json', '--trusted-root', 'root.json']
const sha256 = createHash('sha256').update(artifact).digest('hex')

/** A workspace with a key, other files and a predicate. */
async function workspaceWith(options?: WorkspaceOptions): Promise<Workspace> {
  const workspace = await createWorkspace(options)
  const key = generatePrivateKey('ecdsa-p256')
  write(workspace, 'signer.key', key.encodePem())
  write(workspace, 'signer.pub', encodePublicKeyPem(key.publicKey))
  write(workspace, 'second', 'the second file\n')
  write(workspace, 'p.json', '{"passed":true}')
  return workspace
}

const write = (workspace: Workspace, name: string, contents: string): void => writeFileSync(path.join(workspace.folder, name), contents)
const ownType = 'https://example.com/tests/v1'
const predicate = ['--predicate', 'p.json', '--type', ownType]
/** With a key, recorded nowhere. */
const keyOnly = ['--key', 'signer.key', '--tlog-upload=false']

function verify(workspace: Workspace, blob: string, more: readonly string[]): Promise<Outcome> {
  const words = blob === '' ? [] : [blob]
  return workspace.run(['verify-blob-attestation', ...words, '--trusted-root', 'root.json', ...more])
}

const verifiedByKey = ['--key', 'signer.pub', '--insecure-ignore-tlog']

interface StatementJson {
  readonly _type: string
  readonly subject: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>> }[]
  readonly predicateType: string
  readonly predicate: unknown
}

function payloadOf(text: string): string {
  const parsed = JSON.parse(text) as { readonly dsseEnvelope?: { readonly payload: string }; readonly payload?: string }
  return Buffer.from(parsed.dsseEnvelope?.payload ?? parsed.payload ?? '', 'base64').toString()
}

const statementOf = (workspace: Workspace, bundle = 'b.json'): StatementJson =>
  JSON.parse(payloadOf(workspace.read(bundle))) as StatementJson

/** The one sentence of a failure that left nothing behind and asked nobody. */
async function refusalOf(workspace: Workspace, words: readonly string[], stdin?: string): Promise<string> {
  const before = workspace.written()
  const { exitCode, stdout, stderr } = await workspace.run(
    ['attest-blob', ...words],
    stdin === undefined ? {} : { stdin: Buffer.from(stdin) },
  )
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
  expect(workspace.written()).toEqual(before)
  expect(workspace.services.requests).toEqual([])
  const lines = stderr.split('\n').filter((line) => line.startsWith('Error: '))
  expect(lines).toHaveLength(1)
  return lines[0] ?? ''
}

describe('keyless', () => {
  for (const log of ['v1', 'v2', 'none'] as const) {
    it(`writes a bundle that verify-blob-attestation accepts (log: ${log})`, async () => {
      const workspace = await workspaceWith({ log })
      const signed = await workspace.run(['attest-blob', 'artifact', ...predicate, '--bundle', 'b.json', ...keyless])
      expect(signed).toMatchObject({ exitCode: 0, stdout: '' })
      const words = ['--bundle', 'b.json', '--use-signed-timestamps', ...(log === 'none' ? ['--insecure-ignore-tlog'] : []), ...identity]
      expect(await verify(workspace, 'artifact', ['--type', ownType, ...words])).toMatchObject({ exitCode: 0 })
      expect(await verify(workspace, 'second', ['--type', ownType, ...words])).toMatchObject({ exitCode: 1 })
      expect((await verify(workspace, 'artifact', words)).stderr).toContain(
        `invalid predicate type, expected https://cosign.sigstore.dev/attestation/v1 or cosign.sigstore.dev/attestation/v1 got ${ownType}`,
      )
    })
  }

  it('says what cosign says', async () => {
    const workspace = await workspaceWith()
    const { stderr } = await workspace.run(['attest-blob', 'artifact', ...predicate, '--bundle', 'b.json', ...keyless])
    expect(stderr.split('\n')).toEqual([
      'Using payload from: artifact',
      'Using payload from: p.json',
      'Generating ephemeral keys...',
      'Retrieving signed certificate...',
      'Successfully verified SCT...',
      'tlog entry created with index: 1000003',
      'Wrote bundle to file b.json',
      '',
    ])
  })

  it('prints the evidence as JSON', async () => {
    const workspace = await workspaceWith()
    const { stdout } = await workspace.run(['attest-blob', 'artifact', ...predicate, '--bundle', 'b.json', '-o', 'json', ...keyless])
    const evidence = JSON.parse(stdout) as Record<string, unknown>
    expect(evidence).toMatchObject({
      signed: true,
      signer: { kind: 'certificate', identity: principal, issuer: tokenIssuer },
      logEntries: [{ kind: 'dsse', version: '0.0.1' }],
      statement: { predicateType: ownType, subjects: [{ name: 'artifact', digest: { sha256 } }] },
      files: [{ kind: 'bundle', path: 'b.json' }],
    })
    expect(evidence).not.toHaveProperty('artifact')
    expect(evidence).not.toHaveProperty('envelope')
  })

  it('prints the envelope in the JSON where nothing else has it', async () => {
    const workspace = await workspaceWith()
    const { stdout } = await workspace.run(['attest-blob', 'artifact', ...predicate, '-o', 'json', ...keyOnly])
    write(workspace, 'printed.att', JSON.stringify((JSON.parse(stdout) as { readonly envelope: unknown }).envelope))
    const words = ['--signature', 'printed.att', '--type', ownType, ...verifiedByKey]
    expect(await verify(workspace, 'artifact', words)).toMatchObject({ exitCode: 0 })
  })

  it.each(Object.entries(predicateDocuments))('attests a predicate of the type %s', async (type, document) => {
    const workspace = await workspaceWith()
    write(workspace, 'document', document)
    const words = ['attest-blob', 'artifact', '--predicate', 'document', '--type', type, '--bundle', 'b.json', ...keyless]
    expect(await workspace.run(words)).toMatchObject({ exitCode: 0 })
    expect(await verify(workspace, 'artifact', ['--type', type, '--bundle', 'b.json', ...identity])).toMatchObject({ exitCode: 0 })
  })

  it('writes nothing when the log has logged something else', async () => {
    const workspace = await workspaceWith({ bendBody: (parts) => ({ ...parts, digest: new Uint8Array(32) }) })
    const refused = await workspace.run(['attest-blob', 'artifact', ...predicate, '--bundle', 'b.json', ...keyless])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('signing the attestation: the signature was made, but what the services answered does not verify')
    expect(workspace.written()).not.toContain('b.json')
  })
})

describe('what it is about', () => {
  const attest = (workspace: Workspace, ...words: readonly string[]) =>
    workspace.run(['attest-blob', ...words, ...predicate, '--bundle', 'b.json', ...keyOnly])

  it('is a file, by its name without the folder', async () => {
    const workspace = await workspaceWith()
    mkdirSync(path.join(workspace.folder, 'dist'))
    write(workspace, 'dist/app', artifact)
    expect(await attest(workspace, 'dist/app')).toMatchObject({ exitCode: 0 })
    expect(statementOf(workspace)).toEqual({
      _type: 'https://in-toto.io/Statement/v0.1',
      subject: [{ name: 'app', digest: { sha256 } }],
      predicateType: ownType,
      predicate: { passed: true },
    })
  })

  it('may be several files, in one statement that verifies with each', async () => {
    const workspace = await workspaceWith()
    expect(await attest(workspace, 'artifact', 'second')).toMatchObject({ exitCode: 0 })
    expect(statementOf(workspace).subject.map(({ name }) => name)).toEqual(['artifact', 'second'])
    const words = ['--bundle', 'b.json', '--type', ownType, ...verifiedByKey]
    for (const blob of ['artifact', 'second']) expect(await verify(workspace, blob, words)).toMatchObject({ exitCode: 0 })
    expect(await verify(workspace, 'token', words)).toMatchObject({ exitCode: 1 })
  })

  it('keeps the paths of files that have the same name', async () => {
    const workspace = await workspaceWith()
    for (const folder of ['linux', 'darwin']) {
      mkdirSync(path.join(workspace.folder, folder))
      write(workspace, `${folder}/app`, folder)
    }
    expect(await attest(workspace, './linux/app', 'darwin//app', 'second')).toMatchObject({ exitCode: 0 })
    expect(statementOf(workspace).subject.map(({ name }) => name)).toEqual(['linux/app', 'darwin/app', 'second'])
  })

  it('may be standard input', async () => {
    const workspace = await workspaceWith()
    const words = ['attest-blob', '-', ...predicate, '--bundle', 'b.json', ...keyOnly]
    expect(await workspace.run(words, { stdin: Buffer.from(artifact) })).toMatchObject({ exitCode: 0 })
    expect(statementOf(workspace).subject).toEqual([{ name: '-', digest: { sha256 } }])
  })

  it('may be a file that is too long to be held', async () => {
    const workspace = await workspaceWith()
    writeFileSync(path.join(workspace.folder, 'long'), Buffer.alloc(9 * 1024 * 1024 + 5, 7))
    expect(await attest(workspace, 'long')).toMatchObject({ exitCode: 0 })
    expect(await verify(workspace, 'long', ['--bundle', 'b.json', '--type', ownType, ...verifiedByKey])).toMatchObject({ exitCode: 0 })
  })

  it.each(['sha256', 'sha384', 'sha512'])('may be a file that is not here, by its %s digest', async (algorithm) => {
    const workspace = await workspaceWith()
    const hash = createHash(algorithm).update(artifact).digest('hex')
    for (const given of [hash, hash.toUpperCase(), `${algorithm}:${hash}`]) {
      expect(await attest(workspace, 'far/away', '--hash', given)).toMatchObject({ exitCode: 0 })
      expect(statementOf(workspace).subject).toEqual([{ name: 'away', digest: { [algorithm]: hash } }])
    }
    const words = ['--digest', hash, '--digestAlg', algorithm, '--bundle', 'b.json', '--type', ownType, ...verifiedByKey]
    expect(await verify(workspace, '', words)).toMatchObject({ exitCode: 0 })
    expect(
      await verify(
        workspace,
        '',
        words.map((word) => (word === hash ? hash.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) : word)),
      ),
    ).toMatchObject({ exitCode: 1 })
  })

  it('need not be looked at', async () => {
    const workspace = await workspaceWith()
    await attest(workspace, 'artifact')
    const words = ['--check-claims=false', '--bundle', 'b.json', '--type', ownType, ...verifiedByKey]
    expect(await verify(workspace, '', words)).toMatchObject({ exitCode: 0 })
    expect(await verify(workspace, 'second', words)).toMatchObject({ exitCode: 0 })
  })

  it.each([
    [['nowhere'], 'the blob nowhere cannot be read: no such file or directory'],
    [['.'], 'the blob . cannot be read: it is a directory'],
    [['artifact', 'artifact'], 'one of the blobs is named twice'],
    [['artifact', 'second', './artifact'], 'one of the blobs is named twice'],
    [[], 'requires at least 1 arg(s), only received 0: name the files that the attestation is about'],
    [['artifact', 'second', '--hash', sha256], '--hash is the digest of one file, and 2 are named'],
    [
      ['artifact', '--hash', sha256.slice(1)],
      '--hash should be a digest in hexadecimal: 64 digits of sha256, 96 of sha384 or 128 of sha512',
    ],
    [['artifact', '--hash', `sha512:${sha256}`], '--hash should be a digest in hexadecimal'],
    [['artifact', '--hash', 'z'.repeat(64)], '--hash should be a digest in hexadecimal'],
  ])('is refused where it is not clear (%#)', async (words, message) => {
    const workspace = await workspaceWith()
    expect(await refusalOf(workspace, [...words, ...predicate, '--bundle', 'b.json', ...keyOnly])).toContain(message)
  })
})

describe('what is said', () => {
  const rest = ['--bundle', 'b.json', ...keyOnly]

  it('is any text in a custom predicate, with the time', async () => {
    const workspace = await workspaceWith()
    write(workspace, 'empty', '')
    expect(await workspace.run(['attest-blob', 'artifact', '--predicate', 'empty', ...rest])).toMatchObject({ exitCode: 0 })
    expect(statementOf(workspace).predicate).toEqual({
      Data: '',
      Timestamp: `${new Date(workspace.universe.time + 60_000).toISOString().slice(0, 19)}Z`,
    })
    expect(await verify(workspace, 'artifact', ['--bundle', 'b.json', ...verifiedByKey])).toMatchObject({ exitCode: 0 })
  })

  it('may come from standard input', async () => {
    const workspace = await workspaceWith()
    const words = ['attest-blob', 'artifact', '--predicate', '-', '--type', ownType, ...rest]
    const signed = await workspace.run(words, { stdin: Buffer.from('{"from":"a pipe"}') })
    expect(signed.exitCode).toBe(0)
    expect(signed.stderr).toContain('Using payload from: standard input\n')
    expect(statementOf(workspace).predicate).toEqual({ from: 'a pipe' })
  })

  it('keeps numbers that a double cannot hold', async () => {
    const workspace = await workspaceWith()
    write(workspace, 'p.json', '{"b": 123456789012345678901234567890, "a": 1.10}')
    await workspace.run(['attest-blob', 'artifact', ...predicate, ...rest])
    expect(payloadOf(workspace.read('b.json'))).toContain('"predicate":{"a":1.10,"b":123456789012345678901234567890}')
  })

  it.each([
    [['--predicate', 'p.json', '--type', 'slsaprovenance1'], 'invalid predicate in p.json: predicate.buildDefinition is missing'],
    [['--predicate', 'artifact', '--type', ownType], 'invalid predicate in artifact: the predicate is not valid JSON'],
    [['--predicate', '-', '--type', 'link'], 'invalid predicate in standard input: the predicate is not valid JSON'],
    [['--predicate', 'nowhere', '--type', 'link'], 'the predicate nowhere cannot be read: no such file or directory'],
    [['--predicate', 'p.json', '--type', 'slsaprovenence'], 'invalid predicate type: slsaprovenence (expected a URI or one of custom'],
    [[], 'at least one of the flags in the group [predicate statement] is required'],
    [['--predicate', 'p.json', '--statement', 'p.json'], 'one of --predicate or --statement must be set'],
    [['--predicate', 'p.json', '--rekor-entry-type', 'rekord'], 'unknown value for rekor-entry-type: expected dsse or intoto'],
  ])('is refused before anybody is asked where it is wrong (%#)', async (words, message) => {
    const workspace = await workspaceWith()
    expect(await refusalOf(workspace, ['artifact', ...words, ...rest], '')).toContain(message)
  })

  it('cannot share standard input with what it is about', async () => {
    const workspace = await workspaceWith()
    expect(await refusalOf(workspace, ['-', '--predicate', '-', ...rest], 'x')).toContain('standard input (-) can be only one of')
  })

  it('is logged as ever when another kind of entry is asked for, and that is said', async () => {
    const workspace = await workspaceWith()
    const signed = await workspace.run(['attest-blob', 'artifact', ...predicate, '--rekor-entry-type=intoto', ...rest])
    expect(signed).toMatchObject({ exitCode: 0 })
    expect(signed.stderr).toContain('WARNING: --rekor-entry-type=intoto has no effect')
  })
})

describe('a finished statement', () => {
  const rest = ['--bundle', 'b.json', ...keyOnly]
  const text = (more: Record<string, unknown> = {}): string =>
    ` ${JSON.stringify({
      predicateType: ownType,
      predicate: { n: 1 },
      subject: [{ name: 'x', digest: { sha256 } }],
      _type: 'https://in-toto.io/Statement/v1',
      ...more,
    }).replace('"n":1', '"n": 1.0')}\n`

  it.each(['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1'])('of %s is signed byte for byte', async (_type) => {
    const workspace = await workspaceWith()
    write(workspace, 's.json', text({ _type }))
    const signed = await workspace.run(['attest-blob', '--statement', 's.json', ...rest])
    expect(signed).toMatchObject({ exitCode: 0 })
    expect(signed.stderr).toContain('Using statement from: s.json\n')
    expect(payloadOf(workspace.read('b.json'))).toBe(text({ _type }))
    expect(await verify(workspace, 'artifact', ['--bundle', 'b.json', '--type', ownType, ...verifiedByKey])).toMatchObject({ exitCode: 0 })
  })

  it('may come from standard input', async () => {
    const workspace = await workspaceWith()
    const words = ['attest-blob', '--statement', '-', ...rest]
    expect(await workspace.run(words, { stdin: Buffer.from(text()) })).toMatchObject({ exitCode: 0 })
    expect(payloadOf(workspace.read('b.json'))).toBe(text())
  })

  it.each([
    [1024, false],
    [1025, true],
  ])('with %i subjects is signed, and whether other programs verify it is said: %s', async (count, isWarned) => {
    const workspace = await workspaceWith()
    const subject = Array.from({ length: count }, (_, index) => ({ name: `${index}`, digest: { sha256 } }))
    write(workspace, 's.json', JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType: ownType, predicate: {} }))
    const signed = await workspace.run(['attest-blob', '--statement', 's.json', ...keyOnly, '--bundle', 'b.json'])
    expect(signed.exitCode, signed.stderr).toBe(0)
    expect(signed.stderr.includes('sigstore-go do not verify a statement of more than 1024 subjects')).toBe(isWarned)
  })

  it('is signed when the files that are named are its subjects, and its type is the one that was said', async () => {
    const workspace = await workspaceWith()
    write(workspace, 's.json', text())
    expect(await workspace.run(['attest-blob', 'artifact', '--statement', 's.json', '--type', ownType, ...rest])).toMatchObject({
      exitCode: 0,
    })
  })

  it.each([
    ['{}', [], 'invalid statement in s.json: statement._type is missing'],
    ['no json', [], 'invalid statement in s.json: the in-toto statement is not valid JSON'],
    [text({ _type: 'https://in-toto.io/Statement/v2' }), [], 'statement._type should be an in-toto statement of version 0.1 or 1'],
    [text({ subject: [] }), [], 'the statement has no subject'],
    [text({ subject: [{ name: 'x' }] }), [], 'statement.subject[0].digest is missing'],
    [text({ predicateType: 5 }), [], 'statement.predicateType should be a string, found 5'],
    [text(), ['second'], 'second is not a subject of the statement s.json: none of its 1 subjects has the digest of that file'],
    [text(), ['artifact', 'second'], 'second is not a subject of the statement s.json'],
    [text(), ['--type', 'link'], `the statement s.json has a predicate of the type "${ownType}", and --type is https://in-toto.io/Link/v1`],
    [text(), ['--hash', sha256], '--hash is for a statement that is made here'],
  ])('is refused where it is none, or not what the user thinks it is (%#)', async (statement, words, message) => {
    const workspace = await workspaceWith()
    write(workspace, 's.json', statement)
    expect(await refusalOf(workspace, [...words, '--statement', 's.json', ...rest])).toContain(message)
  })
})

describe('the outputs of cosign 1 and 2', () => {
  const old = ({ services: { url } }: Workspace): string[] =>
    `--identity-token token --use-signing-config=false --trusted-root root.json --yes --fulcio-url ${url} --rekor-url ${url}`.split(' ')
  const typed = ['--type', ownType]

  it('are envelope, statement and certificate in files of their own', async () => {
    const workspace = await workspaceWith()
    const files = ['--output-signature', 'a.att', '--output-attestation', 'a.json', '--output-certificate', 'a.pem']
    const signed = await workspace.run(['attest-blob', 'artifact', ...predicate, ...files, ...old(workspace)])
    expect(signed).toMatchObject({ exitCode: 0, stdout: '' })
    expect(signed.stderr).toContain('Wrote signature to file a.att\nWrote attestation to file a.json\nWrote certificate to file a.pem\n')
    expect(workspace.read('a.att')).toMatch(
      /^\{"payloadType":"application\/vnd\.in-toto\+json","payload":"[A-Za-z0-9+/]+=*","signatures":\[\{"keyid":"","sig":"[A-Za-z0-9+/]+=*"\}\]\}$/,
    )
    expect(workspace.read('a.json')).toBe(payloadOf(workspace.read('a.att')))
    expect(workspace.read('a.pem')).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
    const words = ['--signature', 'a.att', '--certificate', 'a.pem', '--insecure-ignore-tlog', ...typed, ...identity]
    expect(await verify(workspace, 'artifact', words)).toMatchObject({ exitCode: 0 })
    expect(await verify(workspace, 'second', words)).toMatchObject({ exitCode: 1 })
  })

  it('come beside a bundle when both are asked for', async () => {
    const workspace = await workspaceWith()
    const words = ['attest-blob', 'artifact', ...predicate, '--bundle', 'a.bundle', '--output-signature', 'a.att']
    const signed = await workspace.run([...words, ...old(workspace)])
    expect(signed).toMatchObject({ exitCode: 0, stdout: '' })
    expect(payloadOf(workspace.read('a.bundle'))).toBe(payloadOf(workspace.read('a.att')))
  })

  it('are the envelope on standard output when nothing is asked for', async () => {
    const workspace = await workspaceWith()
    const before = workspace.written()
    const signed = await workspace.run(['attest-blob', 'artifact', ...predicate, ...keyOnly])
    expect(signed.stdout).toMatch(/^\{"payloadType":.*\}\n$/)
    expect(workspace.written()).toEqual(before)
    write(workspace, 'printed.att', signed.stdout)
    const words = ['--signature', 'printed.att', ...typed, ...verifiedByKey]
    expect(await verify(workspace, 'artifact', words)).toMatchObject({ exitCode: 0 })
    expect(await verify(workspace, 'second', words)).toMatchObject({ exitCode: 1 })
  })

  it('are the local bundle with --new-bundle-format=false, and the envelope on standard output', async () => {
    const workspace = await workspaceWith()
    const words = ['attest-blob', 'artifact', ...predicate, '--bundle', 'a.bundle', '--new-bundle-format=false']
    const signed = await workspace.run([...words, ...old(workspace)])
    const local = JSON.parse(workspace.read('a.bundle')) as { readonly base64Signature: string }
    expect(Object.keys(local)).toEqual(['base64Signature', 'cert', 'rekorBundle'])
    expect(`${Buffer.from(local.base64Signature, 'base64').toString()}\n`).toBe(signed.stdout)
    expect(await verify(workspace, 'artifact', ['--bundle', 'a.bundle', ...typed, ...identity])).toMatchObject({ exitCode: 0 })
  })

  it('have a timestamp over the envelope in a file', async () => {
    const workspace = await workspaceWith()
    const tsa = ['--timestamp-server-url', `${workspace.services.url}${paths.timestamp}`]
    const files = ['--output-signature', 'a.att', '--output-certificate', 'a.pem', '--rfc3161-timestamp-bundle', 'a.tsr']
    expect(await workspace.run(['attest-blob', 'artifact', ...predicate, ...files, ...tsa, ...old(workspace)])).toMatchObject({
      exitCode: 0,
    })
    const words = ['--signature', 'a.att', '--certificate', 'a.pem', '--rfc3161-timestamp', 'a.tsr', '--use-signed-timestamps']
    const rest = ['--insecure-ignore-tlog', ...typed, ...identity]
    expect(await verify(workspace, 'artifact', [...words, ...rest])).toMatchObject({ exitCode: 0 })
    // The same statement and signature, but another file than the one that was timestamped.
    write(workspace, 'other.att', workspace.read('a.att').replace('"keyid":"",', ''))
    const moved = words.map((word) => (word === 'a.att' ? 'other.att' : word))
    expect((await verify(workspace, 'artifact', [...moved, ...rest])).stderr).toContain(
      'the timestamp is of other bytes than this signature',
    )
  })

  it('need a place for a timestamp, and an authority for its file', async () => {
    const workspace = await workspaceWith()
    const tsa = ['--timestamp-server-url', `${workspace.services.url}${paths.timestamp}`]
    const words = ['artifact', ...predicate, '--output-signature', 'a.att', ...old(workspace)]
    expect(await refusalOf(workspace, [...words, ...tsa])).toContain('must use protobuf bundle or set timestamp output path')
    const without = await workspace.run(['attest-blob', ...words, '--rfc3161-timestamp-bundle', 'a.tsr'])
    expect(without.exitCode).toBe(0)
    expect(without.stderr).toContain('WARNING: a.tsr is not written: there is no timestamp authority')
    expect(workspace.written()).toEqual(expect.arrayContaining(['a.att']))
    expect(workspace.written()).not.toContain('a.tsr')
  })

  it('with a key have no certificate, which is said', async () => {
    const workspace = await workspaceWith()
    const words = ['attest-blob', 'artifact', ...predicate, ...keyOnly, '--output-signature', 'a.att', '--output-certificate', 'a.pem']
    const signed = await workspace.run(words)
    expect(signed.exitCode).toBe(0)
    expect(signed.stderr).toContain('WARNING: a.pem is not written: a signature with a key has no certificate')
    expect(workspace.written()).not.toContain('a.pem')
    const verified = ['--signature', 'a.att', ...typed, ...verifiedByKey]
    expect(await verify(workspace, 'artifact', verified)).toMatchObject({ exitCode: 0 })
    write(workspace, 'a.b64', Buffer.from(workspace.read('a.att')).toString('base64'))
    expect(
      await verify(
        workspace,
        'artifact',
        verified.map((word) => (word === 'a.att' ? 'a.b64' : word)),
      ),
    ).toMatchObject({ exitCode: 0 })
  })

  it('are asked about before they are recorded', async () => {
    const workspace = await workspaceWith()
    const words = ['attest-blob', 'artifact', ...predicate, '--output-signature', 'a.att', ...old(workspace)]
    const declined = await workspace.run(
      words.filter((word) => word !== '--yes'),
      { stdin: Buffer.from('n\n') },
    )
    expect(declined.exitCode).toBe(1)
    expect(declined.stderr).toContain('user declined the prompt')
    expect(workspace.services.requests).toEqual([])
  })
})

describe('a file that cannot be written', () => {
  it.each(['--bundle', '--output-signature', '--output-attestation', '--output-certificate', '--rfc3161-timestamp-bundle'])(
    'is noticed before anybody is asked (%s)',
    async (flag) => {
      const workspace = await workspaceWith()
      const sentence = await refusalOf(workspace, ['artifact', ...predicate, flag, 'no/such/folder/file', ...keyless])
      expect(sentence).toContain('no/such/folder/file cannot be written: no such file or directory')
    },
  )
})

describe('keys', () => {
  it.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'] as const)('of the kind %s sign for both Rekors', async (kind) => {
    for (const log of ['v1', 'v2'] as const) {
      const workspace = await workspaceWith({ log })
      const key = generatePrivateKey(kind)
      write(workspace, 'k.pem', key.encodePem())
      write(workspace, 'k.pub', encodePublicKeyPem(key.publicKey))
      const words = ['--key', 'k.pem', '--bundle', 'b.json', '--signing-config', 'config.json', '--trusted-root', 'root.json']
      expect(await workspace.run(['attest-blob', 'artifact', ...predicate, ...words])).toMatchObject({ exitCode: 0 })
      const verified = ['--bundle', 'b.json', '--key', 'k.pub', '--type', ownType]
      expect(await verify(workspace, 'artifact', verified)).toMatchObject({ exitCode: 0 })
    }
  })

  it.each([
    [['--sk'], 'hardware tokens (--sk) are not supported'],
    [['--signing-algorithm', 'md5'], 'invalid signing algorithm: md5'],
  ])('are refused as by sign-blob (%s)', async (words, message) => {
    const workspace = await workspaceWith()
    expect(await refusalOf(workspace, ['artifact', ...predicate, '--bundle', 'b.json', ...words])).toContain(message)
  })
})
