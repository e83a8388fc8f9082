/** Whose identity `sign-blob` signs with, and what it does where nobody can sign in. */
import { describe, expect, it } from 'vitest'
import { createWorkspace, tokenOf } from './signing-workspace.ts'
import type { Workspace } from './signing-workspace.ts'
import { chmodSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createServer } from '../../../../src/server/index.ts'
import { runCaptured } from '../captured-context.ts'

const words = ['sign-blob', 'artifact', '--bundle', 'bundle.json', '--signing-config', 'config.json', '--trusted-root', 'root.json']

function sign(workspace: Workspace, env: Record<string, string>, more: readonly string[] = [], typed = false) {
  return workspace.run([...words, ...more], { env, typed })
}

it('takes the ambient token', async () => {
  const workspace = await createWorkspace()
  expect(await sign(workspace, { SIGSTORE_ID_TOKEN: tokenOf(workspace.universe) })).toMatchObject({ exitCode: 0 })
})

it('takes the ambient token in the token flow too', async () => {
  const workspace = await createWorkspace()
  const env = { SIGSTORE_ID_TOKEN: tokenOf(workspace.universe) }
  expect(await sign(workspace, env, ['--fulcio-auth-flow', 'token', '--oidc-provider', 'envvar'])).toMatchObject({ exitCode: 0 })
})

it('takes the token on the command line before the ambient one', async () => {
  const workspace = await createWorkspace()
  const outcome = await sign(workspace, { SIGSTORE_ID_TOKEN: 'nonsense' }, ['--identity-token', tokenOf(workspace.universe)])
  expect(outcome.exitCode).toBe(0)
})

it('takes the token from the environment of a flag', async () => {
  const workspace = await createWorkspace()
  expect(await sign(workspace, { COSIGN_IDENTITY_TOKEN: tokenOf(workspace.universe) })).toMatchObject({ exitCode: 0 })
})

describe('without a token', () => {
  it.each([
    [{ GITHUB_ACTIONS: 'true', CI: 'true' }, 'permissions: id-token: write'],
    [{ GITLAB_CI: 'true', CI: 'true' }, 'id_tokens: SIGSTORE_ID_TOKEN: aud: sigstore'],
    [{ CI: 'true' }, 'nobody can sign in there'],
  ])('in CI nobody is asked to sign in: %o', async (env, message) => {
    const workspace = await createWorkspace()
    const refused = await sign(workspace, env)
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.stderr).toContain(message)
    expect(workspace.services.requests).toEqual([])
  })

  it.each([
    [['--fulcio-auth-flow', 'nonsense'], 'unsupported oauth flow: "nonsense", expected normal, device, client_credentials or token'],
    [['--fulcio-auth-flow', 'token'], 'the token flow needs --identity-token'],
    [['--fulcio-auth-flow', 'client_credentials'], 'the client_credentials flow needs --oidc-client-secret-file'],
    [['--fulcio-auth-flow', 'client_credentials', '--oidc-client-secret-file', 'absent'], 'the client secret absent cannot be read'],
    [
      ['--fulcio-auth-flow', 'client_credentials', '--oidc-client-secret-file', 'blank'],
      'the client secret blank holds nothing but white space',
    ],
    [['--oidc-provider', 'nonsense'], 'there is no OIDC provider "nonsense", expected one of filesystem, envvar, github-actions,'],
    [['--oidc-provider', 'envvar'], 'SIGSTORE_ID_TOKEN should be set, and is not'],
    [['--oidc-provider', 'gitlab'], 'SIGSTORE_ID_TOKEN should be set, and is not'],
    [['--oidc-provider', 'github-actions'], 'lacks the permission id-token: write'],
    [['--oidc-provider', 'buildkite-agent'], 'BUILDKITE_AGENT_ACCESS_TOKEN is not set'],
    [
      ['--oidc-provider', 'spiffe', '--oidc-disable-ambient-providers'],
      '--oidc-provider names a source that --oidc-disable-ambient-providers',
    ],
    [['--oidc-provider', 'spiffe', '--fulcio-auth-flow', 'device'], '--oidc-provider names a source that --fulcio-auth-flow'],
    [['--identity-token', 'absent'], 'the identity token absent cannot be read'],
    [['--identity-token', '.'], 'the identity token . is a directory, a file was expected'],
    [['--identity-token', 'blank'], 'the identity token cannot be used: it is not a JSON Web Token of three parts'],
    [['--identity-token', 'large'], 'the identity token large is 70000 bytes long, more than the limit of 65536'],
    [['--identity-token', 'artifact'], 'the identity token cannot be used: it is not a JSON Web Token of three parts'],
    [['--identity-token', 'e30.e30.e30'], 'the identity token e30.e30.e30 cannot be read'],
  ])('%s says what is wrong in one sentence, and asks nobody', async (more, message) => {
    const workspace = await createWorkspace()
    writeFileSync(path.join(workspace.folder, 'blank'), ' \n')
    writeFileSync(path.join(workspace.folder, 'large'), 'x'.repeat(70_000))
    const before = workspace.written()
    const refused = await sign(workspace, {}, more)
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(/^Error: (.*)$/m.exec(refused.stderr)?.[1]).toContain(message)
    expect(workspace.services.requests).toEqual([])
    expect(workspace.written()).toEqual(before)
  })

  it.each([
    ['--oidc-redirect-url', 'https://evil.example/callback', 'the redirect URL (--oidc-redirect-url) should be an address of this machine'],
    ['--oidc-redirect-url', 'http://192.0.2.1/callback', 'the redirect URL (--oidc-redirect-url) should be an address of this machine'],
  ])('%s %s is no place to come back to', async (flag, value, message) => {
    const server = await createServer({ services: ['issuer', 'ca', 'ctlog', 'tsa', 'rekor-v2'] })
    const workspace = await createWorkspace()
    writeFileSync(path.join(workspace.folder, 'config.json'), server.signingConfig)
    writeFileSync(path.join(workspace.folder, 'root.json'), server.trustedRoot)
    try {
      const refused = await workspace.run([...words, '--yes', '--fulcio-auth-flow', 'normal', flag, value], { env: {}, now: Date.now() })
      expect(refused.exitCode).toBe(1)
      expect(refused.stderr).toContain(message)
    } finally {
      await server.close()
    }
  })

  it('in CI a token that was switched off is not said to be missing', async () => {
    const workspace = await createWorkspace()
    const refused = await sign(workspace, { GITHUB_ACTIONS: 'true' }, ['--oidc-disable-ambient-providers'])
    expect(refused.stderr).toContain('let it use the token it is offered, without --oidc-disable-ambient-providers')
    expect(refused.stderr).not.toContain('permission')
  })

  it('and without a terminal, the device flow is begun', async () => {
    const workspace = await createWorkspace()
    const refused = await sign(workspace, {})
    expect(refused.stderr).toContain('Non-interactive mode detected, using device flow.')
    // The universe has no issuer.
    expect(refused.stderr).toContain('signing in with "http://127.0.0.1:')
  })

  it('--oidc-disable-ambient-providers does not look for one', async () => {
    const workspace = await createWorkspace()
    const refused = await sign(workspace, { SIGSTORE_ID_TOKEN: tokenOf(workspace.universe) }, ['--oidc-disable-ambient-providers'])
    expect(refused.stderr).toContain('Non-interactive mode detected')
  })
})

it('signs in with the browser that BROWSER names, on a terminal, after it has asked', async () => {
  const server = await createServer({ services: ['issuer', 'ca', 'ctlog', 'tsa', 'rekor-v2'] })
  const workspace = await createWorkspace()
  writeFileSync(path.join(workspace.folder, 'config.json'), server.signingConfig)
  writeFileSync(path.join(workspace.folder, 'root.json'), server.trustedRoot)
  const secrets = { COSIGN_PASSWORD: 'geheim', GITHUB_TOKEN: 'geheim', VAULT_TOKEN: 'geheim', COSIGN_PKCS11_PIN: 'geheim' }
  // A browser that only looks: nobody signs in.
  const browser = path.join(workspace.folder, 'browser')
  writeFileSync(
    browser,
    `#!/bin/sh\nenv > '${path.join(workspace.folder, 'env')}'\nprintf %s "$1" > '${path.join(workspace.folder, 'address')}'\nexit 3\n`,
  )
  chmodSync(browser, 0o755)
  try {
    const outcome = await runCaptured([...words, '--timeout', '100s'], {
      cwd: workspace.folder,
      env: { BROWSER: browser, PATH: process.env['PATH'] ?? '', ...secrets, NO_PROXY: 'localhost' },
      typed: true,
      stdin: Buffer.from('y\n\n'),
      now: Date.now(),
    })
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toContain('Are you sure you would like to continue? [y/N] Your browser will now be opened to:\n')
    expect(outcome.stderr).toMatch(/Generating ephemeral keys\.\.\.\nRetrieving signed certificate\.\.\.\n[^]*Your browser will now/)
    expect(outcome.stderr).not.toContain('Successfully verified SCT')
    expect(workspace.read('address')).toContain(`${server.url}/oidc/`)
    expect(workspace.read('env')).toContain('NO_PROXY=localhost')
    expect(workspace.read('env')).not.toContain('geheim')
    expect(outcome.stderr).toContain('nobody signed in: no verification code was entered')
  } finally {
    await server.close()
  }
})

describe('the device flow', () => {
  // The code is entered by nobody: the test ends the command.
  it.each([
    [['--bundle', 'b.json'], 'stdout'],
    [['--bundle', 'b.json', '-o', 'json'], 'stderr'],
  ] as const)('says its code where nothing else goes (%s)', async (more, stream) => {
    const server = await createServer({ services: ['issuer'] })
    const workspace = await createWorkspace()
    const config = JSON.parse(workspace.read('config.json')) as { oidcUrls: { url: string }[] }
    for (const service of config.oidcUrls) service.url = `${server.url}/oidc`
    writeFileSync(path.join(workspace.folder, 'config.json'), JSON.stringify(config))
    try {
      const outcome = await workspace.run(
        ['sign-blob', 'artifact', ...more, '--signing-config', 'config.json', '--trusted-root', 'root.json', '--timeout', '6s'],
        { env: {} },
      )
      expect(outcome.exitCode).toBe(1)
      expect(outcome[stream]).toMatch(/^Enter the verification code [A-Z]{4}-[A-Z]{4} in your browser at: http/m)
      expect(outcome.stderr).toContain('the command did not finish within 6s')
    } finally {
      await server.close()
    }
  })
})
