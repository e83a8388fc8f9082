/**
 * Charts that the real `helm` packages and pushes, with and without its own provenance: signed and attested by countersign and cosign by the
 * digest that helm prints, verified by both, pulled by helm from where they were copied. And charts that nobody has signed, refused.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Task } from './image-clients.ts'
import { cosign2, cosign3, countersign, email, expectJudgedRight, expectUnsigned, judgesOf } from './image-clients.ts'
import type { ImageWorld, RegistryName } from './image-world.ts'
import { digestOf, expectSuccess, isWorldMissing, openImageWorld, registryNames } from './image-world.ts'
import { findFile, findPeer } from './peer.ts'

const helm = findPeer('helm')
const cosign = findPeer('cosign')
const gpg = findFile(['/usr/bin/gpg'], '/usr/bin/gpg is not there: apt-get install gnupg')
const isMissing = isWorldMissing || helm === undefined
let world: ImageWorld

beforeAll(async () => {
  if (isMissing) return
  world = await openImageWorld()
  for (const folder of ['chart/templates', 'pulled', 'gpg']) mkdirSync(path.join(world.folder, folder), { recursive: true, mode: 0o700 })
})
afterAll(async () => {
  if (!isMissing) await world.stop()
})

const plainHttp = '--plain-http'

/** Packages a chart. @returns the file's name */
async function packageChart(version: string, words: readonly string[] = []): Promise<string> {
  world.write('chart/Chart.yaml', `apiVersion: v2\nname: app\nversion: ${version}\n`)
  world.write('chart/templates/config.yaml', `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\ndata:\n  version: "${version}"\n`)
  await expectSuccess(world.run(helm, ['package', 'chart', ...words]))
  return `app-${version}.tgz`
}

/** Pushes a packaged chart. @returns the reference with its tag, and that with the digest that helm prints */
async function pushChart(
  file: string,
  registry: RegistryName,
  project: string,
): Promise<{ readonly tagged: string; readonly image: string }> {
  const { stderr } = await expectSuccess(world.run(helm, ['push', file, `oci://${world.host(registry)}/${project}`, plainHttp]))
  const tagged = /^Pushed: (\S+)$/m.exec(stderr)?.[1] ?? ''
  const digest = /^Digest: (sha256:[0-9a-f]{64})$/m.exec(stderr)?.[1] ?? ''
  return { tagged, image: `${tagged.slice(0, tagged.lastIndexOf(':'))}@${digest}` }
}

/** Pulls a chart as its user does. @returns the digest that helm prints; the file is in `pulled` */
async function pullChart(repository: string, version: string, words: readonly string[] = []): Promise<string | undefined> {
  const from = ['pull', `oci://${repository}`, '--version', version, plainHttp, '-d', 'pulled', ...words]
  return /^Digest: (\S+)$/m.exec((await expectSuccess(world.run(helm, from))).stderr)?.[1]
}

const cases = [
  { signer: countersign, kind: 'signature', layout: 'bundle', keyless: true },
  { signer: countersign, kind: 'signature', layout: 'tag', keyless: false },
  { signer: countersign, kind: 'attestation', layout: 'bundle', keyless: false },
  { signer: cosign3, kind: 'signature', layout: 'bundle', keyless: false },
  { signer: cosign3, kind: 'attestation', layout: 'bundle', keyless: true },
  { signer: cosign2, kind: 'signature', layout: 'tag', keyless: false },
] as const

for (const registry of registryNames) {
  describe.skipIf(isMissing)(`charts in ${registry}`, () => {
    for (const [index, { signer, ...form }] of cases.entries()) {
      const name = `${form.kind}${form.keyless ? ', keyless' : ''}, ${form.layout}, by ${signer.name}`
      it.skipIf(signer.isMissing)(`${name}: verifies by the digest that helm prints, and by the tag it makes of the version`, async () => {
        const project = `signed/${index}`
        const { tagged, image } = await pushChart(await packageChart('1.2.3+build.5'), registry, project)
        expect(tagged).toBe(`${world.host(registry)}/${project}/app:1.2.3_build.5`)
        const unsigned = await pushChart(await packageChart('1.2.4'), registry, project)
        const task = { ...form, image }
        await expectSuccess(signer.signs(world, task))
        await expectJudgedRight(world, task, unsigned.image, [image, tagged])
      })
    }

    it('another chart under the version of a signed one is refused by its tag, and the signed one is still taken by its digest', async () => {
      const { tagged, image } = await pushChart(await packageChart('2.0.0'), registry, 'moved')
      const task = { kind: 'signature', layout: 'bundle', keyless: false, image } as const
      await expectSuccess(countersign.signs(world, task))
      world.write('chart/values.yaml', `evil: ${image}\n`)
      const moved = await pushChart(await packageChart('2.0.0'), registry, 'moved')
      expect(moved.image).not.toBe(image)
      await expectUnsigned(world, { ...task, image: tagged })
      await expectJudgedRight(world, task, moved.image)
    })

    for (const layout of ['bundle', 'tag'] as const) {
      it(`a chart signed by a ${layout} keeps its signature where it is copied to, and is what helm pulls there`, async () => {
        const file = await packageChart('3.0.0')
        const { tagged, image } = await pushChart(file, registry, `copied/${layout}`)
        await expectSuccess(countersign.signs(world, taskOf(image, layout)))
        for (const target of registryNames) {
          const repository = `${world.host(target)}/mirror/${registry}/${layout}/app`
          await expectSuccess(world.countersign(['copy', tagged, `${repository}:3.0.0`]))
          expect(await pullChart(repository, '3.0.0')).toBe(digestOf(image))
          expect(readFileSync(path.join(world.folder, 'pulled', file))).toEqual(readFileSync(path.join(world.folder, file)))
          for (const judge of judgesOf(layout)) await expectSuccess(judge.judges(world, taskOf(`${repository}@${digestOf(image)}`, layout)))
        }
      })
    }

    it.skipIf(gpg === undefined)('a chart with the provenance of helm is signed with it, and both verify', async () => {
      const key = ['--homedir', 'gpg', '--batch']
      const owner = `Chart of ${registry}`
      await expectSuccess(world.run(gpg, [...key, '--passphrase', '', '--quick-gen-key', owner, 'rsa2048', 'sign', 'never']))
      await expectSuccess(world.run(gpg, [...key, '--yes', '--output', 'secret.gpg', '--export-secret-keys']))
      await expectSuccess(world.run(gpg, [...key, '--yes', '--output', 'public.gpg', '--export']))
      const file = await packageChart('4.0.0', ['--sign', '--key', owner, '--keyring', 'secret.gpg'])
      const { tagged, image } = await pushChart(file, registry, 'provenance')
      expect(await world.crane('manifest', image)).toContain('application/vnd.cncf.helm.chart.provenance.v1.prov')
      const task = taskOf(image, 'bundle')
      await expectSuccess(countersign.signs(world, task))
      const { image: unsigned } = await pushChart(await packageChart('4.0.1'), registry, 'provenance')
      await expectJudgedRight(world, task, unsigned, [image, tagged])
      const repository = `${world.host('docker-registry')}/provenance/of/${registry}/app`
      await expectSuccess(world.countersign(['copy', tagged, `${repository}:4.0.0`]))
      const verifying = ['--verify', '--keyring', 'public.gpg']
      expect(await pullChart(repository, '4.0.0', verifying)).toBe(digestOf(image))
      await expectSuccess(countersign.judges(world, { ...task, image: `${repository}@${digestOf(image)}` }))
    })

    it('the file that helm pulls verifies with the bundle of the file that was packaged, and a changed one does not', async () => {
      const file = await packageChart('5.0.0')
      const services = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '-y']
      const token = ['--identity-token', await world.sigstore.identityToken(email)]
      await expectSuccess(world.countersign(['sign-blob', ...services, ...token, '--bundle', 'chart.json', file]))
      await pushChart(file, registry, 'files')
      await pullChart(`${world.host(registry)}/files/app`, '5.0.0')
      const who = ['--certificate-identity', email, '--certificate-oidc-issuer', `${world.sigstore.url}/oidc`]
      const verify = (chart: string): string[] => ['verify-blob', '--bundle', 'chart.json', '--trusted-root', 'root.json', ...who, chart]
      const runs = [world.countersign, ...(cosign === undefined ? [] : [(words: readonly string[]) => world.run(cosign, words)])]
      await packageChart('5.0.1')
      for (const run of runs) {
        expect((await expectSuccess(run(verify(`pulled/${file}`)))).stderr).toContain('Verified OK\n')
        const changed = await run(verify('app-5.0.1.tgz'))
        expect([changed.exitCode, changed.stderr.includes('Verified OK')]).toEqual([1, false])
      }
    })
  })
}

const taskOf = (image: string, layout: Task['layout']): Task => ({ kind: 'signature', layout, keyless: false, image })
