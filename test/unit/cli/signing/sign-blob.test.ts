/** `sign-blob` from the command line to its files, against the services of a universe. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { generatePrivateKey } from '../../../../src/crypto/private-key.ts'
import { encodePublicKeyPem } from '../../../../src/crypto/public-key.ts'
import { paths, principal } from '../../../support/signing-services.ts'
import { artifact, createWorkspace, keyless, tokenIssuer, withInstance } from './signing-workspace.ts'
import type { Workspace } from './signing-workspace.ts'

const identity = ['--certificate-identity', principal, '--certificate-oidc-issuer', tokenIssuer]

function verify(workspace: Workspace, more: readonly string[] = [], blob = 'artifact') {
  return workspace.run(['verify-blob', blob, '--trusted-root', 'root.json', ...more])
}

describe('keyless, with a signing config', () => {
  for (const log of ['v1', 'v2'] as const) {
    it(`writes a bundle with a Rekor ${log} entry and a timestamp that verify-blob accepts`, async () => {
      const workspace = await createWorkspace({ log })
      const signed = await workspace.sign()
      expect(signed).toMatchObject({ exitCode: 0, stdout: '' })
      expect(signed.stderr).toContain('Wrote bundle to file bundle.json')
      expect(workspace.written()).toEqual(['bundle.json'])
      const bundle = JSON.parse(workspace.read('bundle.json')) as { verificationMaterial: Record<string, unknown[]> }
      expect(bundle.verificationMaterial['tlogEntries']).toHaveLength(1)
      expect(bundle.verificationMaterial['timestampVerificationData']).toMatchObject({ rfc3161Timestamps: [{}] })
      expect(await verify(workspace, ['--bundle', 'bundle.json', '--use-signed-timestamps', ...identity])).toMatchObject({ exitCode: 0 })
    })
  }

  it('sends the token to the certificate authority alone, and shows it nowhere', async () => {
    const workspace = await createWorkspace()
    const signed = await workspace.sign(['--verbose'])
    const token = workspace.read('token').trim()
    expect(workspace.services.received.filter(({ authorization }) => authorization !== '')).toMatchObject([
      { path: paths.certificate, authorization: `Bearer ${token}` },
    ])
    expect(workspace.services.received.some(({ body }) => body.includes(token))).toBe(false)
    expect(signed.stdout + signed.stderr + workspace.read('bundle.json')).not.toContain(token.split('.')[1])
  })

  it('says what cosign says', async () => {
    const workspace = await createWorkspace()
    const { stderr } = await workspace.sign()
    expect(stderr.split('\n')).toEqual([
      'Using payload from: artifact',
      'Generating ephemeral keys...',
      'Retrieving signed certificate...',
      'Successfully verified SCT...',
      'tlog entry created with index: 1000003',
      'Wrote bundle to file bundle.json',
      '',
    ])
  })

  it.each(['sign-blob', 'attest-blob'])(
    '%s: the name of a file is one line, and does nothing to a terminal or to the log of a job',
    async (verb) => {
      const workspace = await createWorkspace()
      const name = 'a\n::stop-commands::x\u001b[2J'
      writeFileSync(path.join(workspace.folder, name), 'x')
      writeFileSync(path.join(workspace.folder, 'p.json'), '{}')
      const more = verb === 'sign-blob' ? [] : ['--predicate', 'p.json', '--type', 'https://example.com/p']
      const words = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '--identity-token', 'token']
      const { exitCode, stderr } = await workspace.run([verb, name, ...more, '--bundle', `${name}.json`, ...words])
      expect(exitCode, stderr).toBe(0)
      expect(stderr).toContain('Using payload from: a\\n::stop-commands::x\\x1b[2J\n')
      expect(stderr).toContain('Wrote bundle to file a\\n::stop-commands::x\\x1b[2J.json\n')
      expect(stderr).not.toMatch(/^::|\u001b/m)
    },
  )

  it('prints the evidence as JSON', async () => {
    const workspace = await createWorkspace()
    const { stdout } = await workspace.sign(['-o', 'json'])
    expect(JSON.parse(stdout)).toMatchObject({
      signed: true,
      signer: { kind: 'certificate', identity: principal, issuer: tokenIssuer },
      logEntries: [{ kind: 'hashedrekord', version: '0.0.1' }],
      files: [{ kind: 'bundle', path: 'bundle.json' }],
    })
  })

  it('writes files that only the user may read, and keeps the mode of one that is there', async () => {
    const workspace = await createWorkspace()
    const file = path.join(workspace.folder, 'bundle.json')
    await workspace.sign()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    writeFileSync(file, 'old', { mode: 0o644 })
    const { chmodSync } = await import('node:fs')
    chmodSync(file, 0o644)
    await workspace.sign()
    expect(statSync(file).mode & 0o777).toBe(0o644)
    expect(workspace.read('bundle.json')).toContain('mediaType')
  })

  it('signs standard input', async () => {
    const workspace = await createWorkspace()
    expect(await workspace.sign([], { stdin: Buffer.from(artifact) }, '-')).toMatchObject({ exitCode: 0 })
    expect(await verify(workspace, ['--bundle', 'bundle.json', ...identity])).toMatchObject({ exitCode: 0 })
  })

  it('signs a file that is too long to be held', async () => {
    const workspace = await createWorkspace()
    writeFileSync(path.join(workspace.folder, 'long'), Buffer.alloc(9 * 1024 * 1024 + 5, 7))
    expect(await workspace.sign([], {}, 'long')).toMatchObject({ exitCode: 0 })
    expect(await verify(workspace, ['--bundle', 'bundle.json', ...identity], 'long')).toMatchObject({ exitCode: 0 })
  })

  for (const algorithm of ['ecdsa-sha2-384-nistp384', 'rsa-sign-pkcs1-2048-sha256']) {
    for (const log of ['v1', 'v2'] as const) {
      it(`makes a key for ${algorithm}, which Rekor ${log} takes`, async () => {
        const workspace = await createWorkspace({ log })
        expect(await workspace.sign(['--signing-algorithm', algorithm])).toMatchObject({ exitCode: 0 })
        expect(await verify(workspace, ['--bundle', 'bundle.json', ...identity])).toMatchObject({ exitCode: 0 })
      })
    }
  }

  it('refuses an algorithm that it does not know, before it asks anybody anything', async () => {
    const workspace = await createWorkspace()
    const refused = await workspace.sign(['--signing-algorithm', 'md5'])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('invalid signing algorithm: md5. Supported algorithms are: ecdsa-sha2-256-nistp256')
    expect(workspace.services.requests).toEqual([])
  })
})

describe('several blobs', () => {
  const common = ['--identity-token', 'token', '--signing-config', 'config.json', '--trusted-root', 'root.json']

  it('get a bundle each, with one certificate', async () => {
    const workspace = await createWorkspace()
    writeFileSync(path.join(workspace.folder, 'second'), 'second')
    expect(await workspace.run(['sign-blob', 'artifact', 'second', ...common])).toMatchObject({ exitCode: 0 })
    expect(workspace.written()).toEqual(['artifact.sigstore.json', 'second', 'second.sigstore.json'])
    expect(workspace.services.requests.filter((request) => request.endsWith(paths.certificate))).toHaveLength(1)
    for (const blob of ['artifact', 'second']) expect(await verify(workspace, identity, blob)).toMatchObject({ exitCode: 0 })
  })

  it('have their signatures printed for a script, a line for each in their order, as with cosign 1 and 2', async () => {
    const workspace = await createWorkspace()
    writeFileSync(path.join(workspace.folder, 'second'), 'second')
    const { stdout } = await workspace.run(['sign-blob', 'second', 'artifact', ...common])
    const inBundle = (blob: string): string =>
      (JSON.parse(workspace.read(`${blob}.sigstore.json`)) as { messageSignature: { signature: string } }).messageSignature.signature
    expect(stdout).toBe(`${inBundle('second')}\n${inBundle('artifact')}\n`)
  })

  it('are logged where a printed signature can be found by searching, if there is such a log', async () => {
    const log = (apiVersion: number, url: string, start: string) => ({
      url,
      majorApiVersion: apiVersion,
      operator: url,
      validFor: { start },
    })
    const workspace = await createWorkspace()
    const { url } = workspace.services
    const both = (config: Record<string, unknown>) =>
      void (config['rekorTlogUrls'] = [log(2, url, '2021-01-01T00:00:00Z'), log(1, url, '2020-01-01T00:00:00Z')])
    writeFileSync(path.join(workspace.folder, 'config.json'), workspace.services.signingConfig('v1', both))
    writeFileSync(path.join(workspace.folder, 'second'), 'second')
    const asked = (): string[] => workspace.services.requests.splice(0).filter((request) => request.endsWith('/log/entries'))
    expect(await workspace.run(['sign-blob', 'artifact', 'second', ...common])).toMatchObject({ exitCode: 0 })
    expect(asked()).toEqual([`POST ${paths.rekorV1}`, `POST ${paths.rekorV1}`])
    expect(await workspace.run(['sign-blob', 'artifact', 'second', ...common], { columns: 120 })).toMatchObject({ exitCode: 0 })
    expect(asked()).toEqual([`POST ${paths.rekorV2}`, `POST ${paths.rekorV2}`])
  })

  it.each([
    ['somebody looks at a terminal', [], { columns: 120 }],
    ['they have their own folder', ['--bundle', 'signatures'], {}],
    ['they are those of a folder', ['--recursive'], {}],
  ])('have no signatures printed where %s', async (_, words, surroundings) => {
    const workspace = await createWorkspace()
    writeFileSync(path.join(workspace.folder, 'second'), 'second')
    mkdirSync(path.join(workspace.folder, 'signatures'))
    const signed = await workspace.run(['sign-blob', 'artifact', 'second', ...words, ...common], surroundings)
    expect(signed).toMatchObject({ exitCode: 0, stdout: '' })
  })

  it('may have them in a folder', async () => {
    const workspace = await createWorkspace()
    writeFileSync(path.join(workspace.folder, 'second'), 'second')
    mkdirSync(path.join(workspace.folder, 'signatures'))
    expect(await workspace.run(['sign-blob', 'artifact', 'second', '--bundle', 'signatures', ...common])).toMatchObject({ exitCode: 0 })
    expect(await verify(workspace, ['--bundle', 'signatures/second.sigstore.json', ...identity], 'second')).toMatchObject({ exitCode: 0 })
  })

  it.each([
    [['--bundle', 'one.json'], '--bundle names the file one.json, and 2 blobs are signed'],
    [['--output-signature', 'one.sig'], '--output-signature names one file, and 2 blobs are signed'],
    [['--output-certificate', 'one.pem'], '--output-certificate names one file'],
  ])('cannot share a file (%s)', async (words, message) => {
    const workspace = await createWorkspace()
    writeFileSync(path.join(workspace.folder, 'second'), 'second')
    const refused = await workspace.run(['sign-blob', 'artifact', 'second', ...words, ...common])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(message)
    expect(workspace.services.requests).toEqual([])
  })
})

describe('with a key', () => {
  const password = { COSIGN_PASSWORD: 'geheim' }

  async function withKey(workspace: Workspace, kind: Parameters<typeof generatePrivateKey>[0] = 'ecdsa-p256'): Promise<void> {
    const key = generatePrivateKey(kind)
    writeFileSync(path.join(workspace.folder, 'signer.key'), key.encodePem())
    writeFileSync(path.join(workspace.folder, 'signer.pub'), encodePublicKeyPem(key.publicKey))
    const { encryptPrivateKey } = await import('../../../../src/crypto/encrypted-private-key.ts')
    writeFileSync(path.join(workspace.folder, 'cosign.key'), await encryptPrivateKey(key, Buffer.from('geheim')))
  }

  it('and no log, asks nobody anything', async () => {
    const workspace = await createWorkspace()
    await withKey(workspace)
    const signed = await workspace.run(['sign-blob', 'artifact', '--key', 'cosign.key', '--tlog-upload=false', '--bundle', 'b.json'], {
      env: password,
    })
    expect(signed.exitCode).toBe(0)
    expect(workspace.services.requests).toEqual([])
    expect(
      await workspace.run(['verify-blob', 'artifact', '--bundle', 'b.json', '--key', 'signer.pub', '--insecure-ignore-tlog']),
    ).toMatchObject({ exitCode: 0 })
  })

  it.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'] as const)(
    'of the kind %s, is logged and timestamped by both Rekors',
    async (kind) => {
      for (const log of ['v1', 'v2'] as const) {
        const workspace = await createWorkspace({ log })
        await withKey(workspace, kind)
        const words = ['sign-blob', 'artifact', '--key', 'signer.key', '--bundle', 'b.json', ...withInstance]
        expect(await workspace.run(words)).toMatchObject({ exitCode: 0 })
        expect(await verify(workspace, ['--bundle', 'b.json', '--key', 'signer.pub'])).toMatchObject({ exitCode: 0 })
      }
    },
  )

  it('in an environment variable', async () => {
    const workspace = await createWorkspace()
    await withKey(workspace)
    const env = { ...password, RELEASE_KEY: workspace.read('cosign.key') }
    expect(
      await workspace.run(['sign-blob', 'artifact', '--key', 'env://RELEASE_KEY', '--tlog-upload=false', '--bundle', 'b.json'], { env }),
    ).toMatchObject({ exitCode: 0 })
  })

  it('asks for its password on a terminal, and does not show it', async () => {
    const workspace = await createWorkspace()
    await withKey(workspace)
    const words = ['sign-blob', 'artifact', '--key', 'cosign.key', '--tlog-upload=false', '--bundle', 'b.json']
    const signed = await workspace.run(words, { typed: true, stdin: Buffer.from('geheim\n') })
    expect(signed.exitCode).toBe(0)
    expect(signed.stderr).toContain('Enter password for private key: \n')
    expect(signed.stderr).not.toContain('geheim')
  })

  it('takes piped input for the password, as a whole', async () => {
    const workspace = await createWorkspace()
    await withKey(workspace)
    const words = ['sign-blob', 'artifact', '--key', 'cosign.key', '--tlog-upload=false', '--bundle', 'b.json']
    expect(await workspace.run(words, { stdin: Buffer.from('geheim') })).toMatchObject({ exitCode: 0 })
    expect(await workspace.run(words, { stdin: Buffer.from('geheim\n') })).toMatchObject({ exitCode: 1 })
  })

  it.each([
    [
      ['--key', 'cosign.key'],
      { COSIGN_PASSWORD: 'falsch' },
      'reading key cosign.key: decrypt: encrypted: decryption failed: the password is wrong',
    ],
    [['--key', 'missing.key'], {}, 'the key missing.key cannot be read: no such file or directory'],
    [['--key', 'signer.pub'], {}, 'reading key signer.pub: unsupported private key'],
    [['--key', 'artifact'], {}, 'reading key artifact: invalid pem block'],
    [['--key', 'env://NOWHERE'], {}, 'the environment variable NOWHERE is not set'],
    [['--key', 'floppy://a'], {}, 'there are no key references of the kind floppy://'],
    [['--key', 'github://owner/repo'], {}, 'GitHub gives out secrets to workflows only'],
    [['--sk'], {}, 'hardware tokens (--sk) are not supported'],
    [['--key', 'cosign.key', '--sk'], {}, 'at most one of'],
  ])('says in one sentence what is wrong: %s', async (words, env, message) => {
    const workspace = await createWorkspace()
    await withKey(workspace)
    const before = workspace.written()
    const refused = await workspace.run(['sign-blob', 'artifact', '--tlog-upload=false', '--bundle', 'b.json', ...words], { env })
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(message)
    expect(refused.stderr).not.toContain('geheim')
    expect(workspace.written()).toEqual(before)
  })
})

describe('the outputs of cosign 1 and 2', () => {
  const common = ['--identity-token', 'token', '--use-signing-config=false', '--trusted-root', 'root.json', '--yes']
  const old = (workspace: Workspace) => [...common, '--fulcio-url', workspace.services.url, '--rekor-url', workspace.services.url]

  it('are a signature and a certificate in files of their own, both base64', async () => {
    const workspace = await createWorkspace()
    const signed = await workspace.run([
      'sign-blob',
      'artifact',
      '--output-signature',
      'a.sig',
      '--output-certificate',
      'a.pem',
      ...old(workspace),
    ])
    expect(signed).toMatchObject({ exitCode: 0, stdout: '' })
    expect(signed.stderr).toContain('Wrote signature to file a.sig\nWrote certificate to file a.pem\n')
    expect(workspace.read('a.sig')).toMatch(/^[A-Za-z0-9+/]+=*$/)
    expect(Buffer.from(workspace.read('a.pem'), 'base64').toString()).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
    const words = ['--signature', 'a.sig', '--certificate', 'a.pem', '--insecure-ignore-tlog', ...identity]
    expect(await verify(workspace, words)).toMatchObject({ exitCode: 0 })
  })

  it('are raw without --b64', async () => {
    const workspace = await createWorkspace()
    await workspace.run([
      'sign-blob',
      'artifact',
      '--b64=false',
      '--output-signature',
      'a.sig',
      '--output-certificate',
      'a.pem',
      ...old(workspace),
    ])
    expect(workspace.read('a.pem')).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
    expect(Buffer.from(workspace.read('a.sig'), 'latin1')[0]).toBe(0x30)
  })

  it('come beside a bundle when both are asked for', async () => {
    const workspace = await createWorkspace()
    await workspace.run(['sign-blob', 'artifact', '--bundle', 'a.json', '--output-signature', 'a.sig', ...old(workspace)])
    expect(workspace.written()).toEqual(['a.json', 'a.sig'])
    expect(workspace.read('a.json')).toContain(workspace.read('a.sig'))
  })

  it('are the signature on standard output when nothing is asked for', async () => {
    const workspace = await createWorkspace()
    const signed = await workspace.run(['sign-blob', 'artifact', ...old(workspace)])
    expect(signed.stdout).toMatch(/^[A-Za-z0-9+/]+=*\n$/)
    expect(workspace.written()).toEqual([])
  })

  it('are the local bundle with --new-bundle-format=false', async () => {
    const workspace = await createWorkspace()
    await workspace.run(['sign-blob', 'artifact', '--bundle', 'a.json', '--new-bundle-format=false', ...old(workspace)])
    expect(Object.keys(JSON.parse(workspace.read('a.json')) as object)).toEqual(['base64Signature', 'cert', 'rekorBundle'])
    expect(await verify(workspace, ['--bundle', 'a.json', ...identity])).toMatchObject({ exitCode: 0 })
  })

  it('have their timestamp in a file, and need a place for it', async () => {
    const workspace = await createWorkspace()
    const tsa = ['--timestamp-server-url', `${workspace.services.url}${paths.timestamp}`]
    const refused = await workspace.run(['sign-blob', 'artifact', '--output-signature', 'a.sig', ...tsa, ...old(workspace)])
    expect(refused.stderr).toContain('must use protobuf bundle or set timestamp output path')
    expect(workspace.services.requests).toEqual([])
    await workspace.run(['sign-blob', 'artifact', '--output-signature', 'a.sig', '--rfc3161-timestamp', 'a.tsr', ...tsa, ...old(workspace)])
    expect(JSON.parse(workspace.read('a.tsr'))).toHaveProperty('SignedRFC3161Timestamp')
  })

  it('need a log that can be searched, and say so', async () => {
    const workspace = await createWorkspace({ log: 'v2' })
    const words = ['sign-blob', 'artifact', '--output-signature', 'a.sig', ...keyless]
    const refused = await workspace.run(words)
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(
      'without --bundle the signature must be found by searching its log, which only Rekor v1 can, so give --bundle',
    )
    expect(workspace.services.requests).toEqual([])
  })
})

describe('what cannot be taken back', () => {
  const words = (workspace: Workspace) => [
    'sign-blob',
    'artifact',
    '--output-signature',
    'a.sig',
    '--identity-token',
    'token',
    '--trusted-root',
    'root.json',
    '--fulcio-url',
    workspace.services.url,
    '--rekor-url',
    workspace.services.url,
  ]

  it('is told and asked about', async () => {
    const workspace = await createWorkspace()
    const signed = await workspace.run(words(workspace), { stdin: Buffer.from('y\n') })
    expect(signed.exitCode).toBe(0)
    expect(signed.stderr).toContain('Note that there may be personally identifiable information associated with this signed artifact.')
    expect(signed.stderr).toContain('Are you sure you would like to continue? [y/N] ')
  })

  it.each([
    ['n\n', 'user declined the prompt', false],
    ['\n', 'user declined the prompt', false],
    ['perhaps\n', 'invalid input "perhaps" (allowed values y, n)', false],
    ['n\n', 'user declined the prompt', true],
    ['', 'user declined the prompt', true],
  ])('is not done after the answer %j: %s, at a terminal: %s', async (answer, message, typed) => {
    const workspace = await createWorkspace()
    const refused = await workspace.run(words(workspace), { stdin: Buffer.from(answer), typed })
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(message)
    expect(workspace.services.requests).toEqual([])
    expect(workspace.written()).toEqual([])
  })

  it('is not asked about with --yes, nor with a signing config and a bundle', async () => {
    const workspace = await createWorkspace()
    expect((await workspace.run([...words(workspace), '--yes'])).stderr).not.toContain('Are you sure')
    expect((await workspace.sign()).stderr).not.toContain('Are you sure')
    // cosign 3 does not ask here either.
    const local = await workspace.sign(['--new-bundle-format=false'])
    expect(local).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('Are you sure') as string })
    expect(workspace.read('bundle.json')).toContain('base64Signature')
  })

  it('cannot be asked about on the input that is signed', async () => {
    const workspace = await createWorkspace()
    const refused = await workspace.run(
      words(workspace).map((word) => (word === 'artifact' ? '-' : word)),
      { stdin: Buffer.from('y\n'), typed: true },
    )
    expect(refused.stderr).toContain('standard input is what is signed, so nothing can be asked there: give --yes')
    expect(workspace.services.requests).toEqual([])
  })

  describe('is told, and done, where nobody can answer, as with cosign 1 and cosign 3', () => {
    const notice = 'Note that there may be personally identifiable information associated with this signed artifact.'

    it.each([
      ['a job without standard input', {}],
      [
        'a variable of cosign 1, with which it reads nothing',
        { stdin: Buffer.from('the rest of a script\n'), env: { COSIGN_EXPERIMENTAL: '1' } },
      ],
    ])('%s', async (_, surroundings) => {
      const workspace = await createWorkspace()
      const signed = await workspace.run(words(workspace), surroundings)
      expect(signed, signed.stderr).toMatchObject({ exitCode: 0 })
      expect(signed.stderr).toContain(notice)
      expect(signed.stderr).not.toContain('Are you sure')
      expect(workspace.written()).toContain('a.sig')
    })

    it('a pipe that has nothing more, after the password for example', async () => {
      const workspace = await createWorkspace()
      const signed = await workspace.run(words(workspace), { stdin: new Uint8Array(0) })
      expect(signed, signed.stderr).toMatchObject({ exitCode: 0 })
      expect(signed.stderr).toContain(notice)
      expect(signed.stderr).toContain('Nobody answers here: going on, as with --yes\n')
    })

    it('a loop that has its files on standard input, with a key: none of them is taken for an answer', async () => {
      const workspace = await createWorkspace()
      writeFileSync(path.join(workspace.folder, 'signer.key'), generatePrivateKey('ecdsa-p256').encodePem())
      const keyed = words(workspace).toSpliced(4, 2, '--key', 'signer.key')
      const signed = await workspace.run(keyed, { stdin: Buffer.from('next.tgz\n') })
      expect(signed, signed.stderr).toMatchObject({ exitCode: 0 })
      expect(signed.stderr).toContain(notice)
      const typed = await workspace.run(keyed, { stdin: Buffer.from('n\n'), typed: true })
      expect(typed.stderr).toContain('user declined the prompt')
    })

    it('standard input that is signed', async () => {
      const workspace = await createWorkspace()
      const signed = await workspace.run(
        words(workspace).map((word) => (word === 'artifact' ? '-' : word)),
        { stdin: Buffer.from(artifact) },
      )
      expect(signed, signed.stderr).toMatchObject({ exitCode: 0 })
      expect(signed.stderr).toContain(notice)
    })
  })
})

describe('flags that contradict each other', () => {
  it.each([
    [['--rekor-url', 'http://127.0.0.1:9'], 'cannot specify service URLs and use signing config'],
    [['--tlog-upload=false'], '--tlog-upload=false is not supported with --signing-config'],
    [['--use-signing-config'], 'if any flags in the group [use-signing-config signing-config] are set none of the others can be'],
  ])('%s', async (more, message) => {
    const workspace = await createWorkspace()
    const refused = await workspace.sign(more)
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(message)
    expect(workspace.services.requests).toEqual([])
  })
})
