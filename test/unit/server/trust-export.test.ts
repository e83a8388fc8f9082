import { spawnSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { parsePem } from '../../../src/encoding/pem.ts'
import type { PublicTrust } from '../../../src/server/public-trust.ts'
import { signingConfigOf } from '../../../src/server/public-trust.ts'
import { exportTrust } from '../../../src/server/trust-export.ts'
import { trustTargets } from '../../../src/server/trust-targets.ts'
import { parseClientTrustConfig } from '../../../src/trust/client-trust-config.ts'
import { selectTransparencyLogs } from '../../../src/trust/service-selection.ts'
import { parseSigningConfig } from '../../../src/trust/signing-config.ts'
import { loadTrustMaterial } from '../../../src/trust/trust-material.ts'
import { publicTrustOf } from '../../support/server/universe-trust.ts'
import { universeOf } from '../../support/universe/universe.ts'

const universe = universeOf()
const trust = publicTrustOf(universe)
const tufRoot = Buffer.from('{"signed":{}}')
const day = 86_400_000

const filesOf = (of: PublicTrust, rekor: 'v1' | 'v2' = 'v2'): Map<string, string> =>
  new Map(exportTrust(of, { rekor, tufRoot }).map(({ name, contents }) => [name, Buffer.from(contents).toString()]))

function fileOf(of: PublicTrust, name: string): string {
  const text = filesOf(of).get(name)
  if (text === undefined) throw new Error(`there is no ${name}`)
  return text
}

/** The one in use, and before it one that ended. */
function rotated<T extends { readonly window: PublicTrust['ctLogs'][number]['window'] }>(
  [current]: readonly T[],
  other: Partial<T> = {},
): T[] {
  if (current === undefined) throw new Error('there is none')
  const { start } = current.window
  return [
    { ...current, window: { start: start + 10 * day, end: undefined } },
    { ...current, ...other, window: { start, end: start + 20 * day } },
  ]
}

describe('the targets', () => {
  it('are documents without a custom block, and keys and certificates with their usage', () => {
    const targets = trustTargets(trust, 'v2', universe.time)
    expect(targets.map(({ name, sigstore }) => [name, sigstore?.usage, sigstore?.status, sigstore?.uri])).toEqual([
      ['trusted_root.json', undefined, undefined, undefined],
      ['signing_config.v0.2.json', undefined, undefined, undefined],
      ['signing_config_rekor_v2.v0.2.json', undefined, undefined, undefined],
      ['fulcio.crt.pem', 'Fulcio', 'Active', 'https://fulcio.universe.test'],
      ['fulcio_intermediate_v1.crt.pem', 'Fulcio', 'Active', 'https://fulcio.universe.test'],
      ['ctfe.pub', 'CTFE', 'Active', 'https://ct.universe.test'],
      ['rekor.pub', 'Rekor', 'Active', 'https://rekor.universe.test'],
      ['tsa_chain.pem', 'TSA', 'Active', 'https://tsa.universe.test'],
    ])
    for (const { name, contents } of targets.slice(3)) expect(parsePem(Buffer.from(contents).toString(), name).length).toBeGreaterThan(0)
  })

  it('keep keys of before, as expired once their window has ended', () => {
    const several = { ...trust, ctLogs: rotated(trust.ctLogs), timestampAuthorities: rotated(trust.timestampAuthorities) }
    const statusAt = (now: number) =>
      trustTargets(several, 'v2', now)
        .filter(({ name }) => /^(?:ctfe|tsa)/.test(name))
        .map(({ name, sigstore }) => `${name} ${sigstore?.status}`)
    const start = universe.time - 365 * day
    expect(statusAt(start + 15 * day)).toEqual(['ctfe.pub Active', 'ctfe_2.pub Active', 'tsa_chain.pem Active', 'tsa_chain_2.pem Active'])
    expect(statusAt(start + 21 * day)).toEqual(['ctfe.pub Active', 'ctfe_2.pub Expired', 'tsa_chain.pem Active', 'tsa_chain_2.pem Expired'])
  })

  it('have no intermediate where the root issues by itself', () => {
    const certificateAuthorities = trust.certificateAuthorities.map((authority) => ({
      ...authority,
      certificates: authority.certificates.slice(-1),
    }))
    const names = trustTargets({ ...trust, certificateAuthorities }, 'v1', 0).map(({ name }) => name)
    expect(names).toContain('fulcio.crt.pem')
    expect(names).not.toContain('fulcio_intermediate_v1.crt.pem')
  })
})

describe('the signing configuration', () => {
  const chosen = (rekor: 'v1' | 'v2', of = trust): readonly number[] =>
    selectTransparencyLogs(signingConfigOf(of, rekor), universe.time).map(({ majorApiVersion }) => majorApiVersion)

  it('names the log that was chosen, or the one there is', () => {
    expect([chosen('v1'), chosen('v2')]).toEqual([[1], [2]])
    expect([chosen('v1', { ...trust, rekorV1Logs: [] }), chosen('v2', { ...trust, rekorV2Logs: [] })]).toEqual([[2], [1]])
    expect(chosen('v2', { ...trust, rekorV1Logs: [], rekorV2Logs: [] })).toEqual([])
  })

  it('offers Rekor v1 beside v2 to clients that speak it alone', () => {
    expect(selectTransparencyLogs(signingConfigOf(trust, 'v2'), universe.time, [1])).toHaveLength(1)
  })

  it("has one entry for a service whose key was rotated, from the first key's start on", () => {
    const { certificateAuthorities } = signingConfigOf({ ...trust, certificateAuthorities: rotated(trust.certificateAuthorities) }, 'v2')
    expect(certificateAuthorities).toEqual([
      {
        url: 'https://fulcio.universe.test',
        majorApiVersion: 1,
        window: { start: universe.time - 365 * day, end: undefined },
        operator: 'sigstore.universe.test',
      },
    ])
  })

  it('ends a shard of the log that has an address of its own', () => {
    const logs = rotated(trust.rekorV2Logs, { url: 'https://log0.universe.test' })
    expect(
      signingConfigOf({ ...trust, rekorV2Logs: logs }, 'v2').transparencyLogs.map(({ url, window }) => [url, window.end !== undefined]),
    ).toEqual([
      ['https://log1.universe.test', false],
      ['https://log0.universe.test', true],
      ['https://rekor.universe.test', false],
    ])
  })

  it('selects ANY, which is all that sigstore-js takes', () => {
    expect(fileOf(trust, 'signing_config.v0.2.json')).toMatch(
      /"rekorTlogConfig": \{\s+"selector": "ANY"\s+\},\s+"tsaConfig": \{\s+"selector": "ANY"/,
    )
  })
})

describe('the export', () => {
  it('has every file that clients ask for', () => {
    expect([...filesOf(trust).keys()].toSorted()).toEqual([
      'README.txt',
      'client_trust_config.json',
      'ctfe.pub',
      'env.ps1',
      'env.sh',
      'fulcio.pem',
      'kyverno.yaml',
      'policy-controller.yaml',
      'rekor-v2.pub',
      'rekor.pub',
      'root.json',
      'signing_config.v0.2.json',
      'signing_config_rekor_v2.v0.2.json',
      'trusted_root.json',
      'tsa.pem',
    ])
  })

  it('has no files for what the server lacks', () => {
    const names = [...filesOf({ ...trust, rekorV1Logs: [], timestampAuthorities: [], oidcIssuer: undefined }).keys()]
    expect(names).not.toContain('rekor.pub')
    expect(names).not.toContain('tsa.pem')
    expect(names).toContain('rekor-v2.pub')
  })

  it('can be loaded by ours', () => {
    expect(loadTrustMaterial(fileOf(trust, 'trusted_root.json')).unusable).toEqual([])
    expect(parseClientTrustConfig(fileOf(trust, 'client_trust_config.json')).signingConfig).toEqual(
      parseSigningConfig(fileOf(trust, 'signing_config.v0.2.json')),
    )
  })

  it('has chains that OpenSSL reads, the issuing certificate first', () => {
    const [issuing, root] = fileOf(trust, 'fulcio.pem')
      .split(/(?<=-----END CERTIFICATE-----\n)/)
      .map((pem) => new X509Certificate(pem))
    expect([issuing?.subject, root?.subject]).toEqual(['O=universe.test\nCN=intermediate', 'O=universe.test\nCN=root'])
    expect(issuing?.verify(root?.publicKey ?? issuing.publicKey)).toBe(true)
  })

  it('tells the checksum of the root in the commands of its README', () => {
    const checksum = createHash('sha256').update(tufRoot).digest('hex')
    expect(fileOf(trust, 'README.txt')).toContain(
      `cosign initialize --mirror https://sigstore.universe.test/tuf --root https://sigstore.universe.test/tuf/1.root.json --root-checksum ${checksum}\n`,
    )
  })

  it('holds no private key', () => {
    for (const [name, text] of filesOf(trust)) expect(text, name).not.toContain('PRIVATE')
  })
})

describe('policies for Kubernetes', () => {
  it("hold Kyverno's fields with keys as they are", () => {
    const [document] = parseAllDocuments(fileOf(trust, 'kyverno.yaml'))
    const policy: unknown = document?.toJS()
    expect(policy).toMatchObject({
      apiVersion: 'kyverno.io/v1',
      kind: 'ClusterPolicy',
      spec: {
        rules: [
          {
            verifyImages: [
              {
                failureAction: 'Enforce',
                attestors: [
                  {
                    entries: [
                      {
                        keyless: {
                          issuer: 'https://sigstore.universe.test/oidc',
                          roots: fileOf(trust, 'fulcio.pem'),
                          rekor: { url: 'https://rekor.universe.test', pubkey: fileOf(trust, 'rekor.pub') },
                          ctlog: { pubkey: fileOf(trust, 'ctfe.pub'), tsaCertChain: fileOf(trust, 'tsa.pem') },
                        },
                      },
                    ],
                  },
                ],
              },
            ],
          },
        ],
      },
    })
  })

  it('start policy-controller from the exported root', () => {
    const [root, policy] = parseAllDocuments(fileOf(trust, 'policy-controller.yaml')).map((document): unknown => document.toJS())
    expect(root).toMatchObject({
      kind: 'TrustRoot',
      spec: { remote: { root: tufRoot.toString('base64'), mirror: 'https://sigstore.universe.test/tuf' } },
    })
    expect(policy).toMatchObject({
      kind: 'ClusterImagePolicy',
      spec: { authorities: [{ keyless: { trustRootRef: 'private-sigstore' }, ctlog: { trustRootRef: 'private-sigstore' } }] },
    })
  })

  it('take the time from the timestamp authority where there is no Rekor v1', () => {
    const [, policy] = parseAllDocuments(fileOf({ ...trust, rekorV1Logs: [] }, 'policy-controller.yaml'))
    expect(policy?.toJS()).toMatchObject({ spec: { authorities: [{ rfc3161timestamp: { trustRootRef: 'private-sigstore' } }] } })
  })
})

describe('env.sh', () => {
  /** Sources it in a folder with a hostile name, from elsewhere. @returns the variables that it set, by name */
  function sourced(shell: string, of = trust, cwd?: string): Record<string, string> {
    const home = mkdtempSync(path.join(tmpdir(), 'countersign-export-'))
    onTestFinished(() => rmSync(home, { recursive: true, force: true }))
    const folder = path.join(home, 'it\'s $HOME `id` "x"')
    mkdirSync(folder)
    writeFileSync(path.join(folder, 'env.sh'), fileOf(of, 'env.sh'))
    const { stdout, stderr, status } = spawnSync(shell, ['-euc', '. "$1"; env -0', shell, path.join(folder, 'env.sh')], {
      cwd: cwd ?? folder,
      env: { PATH: process.env['PATH'] ?? '' },
      encoding: 'utf8',
      // A socket there makes bash read its configuration.
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    expect([status, stderr]).toEqual([0, ''])
    const variables = stdout
      .split('\0')
      .filter((line) => /^(?:TUF|GITSIGN|SIGSTORE|countersign)/.test(line))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).replace(folder, 'FOLDER')] as const)
    return Object.fromEntries(variables)
  }

  const expected = {
    TUF_MIRROR: 'https://sigstore.universe.test/tuf',
    TUF_ROOT_JSON: 'FOLDER/root.json',
    GITSIGN_FULCIO_URL: 'https://fulcio.universe.test',
    GITSIGN_FULCIO_ROOT: 'FOLDER/fulcio.pem',
    GITSIGN_REKOR_URL: 'https://rekor.universe.test',
    GITSIGN_OIDC_ISSUER: 'https://sigstore.universe.test/oidc',
    GITSIGN_OIDC_CLIENT_ID: 'sigstore',
    GITSIGN_TIMESTAMP_SERVER_URL: 'https://tsa.universe.test',
    GITSIGN_TIMESTAMP_CERT_CHAIN: 'FOLDER/tsa.pem',
  }

  it('sets the variables in bash, from any folder', () => expect(sourced('bash', trust, tmpdir())).toEqual(expected))

  it('sets the variables in any POSIX shell, from its own folder', () => expect(sourced('sh')).toEqual(expected))

  it('runs nothing that a URL says', () => {
    const url = 'https://sigstore.universe.test/\'$(touch /tmp/owned)`id`";touch x'
    expect(sourced('bash', { ...trust, tufUrl: url })['TUF_MIRROR']).toBe(url)
    expect(fileOf({ ...trust, tufUrl: url }, 'env.ps1')).toContain(
      `$env:TUF_MIRROR = 'https://sigstore.universe.test/''$(touch /tmp/owned)\`id\`";touch x'`,
    )
  })
})
