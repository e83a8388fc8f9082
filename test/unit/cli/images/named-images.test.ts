/** `dockerfile verify` and `manifest verify`: which images they find, and that every one of them must be signed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { imagesOfDockerfile } from '../../../../src/oci/dockerfile-images.ts'
import { imagesOfManifest } from '../../../../src/policy/manifest-images.ts'
import type { FakeRegistry } from '../../../support/registry-fake.ts'
import { startFakeRegistry } from '../../../support/registry-fake.ts'
import { attachBundle, imageSignature, legacySignature, putImage, putTag, signatureLayer } from '../../../support/signed-image.ts'
import { epoch, namedKey, universeOf } from '../../../support/universe/universe.ts'
import type { Outcome } from '../captured-context.ts'
import { runCaptured } from '../captured-context.ts'

const all = (text: string, env: Readonly<Record<string, string>> = {}): readonly string[] => imagesOfDockerfile(text, env).all

describe('the images of a Dockerfile', () => {
  it.each([
    ['of FROM, whatever its case and flags', 'from  --platform=linux/amd64 debian:12 AS build\nRUN x', ['debian:12']],
    ['of all stages, each once', 'FROM a\nFROM b AS x\nFROM a', ['a', 'b']],
    ['but not stages, by name or number', 'FROM a AS Build\nFROM build\nCOPY --from=build /x /y\nCOPY --from=0 /x /y', ['a']],
    ['but not scratch', 'FROM scratch\nCOPY x y', []],
    ['of COPY --from', 'FROM scratch\nCOPY --chown=1 --from=nginx:1 /x /y', ['nginx:1']],
    ['of RUN --mount', 'FROM a\nRUN --mount=type=bind,from=tools:2,target=/t x', ['a', 'tools:2']],
    ['of ONBUILD', 'FROM a\nONBUILD COPY --from=b /x /y', ['a', 'b']],
    ['over continued lines, with comments in between', 'FROM \\\n# a comment\n  a \\\n\n AS x\nCOPY --link \\\n --from=b x y', ['a', 'b']],
    ['with another escape character', '# escape=`\nFROM `\n a', ['a']],
    ['but not what here-documents say', 'FROM a\nRUN <<EOF\nFROM b\nEOF\nFROM c', ['a', 'c']],
    ['but not what comments say', '# FROM x\nFROM a\n# FROM y', ['a']],
    ['with a byte order mark and other line ends', '\uFEFFFROM a\r\nFROM b\r\n', ['a', 'b']],
    ['in quotes', 'FROM "a"', ['a']],
  ])('%s', (_, text, expected) => expect(all(text)).toEqual(expected))

  it('have variables replaced, from the environment before ARG', () => {
    const text = 'ARG REGISTRY\nARG TAG=1\nARG NAME="app"\nFROM ${REGISTRY:-docker.io}/$NAME:${TAG}'
    expect(all(text)).toEqual(['docker.io/app:1'])
    expect(all(text, { TAG: '2', REGISTRY: 'ghcr.io' })).toEqual(['ghcr.io/app:2'])
    expect(() => all('FROM a\nFROM $GONE')).toThrow('line 2 of the Dockerfile: "$GONE" in the name of an image has no value')
    expect(() => all('FROM')).toThrow('line 1 of the Dockerfile: FROM should name an image')
  })

  it('have a base: what the last stage is built on in the end', () => {
    const base = (text: string): string | undefined => imagesOfDockerfile(text, {}).base
    expect(base('FROM a\nFROM b\nCOPY --from=c x y')).toBe('b')
    expect(base('FROM a AS x\nFROM b\nFROM x')).toBe('a')
    expect(base('FROM a\nFROM scratch')).toBeUndefined()
  })
})

describe('the images of Kubernetes resources', () => {
  it('are those of containers of all kinds, in resources of all kinds', () => {
    const text = `apiVersion: v1
kind: Pod
spec:
  initContainers: [{ image: init:1 }]
  containers:
    - &one { name: a, image: app:1 }
    - *one
  ephemeralContainers: [{ image: debug:1 }]
  volumes: [{ name: v, image: { reference: data:1 } }, { name: w, configMap: { name: x } }]
---
kind: CronJob
spec: { jobTemplate: { spec: { template: { spec: { containers: [{ image: ' job:1 ' }, { image: '' }] } } } } }
---
kind: List
items: [{ kind: Deployment, spec: { template: { spec: { containers: [{ image: app:2 }] } } } }]
---
kind: Custom
spec: { deep: [{ pod: { containers: [{ image: custom:1 }] } }], image: not-a-container:1 }
`
    expect(imagesOfManifest(text)).toEqual({
      all: ['init:1', 'app:1', 'debug:1', 'data:1', 'job:1', 'app:2', 'custom:1'],
      others: ['not-a-container:1'],
    })
    expect(imagesOfManifest('{"spec":{"containers":[{"image":"json:1"}]}}').all).toEqual(['json:1'])
    expect(imagesOfManifest('').all).toEqual([])
  })

  it('are not read from what is ambiguous or endless', () => {
    expect(() => imagesOfManifest('spec:\n  containers: [{ image: a, image: b }]')).toThrow(/not valid YAML, line 2: .*unique/)
    expect(() => imagesOfManifest('a: [')).toThrow(/not valid YAML, line/)
    expect(() =>
      imagesOfManifest(
        'a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: [*d, *d, *d, *d, *d, *d, *d, *d]',
      ),
    ).toThrow(/alias/i)
  })
})

describe('verifying them', () => {
  const manager = namedKey('manager')
  const managed = { managed: true, key: manager } as const
  let registry: FakeRegistry
  let folder = ''
  beforeAll(async () => {
    registry = await startFakeRegistry()
    folder = mkdtempSync(path.join(tmpdir(), 'countersign-named-'))
    writeFileSync(path.join(folder, 'key.pub'), manager.pem)
    writeFileSync(path.join(folder, 'root.json'), universeOf().trustedRoot())
    const bundled = putImage(registry, 'bundled', 'one')
    attachBundle(registry, bundled, imageSignature(bundled, managed).json)
    const legacy = putImage(registry, 'legacy', 'two')
    putTag(registry, legacy, [signatureLayer(registry, legacySignature(legacy, managed))])
    putImage(registry, 'unsigned', 'three')
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await registry.stop()
  })

  const run = (verb: string, file: string, contents: string, more: readonly string[] = []): Promise<Outcome> => {
    writeFileSync(path.join(folder, file), contents.replaceAll('HOST', registry.host))
    const words = [verb, 'verify', file, '--key', 'key.pub', '--trusted-root', 'root.json', ...more]
    return runCaptured(words, { cwd: folder, now: epoch, env: { HOME: folder } })
  }

  it('accepts those that are signed, in both formats', async () => {
    const outcome = await run('dockerfile', 'Dockerfile', 'FROM HOST/app:bundled AS x\nFROM HOST/app:legacy')
    expect(outcome.exitCode).toBe(0)
    expect(outcome.stderr).toContain(`Extracted image(s): ${registry.host}/app:bundled, ${registry.host}/app:legacy\n`)
    expect(outcome.stdout.trim().split(/\n+/)).toHaveLength(2)
    expect((await run('manifest', 'pod.yaml', 'spec: { containers: [{ image: HOST/app:bundled }] }')).exitCode).toBe(0)
  })

  it('refuses when one of them is not', async () => {
    expect((await run('dockerfile', 'Dockerfile', 'FROM HOST/app:unsigned AS x\nFROM HOST/app:legacy')).exitCode).toBe(10)
    expect(
      (
        await run(
          'manifest',
          'pod.yml',
          'spec: { containers: [{ image: HOST/app:bundled }], initContainers: [{ image: HOST/app:unsigned }] }',
        )
      ).exitCode,
    ).toBe(10)
  })

  it('looks at the base only where that is asked for', async () => {
    const file = 'FROM HOST/app:unsigned AS x\nFROM HOST/app:legacy'
    expect((await run('dockerfile', 'Dockerfile', file, ['--base-image-only'])).exitCode).toBe(0)
    const none = await run('dockerfile', 'Dockerfile', 'FROM HOST/app:legacy\nFROM scratch', ['--base-image-only'])
    expect(none.exitCode).toBe(1)
    expect(none.stderr).toMatch(/built on nothing/)
  })

  it.each([
    ['--registry-username', 'alice', '--registry-password', 'secret'],
    ['--registry-token', 'secret'],
  ])('sends %s to no registry that the file has chosen beside another', async (...words) => {
    const before = registry.requests.length
    const outcome = await run('dockerfile', 'Dockerfile', 'FROM HOST/app:legacy\nFROM registry.example/app', words)
    expect(outcome).toMatchObject({ exitCode: 1, stdout: '' })
    expect(outcome.stderr).toContain(`${words[0]} would be sent to all of ${registry.host}, registry.example: give each registry its own`)
    expect(outcome.stderr).not.toContain('secret')
    expect(registry.requests).toHaveLength(before)
    const file = 'FROM HOST/app:bundled\nFROM HOST/app:legacy'
    expect((await run('dockerfile', 'Dockerfile', file, words)).exitCode).toBe(0)
  })

  it('is no success where there is nothing', async () => {
    for (const [verb, file, contents, message] of [
      ['dockerfile', 'Dockerfile', 'FROM scratch', 'no images found in Dockerfile'],
      ['manifest', 'empty.yaml', 'kind: ConfigMap', 'no images found in manifest'],
      ['manifest', 'pod.txt', 'kind: Pod', 'only yaml manifests are supported at this time'],
      ['manifest', 'bad.yaml', 'a: [', 'the manifest is not valid YAML'],
    ] as const) {
      const outcome = await run(verb, file, contents)
      expect(outcome).toMatchObject({ exitCode: 1, stdout: '' })
      expect(outcome.stderr).toContain(message)
    }
  })
})
