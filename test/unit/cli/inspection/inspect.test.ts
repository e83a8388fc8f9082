import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signBlob, signStatement } from '../../../support/universe/universe.ts'
import { inspect, runInspect, treeOf } from './inspection.ts'

const blob = signBlob()
const attestation = signStatement({ log: 'v2' })
const warnings = `WARNING: This command only inspects the contents of the bundle.
It does not perform cryptographic verification or verify log inclusion.

`
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-inspect-'))
  writeFileSync(path.join(folder, 'one.sigstore.json'), JSON.stringify(blob.bundle, undefined, 2))
  writeFileSync(path.join(folder, 'one.sigstore.jsonl'), `\n${blob.json}\n\n`)
  writeFileSync(path.join(folder, 'two.sigstore.jsonl'), `${blob.json}\n\n${attestation.json}\n`)
  writeFileSync(path.join(folder, 'broken.sigstore.jsonl'), `${blob.json}\n{"x":1}\n{"y"\n`)
  writeFileSync(path.join(folder, 'no-bundles.sigstore.jsonl'), '{"x":1}\n{"y":1}\n')
  writeFileSync(path.join(folder, 'blank.sigstore.jsonl'), '\n\n')
  writeFileSync(path.join(folder, 'empty.json'), '')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('bundle inspect', () => {
  it('warns on stderr, word for word as cosign, that nothing is verified', async () => {
    expect((await inspect(blob.json)).stderr).toBe(warnings)
  })

  it('prints no other warning about a bundle that verification refuses', async () => {
    const { exitCode, stderr } = await inspect({ ...blob.bundle, mediaType: undefined })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: warnings })
  })

  it('prints the same for a file and for standard input', async () => {
    const file = await runInspect(['one.sigstore.json'], { cwd: folder })
    expect(file).toEqual(await inspect(blob.json))
    expect(file.stdout.split('\n', 3)).toEqual([
      '- Bundle Media Type: application/vnd.dev.sigstore.bundle.v0.3+json',
      '- Verification Material:',
      '  - Content: X.509 Certificate',
    ])
  })

  it('takes no verdict from signatures: a forged one is shown like any other', async () => {
    const forged = structuredClone(blob.bundle) as { messageSignature: { signature: string } }
    forged.messageSignature.signature = Buffer.alloc(70).toString('base64')
    expect(await treeOf(forged)).toContain('  - Signature: Present (70 bytes)')
  })

  it.each([
    ['no file', [], 'accepts 1 arg(s), received 0'],
    ['two files', ['a', 'b'], 'accepts 1 arg(s), received 2'],
    ['an unknown form', ['a', '-o', 'yaml'], 'yaml'],
  ])('refuses %s before it warns', async (_, args, message) => {
    const { exitCode, stderr, stdout } = await runInspect(args)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('WARNING')
    expect(stdout).toBe('')
  })

  it.each([
    ['a file that is not there', 'absent.json', 'the bundle absent.json cannot be read: no such file or directory'],
    ['an empty file', 'empty.json', 'the bundle empty.json is empty'],
    ['a folder', '.', 'the bundle . is a directory, a file was expected'],
    [
      'lines without a bundle',
      'no-bundles.sigstore.jsonl',
      'the bundle no-bundles.sigstore.jsonl cannot be inspected: line 1: it is neither',
    ],
    ['blank lines', 'blank.sigstore.jsonl', 'the bundle blank.sigstore.jsonl cannot be inspected: the file holds no bundle'],
  ])('says in one sentence what is wrong with %s', async (_, file, message) => {
    const { exitCode, stderr, stdout } = await runInspect([file], { cwd: folder })
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toContain(`${warnings}Error: ${message}`)
  })

  it.each([
    ['nothing', '', 'the bundle on standard input is empty'],
    ['text', 'hello', 'cannot be inspected: the bundle is not valid JSON: expected a value'],
    ['half a bundle', blob.json.slice(0, 500), 'cannot be inspected: the bundle is not valid JSON: '],
    ['a list', '[]', 'it is neither a Sigstore bundle (no mediaType of one) nor a local bundle of cosign 1 or 2 (no base64Signature)'],
    ['other JSON', '{"hello":1}', 'it is neither a Sigstore bundle'],
    ['an image manifest', '{"mediaType":"application/vnd.oci.image.manifest.v1+json"}', 'it is neither a Sigstore bundle'],
    ['a key twice', '{"mediaType":"a","mediaType":"b"}', 'the key "mediaType" stands twice in one object'],
    ['a media type that is no text', '{"mediaType":1,"verificationMaterial":{}}', 'bundle.mediaType should be a string, found 1'],
    [
      'two contents',
      '{"messageSignature":{},"dsseEnvelope":{}}',
      'bundle has messageSignature and dsseEnvelope, where at most one was expected',
    ],
    [
      'two keys',
      '{"verificationMaterial":{"certificate":{},"publicKey":{}}}',
      'bundle.verificationMaterial has certificate and publicKey, where at most one was expected',
    ],
    [
      'a signature that is not base64',
      '{"messageSignature":{"signature":"?"}}',
      'bundle.messageSignature.signature is not standard base64',
    ],
    ['a hash that is no text', proofWith('[7]'), 'inclusionProof.hashes[0] should be a string'],
    ['an index beyond 64 bits', entryWith('"logIndex":"9223372036854775808"'), 'tlogEntries[0].logIndex should be a 64-bit integer'],
    ['a list that is an object', '{"verificationMaterial":{"tlogEntries":{}}}', 'tlogEntries should be an array, found an object'],
    ['more entries than any verifier reads', entryWith('', 1025), 'has 1025 elements, more than the limit of 1024'],
  ])('refuses %s on standard input', async (_, input, message) => {
    const { exitCode, stderr, stdout } = await inspect(input)
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('this is a bug')
  })

  it('stops reading standard input when it is interrupted', async () => {
    const controller = new AbortController()
    controller.abort(new Error('interrupted'))
    const { exitCode, stdout } = await runInspect(['-'], { signal: controller.signal, stdin: Uint8Array.of(0x7b) })
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
  })
})

describe('a file with a bundle on each line', () => {
  it('is a tree for each, in their order', async () => {
    const { exitCode, stdout } = await runInspect(['two.sigstore.jsonl'], { cwd: folder })
    const lines = stdout.split('\n')
    expect(exitCode).toBe(0)
    expect(lines.filter((line) => line.startsWith('- '))).toEqual(['- Bundle [0]:', '- Bundle [1]:'])
    expect(lines[1]).toBe('  - Bundle Media Type: application/vnd.dev.sigstore.bundle.v0.3+json')
    expect(lines.filter((line) => line.startsWith('    - Type: '))).toEqual(['    - Type: Message Signature', '    - Type: DSSE Envelope'])
  })

  it('is recognised on standard input, where it has no name', async () => {
    const named = await runInspect(['two.sigstore.jsonl'], { cwd: folder })
    expect(await inspect(`${blob.json}\r\n${attestation.json}\r\n`)).toEqual(named)
  })

  it('is printed like any bundle when it holds only one', async () => {
    expect((await runInspect(['one.sigstore.jsonl'], { cwd: folder })).stdout).toBe((await inspect(blob.json)).stdout)
  })

  it('is a JSON array, also when it holds only one', async () => {
    const { stdout } = await runInspect(['one.sigstore.jsonl', '-o', 'json'], { cwd: folder })
    expect(JSON.parse(stdout)).toEqual([JSON.parse((await inspect(blob.json, '-o', 'json')).stdout)])
  })

  it('is shown to its end when a line is broken, and fails then', async () => {
    const { exitCode, stdout, stderr } = await runInspect(['broken.sigstore.jsonl'], { cwd: folder })
    expect(exitCode).toBe(1)
    expect(stdout).toContain('  - Content:\n')
    expect(stdout).toContain('- Bundle [1]: (cannot be parsed: it is neither a Sigstore bundle')
    expect(stdout).toContain('- Bundle [2]: (cannot be parsed: the bundle is not valid JSON: expected ":"')
    expect(stderr).toContain('Error: the bundle broken.sigstore.jsonl was inspected in part: 2 of 3 lines hold no bundle\n')
  })

  it('says in JSON which line is broken', async () => {
    const { exitCode, stdout } = await inspect(`${blob.json}\n\n{"x":1}`, '-o', 'json')
    const [, broken] = JSON.parse(stdout) as object[]
    expect(exitCode).toBe(1)
    expect(broken).toEqual({ line: 3, problem: expect.stringMatching(/^it is neither a Sigstore bundle/) as string })
  })

  it('names the line in the error when only one is broken', async () => {
    expect((await inspect(`${blob.json}\n\n{"x":1}`)).stderr).toContain(
      'the bundle on standard input was inspected in part: line 3 holds no bundle',
    )
  })

  it('may not hold more than 1024', async () => {
    const { exitCode, stderr } = await inspect('{"messageSignature":{}}\n'.repeat(1025))
    expect(exitCode).toBe(1)
    expect(stderr).toContain('cannot be inspected: the file holds more than 1024 bundles')
  })
})

function entryWith(members: string, count = 1): string {
  return `{"verificationMaterial":{"tlogEntries":[${Array.from({ length: count }, () => `{${members}}`).join(',')}]}}`
}

function proofWith(hashes: string): string {
  return entryWith(`"inclusionProof":{"hashes":${hashes}}`)
}
