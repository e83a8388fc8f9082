import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeBundle } from '../../../../src/bundle/encode-bundle.ts'
import { generateSigner } from '../../../../src/crypto/private-key.ts'
import { encodePublicKeyPem, keyHint } from '../../../../src/crypto/public-key.ts'
import { encodeUtf8 } from '../../../../src/encoding/bytes.ts'
import { runCaptured } from '../captured-context.ts'

let folder = ''
const signer = generateSigner('ecdsa-p256')
const contents = encodeUtf8('contents\n')
const good = encodeBundle({
  content: { kind: 'message-signature', signature: signer.sign(contents), digest: undefined },
  keyMaterial: { kind: 'public-key', hint: keyHint(signer.publicKey) },
  logEntries: [],
  timestamps: [],
  format: '0.3',
})

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'countersign-bad-input-'))
  const put = (name: string, text: string | Uint8Array): void => writeFileSync(path.join(folder, name), text)
  put('artifact', contents)
  put('key.pub', encodePublicKeyPem(signer.publicKey))
  put('good.json', good)
  put('empty.json', '')
  put('truncated.json', good.slice(0, good.length / 2))
  put('media-type.json', good.replace('bundle.v0.3', 'bundle.v0.9'))
  put('no-media-type.json', '{"hello":1}')
  put(
    'two-contents.json',
    good.replace(
      '"messageSignature"',
      '"dsseEnvelope":{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AA=="}]},"messageSignature"',
    ),
  )
  put('no-content.json', `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"x"}}}`)
  put('unknown-field.json', good.replace('"messageSignature"', '"extra":1,"messageSignature"'))
  put('duplicate-key.json', good.replace('"messageSignature"', '"mediaType":"x","messageSignature"'))
  put('deep.json', '['.repeat(100_000))
  put('big-integer.json', '{"mediaType":9007199254740993}')
  put('not-utf8.json', Uint8Array.of(0x7b, 0xff, 0x7d))
  put('bad-base64.json', good.replace(/"signature":"(.)/, '"signature":"$1 '))
  put('private.pem', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n')
  put('huge.json', '')
  // Sparse: a gigabyte that takes no space.
  truncateSync(path.join(folder, 'huge.json'), 1_073_741_824)
  const mediaType = (name: string): string => `{"mediaType":"application/vnd.dev.sigstore.${name}+json"`
  put('root.json', `${mediaType('trustedroot.v0.1')}}`)
  put('roots.json', `${mediaType('trustedroot.v0.1')}}\n\n`.repeat(2))
  put('roots.jsonl', `${mediaType('trustedroot.v0.1')}}\n`.repeat(2))
  put('later-root.json', `${mediaType('trustedroot.v0.9')}}`)
  put('config.json', `${mediaType('signingconfig.v0.2')},"caUrls":[]}`)
  put('client-trust.json', `${mediaType('clienttrustconfig.v0.1')},"trustedRoot":{}}`)
  put('envelope.json', '{"payload":"e30=","payloadType":"x","signatures":[]}')
  put('statement.json', '{"_type":"https://in-toto.io/Statement/v1"}')
  put('1.root.json', '{"signatures":[],"signed":{"_type":"root"}}')
  put('local.json', '{"base64Signature":"AAAA"}')
  put('bundles.jsonl', `${good}\n${good}\n`)
  put('bad-root.json', '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[{}]}')
  mkdirSync(path.join(folder, 'directory'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const key = ['--key', 'key.pub', '--insecure-ignore-tlog']
const identity = ['--certificate-identity', 'dev@example.com', '--certificate-oidc-issuer', 'https://accounts.example.com']

/** Files that are neither a bundle nor a trusted root, and what is said that they are. */
const neither = [
  ['config.json', 'a signing config (which says what to sign with, and not whom to trust)'],
  ['client-trust.json', 'a client trust config (which has a trusted root in it)'],
  ['envelope.json', 'a DSSE envelope'],
  ['statement.json', 'an in-toto statement'],
  ['1.root.json', 'TUF metadata'],
] as const

/** What is wrong, the command line, and what the one sentence must say. */
const table: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'a missing bundle',
    ['artifact', '--bundle', 'absent.json', ...key],
    /^the bundle absent\.json cannot be read: no such file or directory$/,
  ],
  ['an empty bundle', ['artifact', '--bundle', 'empty.json', ...key], /^the bundle empty\.json is empty$/],
  [
    'a directory as the bundle',
    ['artifact', '--bundle', 'directory', ...key],
    /^the bundle directory is a directory, a file was expected$/,
  ],
  [
    'a bundle of 1 GB',
    ['artifact', '--bundle', 'huge.json', ...key],
    /^the bundle huge\.json is 1073741824 bytes long, more than the limit of 134217728$/,
  ],
  [
    'a truncated bundle',
    ['artifact', '--bundle', 'truncated.json', ...key],
    /truncated\.json cannot be used: the bundle is not valid JSON: /,
  ],
  [
    'a bundle of an unknown version',
    ['artifact', '--bundle', 'media-type.json', ...key],
    /mediaType should be that of a Sigstore bundle of version 0\.1, 0\.2 or 0\.3, found "application\/vnd\.dev\.sigstore\.bundle\.v0\.9\+json"$/,
  ],
  [
    'JSON that is no bundle',
    ['artifact', '--bundle', 'no-media-type.json', ...key],
    /neither a Sigstore bundle \(no mediaType of one\) nor a local bundle of cosign 1 or 2 \(no base64Signature\)$/,
  ],
  ...(
    [
      ['root.json', 'a trusted root (give it with --trusted-root)'],
      ['roots.json', 'a trusted root (give it with --trusted-root)'],
      ['roots.jsonl', 'a trusted root (give it with --trusted-root)'],
      ...neither,
    ] as const
  ).map(([file, found]): [string, string[], RegExp] => [
    `${file} for a bundle`,
    ['artifact', '--bundle', file, ...key],
    new RegExp(`^the bundle ${file} cannot be used: expected a Sigstore bundle, found ${found.replaceAll(/[()]/g, String.raw`\$&`)}$`),
  ]),
  ...(
    [
      ['good.json', 'a Sigstore bundle'],
      ['bundles.jsonl', 'a Sigstore bundle'],
      ['local.json', 'a local bundle of cosign 1 or 2'],
      ...neither,
    ] as const
  ).map(([file, found]): [string, string[], RegExp] => [
    `${file} for a trusted root`,
    ['artifact', '--bundle', 'good.json', ...key, '--trusted-root', file],
    new RegExp(
      `^setting trusted material: the trusted root ${file} cannot be used: expected a trusted root, found ${found.replaceAll(/[()]/g, String.raw`\$&`)}$`,
    ),
  ]),
  [
    'JSON that is no trusted root',
    ['artifact', '--bundle', 'good.json', ...key, '--trusted-root', 'no-media-type.json'],
    /^setting trusted material: the trusted root no-media-type\.json cannot be used: trustedRoot\.mediaType is missing$/,
  ],
  [
    'a trusted root of an unknown version',
    ['artifact', '--bundle', 'good.json', ...key, '--trusted-root', 'later-root.json'],
    /^setting trusted material: the trusted root later-root\.json cannot be used: .*of version 0\.1 or 0\.2, found "application\/vnd\.dev\.sigstore\.trustedroot\.v0\.9\+json"$/,
  ],
  [
    'a bundle with two contents',
    ['artifact', '--bundle', 'two-contents.json', ...key],
    /has two contents, messageSignature and dsseEnvelope, where exactly one was expected$/,
  ],
  [
    'a bundle without content',
    ['artifact', '--bundle', 'no-content.json', ...key],
    /has no content: messageSignature or dsseEnvelope was expected$/,
  ],
  ['a bundle with an unknown field', ['artifact', '--bundle', 'unknown-field.json', ...key], /has an unknown field "extra"$/],
  ['a bundle with a key twice', ['artifact', '--bundle', 'duplicate-key.json', ...key], /the key "mediaType" stands twice in one object/],
  ['JSON that is nested too deep', ['artifact', '--bundle', 'deep.json', ...key], /nested more than 100 levels deep/],
  ['an integer over 2^53', ['artifact', '--bundle', 'big-integer.json', ...key], /a number that a double cannot hold exactly/],
  ['a bundle that is not UTF-8', ['artifact', '--bundle', 'not-utf8.json', ...key], /it is not UTF-8 text$/],
  ['sloppy base64', ['artifact', '--bundle', 'bad-base64.json', ...key], /signature is not standard base64 with padding/],
  ['a missing artifact', ['absent', '--bundle', 'good.json', ...key], /^the artifact absent cannot be read: no such file or directory$/],
  [
    'a directory as the artifact',
    ['directory', '--bundle', 'good.json', ...key],
    /^the artifact directory is a directory, a file was expected$/,
  ],
  ['a digest of the wrong length', ['sha256:abcd', '--bundle', 'good.json', ...key], /^a sha256 digest has 32 bytes, found 2$/],
  ['no artifact', ['--bundle', 'good.json', ...key], /^accepts 1 arg\(s\), received 0$/],
  ['two artifacts', ['artifact', 'artifact', '--bundle', 'good.json', ...key], /^accepts 1 arg\(s\), received 2$/],
  [
    'a missing key',
    ['artifact', '--bundle', 'good.json', '--key', 'absent.pub', '--insecure-ignore-tlog'],
    /^the public key absent\.pub cannot be read: no such file or directory$/,
  ],
  [
    'a private key as the key',
    ['artifact', '--bundle', 'good.json', '--key', 'private.pem', '--insecure-ignore-tlog'],
    /loading public key: private\.pem does not hold a PEM public key: /,
  ],
  [
    'a key that is no PEM',
    ['artifact', '--bundle', 'good.json', '--key', 'artifact', '--insecure-ignore-tlog'],
    /loading public key: artifact does not hold a PEM public key: /,
  ],
  [
    'a key reference of an unknown kind',
    ['artifact', '--bundle', 'good.json', '--key', 'floppy://a', '--insecure-ignore-tlog'],
    /^loading key: there are no key references of the kind floppy:\/\/, give a file or one of .*env:\/\//,
  ],
  [
    'an unset key variable',
    ['artifact', '--bundle', 'good.json', '--key', 'env://ABSENT', '--insecure-ignore-tlog'],
    /the environment variable ABSENT is not set$/,
  ],
  [
    'a key and an identity',
    ['artifact', '--bundle', 'good.json', ...key, ...identity],
    /^exactly one of: key reference \(--key\) or certificate identity /,
  ],
  [
    'no identity',
    ['artifact', '--bundle', 'good.json'],
    /^--certificate-identity or --certificate-identity-regexp is required for verification in keyless mode$/,
  ],
  [
    'no issuer',
    ['artifact', '--bundle', 'good.json', ...identity.slice(0, 2)],
    /^--certificate-oidc-issuer or --certificate-oidc-issuer-regexp is required for verification in keyless mode$/,
  ],
  [
    'an identity for a bundle with a key',
    ['artifact', '--bundle', 'good.json', '--trusted-root', 'empty-root.json', ...identity],
    /the trusted root empty-root\.json cannot be read/,
  ],
  [
    'nothing to verify with',
    ['artifact'],
    /^provide a key with --key or --sk, a certificate to verify against with --certificate, or a bundle with --bundle \(there is no artifact\.sigstore\.json or artifact\.sigstore\)$/,
  ],
  [
    'a pattern that RE2 does not take',
    ['artifact', '--bundle', 'good.json', '--certificate-identity-regexp', '(?=x)', ...identity.slice(2)],
    /is not a regular expression in RE2 syntax$/,
  ],
  [
    'no workers',
    ['artifact', '--bundle', 'good.json', ...key, '--max-workers', '0'],
    /^please set the --max-worker flag to a value that is greater than 0$/,
  ],
  [
    'a key instead of a certificate beside a bundle',
    ['artifact', '--bundle', 'good.json', '--certificate', 'key.pub', ...identity],
    /^the certificate key\.pub cannot be used: /,
  ],
  [
    'an SCT beside a bundle',
    ['artifact', '--bundle', 'good.json', '--sct', 'key.pub', ...identity],
    /^unsupported: SCT may not be provided using --sct when using --new-bundle-format$/,
  ],
  [
    'a malformed trusted root',
    ['artifact', '--bundle', 'good.json', '--trusted-root', 'bad-root.json', ...identity],
    /trustedRoot\.tlogs\[0\]\.hashAlgorithm is missing$/,
  ],
  ['an unknown flag', ['artifact', '--bundel', 'good.json'], /^unknown flag: --bundel$/],
  [
    'an output that does not exist',
    ['artifact', '-o', 'xml'],
    /^invalid argument "xml" for "-o, --output" flag: must be one of "text", "json"$/,
  ],
]

describe('verify-blob, given', () => {
  for (const [what, words, sentence] of table) {
    it(`${what}, says so in one sentence and exits 1`, async () => {
      const { exitCode, stdout, stderr } = await runCaptured(['verify-blob', ...words], { cwd: folder })
      const messages = stderr.split('\n').filter((line) => line.startsWith('Error: '))
      expect(messages).toHaveLength(1)
      expect(messages[0]?.slice('Error: '.length)).toMatch(sentence)
      expect(stderr).not.toContain('    at ')
      expect(stderr).not.toContain('bug in countersign')
      expect(stdout).toBe('')
      expect(exitCode).toBe(1)
    })
  }

  it('the good bundle the table bends, verifies', async () => {
    const { exitCode, stderr } = await runCaptured(['verify-blob', 'artifact', '--bundle', 'good.json', ...key], { cwd: folder })
    expect(stderr).toContain('Verified OK\n')
    expect(exitCode).toBe(0)
  })
})
