/** Where the clouds' SDKs ask, with whose credentials, and what is said when they have none; and signing files with keys in clouds. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fetchPublicKey, openKey } from '../../../src/keys/key-reference.ts'
import type { KeyStoreOptions } from '../../../src/keys/key-store.ts'
import type { InternetAnswer, InternetRequest } from '../../support/internet.ts'
import { startInternet } from '../../support/internet.ts'
import { azureStore } from '../../support/key-stores/azure.ts'
import { googleStore } from '../../support/key-stores/google.ts'
import { spkiOf, testKey } from '../../support/key-stores/holder.ts'
import { runCaptured } from '../cli/captured-context.ts'

interface World {
  readonly options: KeyStoreOptions
  readonly requests: InternetRequest[]
}

async function world(
  hosts: readonly string[],
  env: Record<string, string>,
  answer: (request: InternetRequest) => InternetAnswer,
): Promise<World> {
  const requests: InternetRequest[] = []
  const internet = await startInternet(hosts, (request) => {
    requests.push(request)
    return answer(request)
  })
  onTestFinished(() => internet.close())
  return { options: { env: { ...internet.env, ...env }, cwd: '/', password: () => Promise.reject(new Error('nobody')) }, requests }
}

const awsCredentials = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'the-secret' }
const awsKey = (): InternetAnswer => ({
  body: JSON.stringify({ PublicKey: spkiOf(testKey('ecdsa-p256')).toString('base64'), SigningAlgorithms: ['ECDSA_SHA_256'] }),
})
const arn = 'arn:aws:kms:us-west-2:111122223333:alias/release'

/** Of the whole file: an SDK warns once, when its first client is made. */
const warnings: string[] = []
process.on('warning', ({ message }) => warnings.push(message))

describe('AWS KMS', () => {
  const hosts = ['kms.us-west-2.amazonaws.com', 'kms.eu-central-1.amazonaws.com', 'kms.example', 'kms.other.example']

  it.each([
    ['awskms:///alias/x', { AWS_REGION: 'eu-central-1' }, 'kms.eu-central-1.amazonaws.com'],
    ['awskms:///alias/x', { AWS_DEFAULT_REGION: 'eu-central-1' }, 'kms.eu-central-1.amazonaws.com'],
    [`awskms:///${arn}`, { AWS_REGION: 'eu-central-1' }, 'kms.us-west-2.amazonaws.com'],
    ['awskms://kms.example/alias/x', { AWS_REGION: 'eu-central-1', AWS_ENDPOINT_URL: 'https://kms.other.example' }, 'kms.example'],
    ['awskms://kms.example:4566/alias/x', { AWS_REGION: 'eu-central-1' }, 'kms.example:4566'],
    ['awskms:///alias/x', { AWS_REGION: 'eu-central-1', AWS_ENDPOINT_URL: 'https://kms.other.example' }, 'kms.other.example'],
  ])('of %s with %j is asked at %s', async (reference, env, host) => {
    const { options, requests } = await world(hosts, { ...awsCredentials, ...(env as unknown as Record<string, string>) }, awsKey)
    await fetchPublicKey(reference, options)
    expect(requests.map((request) => request.host)).toEqual([host])
    expect(requests[0]?.headers.authorization).toContain('Credential=AKIATEST/')
  })

  it('is not asked without a region', async () => {
    const { options, requests } = await world(hosts, awsCredentials, awsKey)
    const where = { ...options, env: { ...options.env, AWS_CONFIG_FILE: '/nothing' } }
    await expect(openKey('awskms:///alias/x', where)).rejects.toMatchObject({
      code: 'USAGE',
      message:
        'AWS KMS could not be asked, the region is missing: set AWS_REGION, or name the key by its ARN, as in awskms:///arn:aws:kms:REGION:ACCOUNT:key/ID',
    })
    expect(requests).toEqual([])
  })

  it('has nothing to say about the version of Node', async () => {
    const { options } = await world(hosts, { ...awsCredentials, AWS_REGION: 'eu-central-1' }, awsKey)
    await fetchPublicKey('awskms:///alias/x', options)
    await new Promise((resolve) => setImmediate(resolve))
    expect(warnings).toEqual([])
  })

  it('is tried at an address with a certificate of nobody known only when that was asked for', async () => {
    const { options } = await world(hosts, { ...awsCredentials, AWS_REGION: 'eu-central-1' }, awsKey)
    const { SSL_CERT_FILE: _, SSL_CERT_DIR: __, ...env } = options.env as Record<string, string>
    await expect(fetchPublicKey('awskms:///alias/x', { ...options, env })).rejects.toThrow(
      /^AWS KMS cannot be used: could not reach kms.eu-central-1.amazonaws.com/,
    )
    const insecure = { ...options, env: { ...env, AWS_TLS_INSECURE_SKIP_VERIFY: '1' } }
    await expect(fetchPublicKey('awskms:///alias/x', insecure)).resolves.toBeDefined()
  })

  it('says what AWS says, and only as much', async () => {
    const { options } = await world(hosts, { ...awsCredentials, AWS_REGION: 'eu-central-1' }, () => ({
      status: 400,
      body: JSON.stringify({ __type: 'com.amazonaws.kms#DisabledException', message: `disabled\u001b[31m ${'x'.repeat(10_000)}` }),
    }))
    const refused = openKey('awskms:///alias/x', options)
    await expect(refused).rejects.toThrow(/^AWS KMS refused with status 400: "DisabledException: disabled\\u001b\[31m x{200,300}…"$/)
  })
})

describe('Azure Key Vault', () => {
  it('of another cloud is signed in to there', async () => {
    const { options, requests } = await world(
      ['v.vault.usgovcloudapi.net', 'login.microsoftonline.us'],
      {
        AZURE_ENVIRONMENT: 'AzureUSGovernment',
        AZURE_TENANT_ID: 'tenant',
        AZURE_CLIENT_ID: 'client',
        AZURE_CLIENT_SECRET: 'the-secret',
      },
      ({ host }) =>
        host.startsWith('v.')
          ? {
              status: 401,
              headers: {
                'www-authenticate':
                  'Bearer authorization="https://login.microsoftonline.us/tenant", resource="https://vault.usgovcloudapi.net"',
              },
              body: '{}',
            }
          : {
              status: 400,
              body: JSON.stringify({ error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret provided.' }),
            },
    )
    await expect(openKey('azurekms://v.vault.usgovcloudapi.net/k', options)).rejects.toMatchObject({ code: 'USAGE' })
    expect([...new Set(requests.map(({ host }) => host))]).toEqual(['v.vault.usgovcloudapi.net', 'login.microsoftonline.us'])
  })

  it('whose challenge is for another host gets no token', async () => {
    const running = await azureStore.start()
    onTestFinished(() => running.close())
    const { options, requests } = await world(
      ['v.vault.azure.net', 'login.microsoftonline.com', 'evil.example'],
      {
        AZURE_TENANT_ID: 'tenant',
        AZURE_CLIENT_ID: 'client',
        AZURE_CLIENT_SECRET: 'the-secret',
      },
      () => ({
        status: 401,
        headers: { 'www-authenticate': 'Bearer authorization="https://evil.example/tenant", resource="https://evil.example"' },
        body: '{}',
      }),
    )
    await expect(openKey('azurekms://v.vault.azure.net/k', options)).rejects.toBeDefined()
    expect(requests.every(({ host }) => host === 'v.vault.azure.net')).toBe(true)
  })
})

describe('a file', () => {
  it('is signed with PSS by a key that was made for it, and verified by its reference and by its public key', async () => {
    const running = await googleStore.start()
    onTestFinished(() => running.close())
    const folder = mkdtempSync(path.join(tmpdir(), 'countersign-pss-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(path.join(folder, 'artifact'), 'an artifact')
    const { reference } = running.hold('rsa-2048', true)
    const run = async (...words: readonly string[]): Promise<void> => {
      const { exitCode, stderr } = await runCaptured(words, { cwd: folder, env: { HOME: folder, ...running.env } })
      expect(exitCode, stderr).toBe(0)
    }
    await run('sign-blob', 'artifact', '--key', reference, '--tlog-upload=false', '--use-signing-config=false', '--bundle', 'b.json')
    await run('verify-blob', 'artifact', '--key', reference, '--bundle', 'b.json', '--insecure-ignore-tlog')
    await run('public-key', '--key', reference, '--outfile', 'key.pub')
    await run('verify-blob', 'artifact', '--key', 'key.pub', '--bundle', 'b.json', '--insecure-ignore-tlog')
  })
})
