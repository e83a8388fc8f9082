import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { otherVariables, sigstoreVariables } from '../../../src/cli/environment-variables.ts'
import { tokenSourceNames } from '../../../src/identity/ambient-token.ts'
import { runCaptured } from './captured-context.ts'

describe('version', () => {
  it('prints a line for each fact, with the values in one column', async () => {
    const { exitCode, stdout, stderr } = await runCaptured(['version'])
    expect(exitCode).toBe(0)
    expect(stderr).toBe('')
    expect(stdout).toMatch(
      /^countersign: [^\n]+\n\nGitVersion: {4}devel\nGitCommit: {5}unknown\nGitTreeState: {2}unknown\nBuildDate: {5}unknown\nNodeVersion: {3}v\d+\.\d+\.\d+\nPlatform: {6}\w+\/\w+\n$/,
    )
  })

  it('prints the keys of cosign as JSON', async () => {
    const info: unknown = JSON.parse((await runCaptured(['version', '--json'])).stdout)
    expect(info).toEqual({
      gitVersion: 'devel',
      gitCommit: 'unknown',
      gitTreeState: 'unknown',
      buildDate: 'unknown',
      nodeVersion: process.version,
      compiler: 'v8',
      platform: expect.stringMatching(/^\w+\/\w+$/),
    })
  })

  it('names the platform as Go does', async () => {
    const { stdout } = await runCaptured(['version', '--json'])
    if (process.arch === 'x64') expect(stdout).toMatch(/"platform": "\w+\/amd64"/)
    if (process.platform === 'linux') expect(stdout).toMatch(/"platform": "linux\/\w+"/)
  })
})

describe('debug providers', () => {
  it('says of each source whether it offers a token, asking none', async () => {
    const env = { SIGSTORE_ID_TOKEN: 'anything', BUILDKITE_AGENT_ACCESS_TOKEN: 'x', SPIFFE_ENDPOINT_SOCKET: '/nonexistent' }
    const { exitCode, stdout } = await runCaptured(['debug', 'providers'], { env })
    expect(exitCode).toBe(0)
    const lines = new Map(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(': ') as [string, string]),
    )
    expect([...lines.keys()]).toEqual(tokenSourceNames)
    for (const name of ['envvar', 'buildkite-agent', 'spiffe']) expect(lines.get(name)).toBe('true')
    for (const name of ['github-actions', 'circleci', 'google-impersonate']) expect(lines.get(name)).toBe('false')
  })

  it('is hidden, and a group', async () => {
    expect((await runCaptured(['--help'])).stdout).not.toMatch(/^\s+debug/m)
    expect((await runCaptured(['debug'])).stdout).toContain('providers')
    expect((await runCaptured(['debug', 'providers', 'x'])).exitCode).toBe(1)
  })
})

describe('env', () => {
  it('prints a description, an expectation and a value for each variable', async () => {
    const { stdout } = await runCaptured(['env'], { env: { COSIGN_REPOSITORY: 'registry.example.com/signatures' } })
    expect(stdout).toContain(
      '# COSIGN_REPOSITORY keeps signatures in another repository than the image\n# Expects: a repository\nCOSIGN_REPOSITORY=registry.example.com/signatures\n',
    )
    expect(stdout).toContain('\nTUF_ROOT=\n')
    expect(stdout).not.toContain('belong to the same families')
  })

  it('prints values only when descriptions are not wanted', async () => {
    const { stdout } = await runCaptured(['env', '--show-descriptions=false'])
    expect(stdout).not.toContain('#')
    expect(stdout.trimEnd().split('\n')).toHaveLength(sigstoreVariables.length + otherVariables.length)
    for (const line of stdout.trimEnd().split('\n')) expect(line).toMatch(/^[A-Z0-9_]+=$/)
  })

  it('keeps secrets to itself unless asked', async () => {
    const env = { COSIGN_PASSWORD: 'hunter2', GITHUB_TOKEN: '', HTTPS_PROXY: 'http://user:hunter2@proxy' }
    const masked = await runCaptured(['env'], { env })
    expect(masked.stdout).toContain('\nCOSIGN_PASSWORD=******\n')
    expect(masked.stdout).toContain('\nGITHUB_TOKEN=\n')
    expect(masked.stdout).not.toContain('hunter2')
    expect((await runCaptured(['env', '--show-sensitive-values'], { env })).stdout).toContain('\nCOSIGN_PASSWORD=hunter2\n')
  })

  it('adds variables of the same families, masked, because nothing is known about them', async () => {
    const env = { COSIGN_KEY: 'a=b', COUNTERSIGN_YES: 'true', SIGSTORE_X: '', TUF_Y: 'y', PATH: '/bin' }
    const { stdout } = await runCaptured(['env'], { env })
    expect(stdout).toMatch(/same families[^\n]+\n# [^\n]+\nCOSIGN_KEY=\*{6}\nCOUNTERSIGN_YES=\*{6}\nSIGSTORE_X=\nTUF_Y=\*{6}\n$/)
    expect(stdout).not.toContain('PATH=/bin')
    expect((await runCaptured(['env', '--show-sensitive-values'], { env })).stdout).toContain('\nCOSIGN_KEY=a=b\n')
  })

  it('takes no arguments', async () => {
    const { exitCode, stderr } = await runCaptured(['env', 'x'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('Error: unknown command "x" for "countersign env"\n')
  })

  it('lists every variable that is read, but those by which the system and CI services make themselves known', () => {
    const listed = new Set([...sigstoreVariables, ...otherVariables].map(({ name }) => name))
    const unlisted = [...variablesRead()].filter((name) => !listed.has(name) && !surroundings.has(name))
    expect(unlisted).toEqual([])
  })

  it('lists each variable once, sorted in each of its two parts', () => {
    const names = [sigstoreVariables, otherVariables].map((variables) => variables.map(({ name }) => name))
    for (const part of names) expect(part).toEqual([...part].sort())
    expect(new Set(names.flat()).size).toBe(names.flat().length)
  })
})

/** What is set by those who run a program, not by those who configure it. */
const surroundings: ReadonlySet<string> = new Set(
  `HOME PATH USERPROFILE XDG_DATA_HOME XDG_RUNTIME_DIR DISPLAY WAYLAND_DISPLAY KUBERNETES_SERVICE_HOST CLOUD_RUN_JOB
   CI GITHUB_ACTIONS GITLAB_CI CIRCLECI BUILDKITE BITBUCKET_BUILD_NUMBER CODEBUILD_BUILD_ID JENKINS_URL
   TEAMCITY_VERSION TF_BUILD REQUEST_METHOD UV_THREADPOOL_SIZE`.split(/\s+/),
)

/** The names of variables that the sources read by name. */
function variablesRead(): ReadonlySet<string> {
  const source = path.resolve(import.meta.dirname, '../../../src')
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const names = files.flatMap((file) => {
    const text = readFileSync(path.join(source, file), 'utf8')
    const reads = [...text.matchAll(/\benv\[('[A-Z][A-Z0-9_]+')\]|\bvariableOf\(([^()]*)\)/g)]
    return reads.flatMap(([, index, call]) => [...(index ?? call ?? '').matchAll(/'([A-Z][A-Z0-9_]+)'/g)].flatMap(([, name]) => name ?? []))
  })
  expect(names.length).toBeGreaterThan(20)
  return new Set(names)
}
