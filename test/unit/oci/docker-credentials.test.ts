import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { dockerCredentials, homeFolder } from '../../../src/oci/docker-credentials.ts'
import { keepCredentials } from '../../../src/oci/docker-login.ts'
import { parseRepository } from '../../../src/oci/reference.ts'

const pack = (text: string): string => Buffer.from(text).toString('base64')
const alice = { kind: 'password', username: 'alice', password: 'secret' }
const entry = { auth: pack('alice:secret') }

interface Home {
  readonly folder: string
  readonly env: Record<string, string>
  readonly file: string
}

function homeWith(config?: unknown): Home {
  const folder = mkdtempSync(path.join(tmpdir(), 'home-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, '.docker', 'config.json')
  if (config !== undefined) {
    mkdirSync(path.dirname(file))
    writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config))
  }
  return { folder, env: { PATH: `${folder}:/usr/bin:/bin` }, file }
}

function ask({ folder, env }: Home, name: string) {
  return dockerCredentials(parseRepository(name), { env, home: folder })
}

/** A helper that is a shell script. */
function helper(home: Home, name: string, script: string): void {
  const file = path.join(home.folder, `docker-credential-${name}`)
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
}

describe('credentials that docker login has left', () => {
  it.each([
    ['ghcr.io', 'ghcr.io/org/app'],
    ['https://ghcr.io', 'ghcr.io/org/app'],
    ['https://ghcr.io/v2/', 'ghcr.io/org/app'],
    ['localhost:5000', 'localhost:5000/app'],
    ['https://index.docker.io/v1/', 'alpine'],
    ['docker.io', 'org/app'],
    ['ghcr.io/org', 'ghcr.io/org/app'],
    ['ghcr.io/org/app', 'ghcr.io/org/app'],
  ])('for %s are those of %s', async (key, name) => {
    expect(await ask(homeWith({ auths: { [key]: entry } }), name)).toEqual(alice)
  })

  it.each([
    ['ghcr.io', 'ghcr.io.evil.example/app'],
    ['ghcr.io', 'evil-ghcr.io/app'],
    ['ghcr.io', 'ghcr.io:8443/app'],
    ['localhost:5000', 'localhost:5001/app'],
    ['ghcr.io/org', 'ghcr.io/organisation/app'],
    ['https://index.docker.io/v1/', 'docker.io.example/app'],
    ['example', 'sub.example/app'],
  ])('for %s are not those of %s', async (key, name) => {
    expect(await ask(homeWith({ auths: { [key]: entry } }), name)).toBeUndefined()
  })

  it('of the repository come before those of its registry', async () => {
    const auths = { 'ghcr.io': { auth: pack('bob:other') }, 'ghcr.io/org': entry }
    expect(await ask(homeWith({ auths }), 'ghcr.io/org/app')).toEqual(alice)
    expect(await ask(homeWith({ auths }), 'ghcr.io/team/app')).toMatchObject({ username: 'bob' })
  })

  it.each([
    [{ username: 'alice', password: 'secret' }, alice],
    [{ auth: pack('alice:se:cret') }, { ...alice, password: 'se:cret' }],
    [{ auth: pack('<token>:identity') }, { kind: 'identity-token', token: 'identity' }],
    [
      { auth: pack('alice:secret'), identitytoken: 'identity' },
      { kind: 'identity-token', token: 'identity' },
    ],
    [{ registrytoken: 'ready' }, { kind: 'registry-token', token: 'ready' }],
    [{}, undefined],
    [{ auth: '' }, undefined],
  ])('may be written as %j', async (written, expected) => {
    expect(await ask(homeWith({ auths: { 'ghcr.io': written } }), 'ghcr.io/app')).toEqual(expected)
  })

  it('are read from DOCKER_CONFIG, else REGISTRY_AUTH_FILE, else podman’s file', async () => {
    const home = homeWith()
    const podman = path.join(home.folder, 'containers', 'auth.json')
    mkdirSync(path.dirname(podman))
    writeFileSync(podman, JSON.stringify({ auths: { 'ghcr.io': { auth: pack('podman:x') } } }))
    home.env['XDG_RUNTIME_DIR'] = home.folder
    expect(await ask(home, 'ghcr.io/app')).toMatchObject({ username: 'podman' })
    home.env['REGISTRY_AUTH_FILE'] = path.join(home.folder, 'auth.json')
    writeFileSync(home.env['REGISTRY_AUTH_FILE'], JSON.stringify({ auths: { 'ghcr.io': { auth: pack('file:x') } } }))
    expect(await ask(home, 'ghcr.io/app')).toMatchObject({ username: 'file' })
    home.env['DOCKER_CONFIG'] = path.join(home.folder, 'elsewhere')
    mkdirSync(home.env['DOCKER_CONFIG'])
    writeFileSync(path.join(home.env['DOCKER_CONFIG'], 'config.json'), JSON.stringify({ auths: { 'ghcr.io': entry } }))
    expect(await ask(home, 'ghcr.io/app')).toEqual(alice)
  })

  it.each([
    'hello',
    '[]',
    '{"auths":[]}',
    '{"auths":{"ghcr.io":"x"}}',
    '{"auths":{"ghcr.io":{"auth":"%%"}}}',
    '{"credHelpers":{"ghcr.io":5}}',
  ])('in a file like %s are an error', async (config) => {
    await expect(ask(homeWith(config), 'ghcr.io/app')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })

  it.each([
    '{"auths":{"ghcr.io":"hunter2"}}',
    '{"auths":"hunter2"}',
    '{"auths":{"ghcr.io":{"auth":"hunter2!"}}}',
    '{"auths":{"ghcr.io":{"auth":hunter2}}}',
  ])('%s is refused without a word of what may be a password', async (config) => {
    await expect(ask(homeWith(config), 'ghcr.io/app')).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.not.stringContaining('hunter2') as string,
    })
  })
})

describe('a credential helper', () => {
  it('is asked for its registry, on standard input', async () => {
    const home = homeWith({ credHelpers: { 'ghcr.io': 'test' }, credsStore: 'absent' })
    helper(home, 'test', 'read server; [ "$1 $server" = "get ghcr.io" ] && echo \'{"ServerURL":"x","Username":"alice","Secret":"secret"}\'')
    expect(await ask(home, 'ghcr.io/app')).toEqual(alice)
  })

  it('that keeps everything is asked where the file has nothing, for Docker Hub by its old name', async () => {
    const home = homeWith({ auths: { 'ghcr.io': {} }, credsStore: 'test' })
    helper(home, 'test', 'read server; echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"$server\\"}"')
    expect(await ask(home, 'ghcr.io/app')).toEqual({ kind: 'identity-token', token: 'ghcr.io' })
    expect(await ask(home, 'alpine')).toEqual({ kind: 'identity-token', token: 'https://index.docker.io/v1/' })
  })

  it('that knows nothing is no error', async () => {
    const home = homeWith({ credsStore: 'test' })
    helper(home, 'test', 'echo "credentials not found in native keychain"; exit 1')
    expect(await ask(home, 'ghcr.io/app')).toBeUndefined()
  })

  it.each([
    ['echo secret-word; exit 3', 'it ended with status 3'],
    ['echo secret-word', 'it answered what is not JSON of credentials'],
    ['echo \'{"Username":"secret-word","Secret":5}\'', 'it answered what is not JSON of credentials'],
  ])('that does %j is named, and nothing that it said is repeated', async (script, reason) => {
    const home = homeWith({ credsStore: 'test' })
    helper(home, 'test', script)
    const failed = ask(home, 'ghcr.io/app')
    await expect(failed).rejects.toThrow(reason)
    await expect(failed).rejects.not.toThrow('secret-word')
  })

  it.each(['exec yes', 'yes; true'])('whose answer has no end is stopped: %s', async (script) => {
    const home = homeWith({ credsStore: 'test' })
    helper(home, 'test', script)
    await expect(ask(home, 'ghcr.io/app')).rejects.toMatchObject({ code: 'SERVICE_REFUSED' })
  })

  it('is not looked for where one works, whatever PATH says', async () => {
    const home = homeWith({ credsStore: 'test' })
    helper(home, 'test', 'echo \'{"Username":"mallory","Secret":"x"}\'')
    const PATH = `${path.relative(process.cwd(), home.folder)}:/usr/bin:/bin`
    const asked = dockerCredentials(parseRepository('ghcr.io/app'), { env: { PATH }, home: home.folder })
    await expect(asked).rejects.toThrow('it is not on PATH')
  })

  it('that is not there is named', async () => {
    await expect(ask(homeWith({ credsStore: 'absent' }), 'ghcr.io/app')).rejects.toThrow('docker-credential-absent')
  })

  it.each(['../evil', '/bin/sh', 'a b', '-x', 'a;b', 'a/b', '.'])('named %j is not run', async (name) => {
    await expect(ask(homeWith({ credsStore: name }), 'ghcr.io/app')).rejects.toThrow('that is not the name of a helper')
  })
})

describe('credentials that are kept', () => {
  const keep = (home: Home, registry = 'ghcr.io') =>
    keepCredentials(registry, { username: 'alice', password: 'secret' }, { env: home.env, home: home.folder })

  it('are found again, and only the user can read them', async () => {
    const home = homeWith()
    expect(await keep(home)).toEqual({ file: home.file, helper: undefined })
    expect(statSync(home.file).mode & 0o777).toBe(0o600)
    expect(await ask(home, 'ghcr.io/app')).toEqual(alice)
    await keep(home, 'index.docker.io')
    expect(await ask(home, 'alpine')).toEqual(alice)
  })

  it('leave everything else as it is', async () => {
    const home = homeWith({ auths: { 'quay.io': { auth: pack('bob:x') } }, HttpHeaders: { 'X-Y': 'z' }, psFormat: 'table' })
    await keep(home)
    expect(JSON.parse(readFileSync(home.file, 'utf8'))).toEqual({
      auths: { 'quay.io': { auth: pack('bob:x') }, 'ghcr.io': entry },
      HttpHeaders: { 'X-Y': 'z' },
      psFormat: 'table',
    })
  })

  it('are written to where a link leads, and the link stays', async () => {
    const home = homeWith('{}')
    const real = path.join(home.folder, 'dotfiles.json')
    writeFileSync(real, '{"psFormat":"x"}')
    rmSync(home.file)
    symlinkSync(real, home.file)
    await keep(home)
    expect(JSON.parse(readFileSync(real, 'utf8'))).toEqual({ psFormat: 'x', auths: { 'ghcr.io': entry } })
  })

  it('go to the helper that the file names, and not into the file', async () => {
    const home = homeWith({ credsStore: 'test' })
    helper(home, 'test', `cat > ${home.folder}/stored`)
    expect(await keep(home)).toEqual({ file: home.file, helper: 'test' })
    expect(JSON.parse(readFileSync(path.join(home.folder, 'stored'), 'utf8'))).toEqual({
      ServerURL: 'ghcr.io',
      Username: 'alice',
      Secret: 'secret',
    })
    expect(readFileSync(home.file, 'utf8')).not.toContain(pack('alice:secret'))
  })

  it('that a helper does not take are an error, and the file stays', async () => {
    const home = homeWith({ credsStore: 'test' })
    helper(home, 'test', 'exit 1')
    const before = readFileSync(home.file, 'utf8')
    await expect(keep(home)).rejects.toMatchObject({ code: 'SERVICE_REFUSED' })
    expect(readFileSync(home.file, 'utf8')).toBe(before)
  })

  it('do not replace a file that cannot be understood', async () => {
    for (const text of ['{', '[]', '{"credsStore":5}']) {
      const home = homeWith(text)
      await expect(keep(home)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
      expect(readFileSync(home.file, 'utf8')).toBe(text)
    }
  })
})

describe('the home folder', () => {
  it('is never the current one, where anybody may have left a .docker folder', () => {
    expect(homeFolder({ HOME: '/home/alice', USERPROFILE: '/other' })).toBe('/home/alice')
    for (const env of [{}, { HOME: '' }, { HOME: '', USERPROFILE: '' }]) expect(path.isAbsolute(homeFolder(env))).toBe(true)
  })
})
