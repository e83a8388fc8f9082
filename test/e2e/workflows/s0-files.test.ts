/** S0, signatures for Carvel's artifacts: the checksums of its releases. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anyJob, jobOf } from './github-actions.ts'
import { linesOf, notice, question } from './printed.ts'
import type { Shell } from './shell.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'
import { runJob } from './workflow-job.ts'

let stage: Stage
let shell: Shell
const binary = 'the binary of a release\n'
const base64 = /^[A-Za-z0-9+/]+={0,2}$/

beforeAll(async () => {
  stage = await openStage()
  ;({ shell } = stage)
  shell.write('imgpkg-darwin-arm64', binary)
  shell.write('checksums.txt', `${createHash('sha256').update(binary).digest('hex')}  imgpkg-darwin-arm64\n`)
})
afterAll(() => stage.stop())

/** Who makes a release of a project of Carvel's. */
const releaseOf = (project: string, owner = 'carvel-dev'): string => `${owner}/${project}/.github/workflows/release.yml@refs/tags/v0.42.0`

describe('the checksums of a release', () => {
  const sign = 'cosign sign-blob checksums.txt --output-certificate checksums.txt.pem --output-signature checksums.txt.sig'
  const verify =
    'cosign verify-blob --cert checksums.txt.pem --signature checksums.txt.sig --certificate-identity-regexp=https://github.com/carvel-dev --certificate-oidc-issuer=https://token.actions.githubusercontent.com checksums.txt'

  it('0.3 are not signed in a job that may not have a token, nor without consent', async () => {
    const forbidden = await shell.run(sign, { env: anyJob, typed: [[question, 'y']] })
    expect(forbidden.exitCode).toBe(1)
    expect(forbidden.stderr).toMatch(/^Error: .*id-token: write/m)
    const declined = await shell.run(sign, { env: jobOf(releaseOf('imgpkg')), typed: [[question, 'n']] })
    expect(declined.exitCode).toBe(1)
    expect((await shell.run('ls')).stdout).not.toMatch(/checksums\.txt\./)
  })

  it('0.3 are signed, after a question that is answered', async () => {
    const signed = await shell.run(sign, { env: jobOf(releaseOf('imgpkg')), typed: [[question, 'y']] })
    expect(signed).toMatchObject({ exitCode: 0, stdout: '' })
    expect(signed.stderr).toContain(notice)
    expect(linesOf(signed)).toEqual(
      expect.arrayContaining([
        'Using payload from: checksums.txt',
        'Generating ephemeral keys...',
        'Retrieving signed certificate...',
        expect.stringMatching(/^tlog entry created with index: \d+$/),
        'Wrote signature to file checksums.txt.sig',
        'Wrote certificate to file checksums.txt.pem',
      ]),
    )
    expect(shell.read('checksums.txt.sig')).toMatch(base64)
    expect(Buffer.from(shell.read('checksums.txt.pem'), 'base64').toString()).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
  })

  it('0.4 are verified with old names of flags', async () => {
    const verified = await shell.run(verify)
    expect(verified.exitCode).toBe(0)
    expect(linesOf(verified)).toContain('Verified OK')
  })

  it.each([
    ['another organisation', 'https://github.com/carvel-dev ', 'https://github.com/carvel-development '],
    ['another issuer', 'https://token.actions.githubusercontent.com', 'https://accounts.google.com'],
    ['another file', ' checksums.txt', ' imgpkg-darwin-arm64'],
  ])('0.4 are refused with %s', async (_, printed, other) => {
    const at = verify.lastIndexOf(printed)
    const refused = await shell.run(verify.slice(0, at) + other + verify.slice(at + printed.length))
    expect(refused.exitCode).toBe(1)
    expect(linesOf(refused)).not.toContain('Verified OK')
  })

  it('0.5 are those of the file', async () => {
    const { stdout } = await shell.run('shasum -a 256 imgpkg-darwin-arm64')
    expect(shell.read('checksums.txt')).toBe(stdout)
  })

  it.each(['imgpkg', 'kapp', 'kapp-controller', 'kbld', 'vendir', 'ytt'])(
    '0.11 of %s are signed by its own workflow, and by that of no other project',
    async (project) => {
      const files = `--certificate ${project}/checksums.txt.pem --signature ${project}/checksums.txt.sig ${project}/checksums.txt`
      shell.write(`${project}/checksums.txt`, `${project}\n`)
      const line = sign.replaceAll('checksums.txt', `${project}/checksums.txt`)
      expect((await shell.run(`${line} --yes`, { env: jobOf(releaseOf(project)) })).exitCode).toBe(0)
      const verifyAs = (owner: string) =>
        shell.run(
          `cosign verify-blob ${files} --certificate-identity=https://github.com/${releaseOf(owner)} --certificate-oidc-issuer=https://token.actions.githubusercontent.com`,
        )
      expect(linesOf(await verifyAs(project))).toContain('Verified OK')
      expect((await verifyAs('another')).exitCode).toBe(1)
    },
  )
})

describe('the workflow with GoReleaser', () => {
  // What GoReleaser runs for `signs` of .goreleaser.yaml, with its variables replaced.
  const goreleaser =
    'cosign sign-blob "--yes" --output-certificate=dist/checksums.txt.pem --output-signature=dist/checksums.txt.sig dist/checksums.txt'
  const workflow = `
name: Release
permissions:
  contents: read
jobs:
  release:
    permissions:
      contents: write
      id-token: write
    steps:
      - name: Set up Cosign
        uses: sigstore/cosign-installer@v3
      - name: Run GoReleaser
        run: ${goreleaser}
      - name: Verify checksums signature
        run: |
          cosign verify-blob \\
            --cert \${{ checksums_file_certificate }} \\
            --signature \${{ checksums_file_signature }} \\
            --certificate-identity-regexp=https://github.com/carvel-dev \\
            --certificate-oidc-issuer=https://token.actions.githubusercontent.com \\
            \${{ checksums_file }}
`
  const values = {
    checksums_file: 'dist/checksums.txt',
    checksums_file_certificate: 'dist/checksums.txt.pem',
    checksums_file_signature: 'dist/checksums.txt.sig',
  }
  const run = (yaml: string, owner?: string) => {
    shell.write('dist/checksums.txt', shell.read('checksums.txt'))
    return runJob(shell, yaml, 'release', { workflow: releaseOf('imgpkg', owner), values })
  }

  it('0.7, 0.8 signs and verifies', async () => {
    const { steps } = await run(workflow)
    expect(steps['Run GoReleaser']).toMatchObject({ exitCode: 0 })
    expect(steps['Run GoReleaser']?.stderr).not.toContain(question)
    expect(steps['Verify checksums signature']?.stderr).toContain('Verified OK\n')
  })

  it('0.7 refuses in another organisation, and what was changed after it was signed', async () => {
    expect((await run(workflow, 'somebody-else')).steps['Verify checksums signature']).toMatchObject({ exitCode: 1 })
    const changed = workflow.replace(goreleaser, `${goreleaser} && echo more >> dist/checksums.txt`)
    expect((await run(changed)).steps['Verify checksums signature']).toMatchObject({ exitCode: 1 })
  })

  it('0.7 signs nothing without the permission', async () => {
    const { steps } = await run(workflow.replace('id-token: write', 'id-token: none'))
    expect(steps['Run GoReleaser']).toMatchObject({ exitCode: 1 })
    expect(steps['Run GoReleaser']?.stderr).toContain('lacks the permission id-token: write')
  })
})
