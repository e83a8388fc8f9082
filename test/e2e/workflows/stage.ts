/**
 * Where the rows of the acceptance list are played: a shell, a private Sigstore that stands in for the public instance, GitHub Actions, and
 * registries on this machine that answer under the names that the rows have.
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseBundle } from '../../../src/bundle/bundle.ts'
import { encodeSimpleSigning } from '../../../src/bundle/simple-signing.ts'
import { openRepository } from '../../../src/oci/open-repository.ts'
import type { Repository } from '../../../src/oci/repository.ts'
import { storeLayer } from '../../../src/oci/store-signatures.ts'
import type { StartedSigstore } from '../../interop/server/private-sigstore.ts'
import { startSigstore } from '../../interop/server/private-sigstore.ts'
import { pushImage } from '../../support/images.ts'
import { forwardTo, startInternet } from '../../support/internet.ts'
import type { RealRegistry } from '../../support/registries.ts'
import { signBlob, universeOf } from '../../support/universe/universe.ts'
import { createGithubActions, githubHosts, githubIssuer } from './github-actions.ts'
import type { Shell } from './shell.ts'
import { openShell } from './shell.ts'

export interface Stage {
  readonly sigstore: StartedSigstore
  readonly shell: Shell
  /** Gives the names of registries to another one from now on. */
  lead(registry: RealRegistry): void
  /** A repository by its name on the stage. */
  repository(name: string): Repository
  /** Stores an image that is like no other. @param name `ghcr.io/org/app:tag` @returns its digest */
  push(name: string): Promise<string>
  stop(): Promise<void>
}

const registryHosts = ['ghcr.io', 'gcr.io', 'index.docker.io']

/** Sets it. @param registry what answers for ghcr.io, gcr.io and Docker Hub; it is stopped with the stage */
export async function openStage(registry?: RealRegistry): Promise<Stage> {
  const github = createGithubActions()
  let forward = registry === undefined ? undefined : forwardTo(registry.host)
  const internet = await startInternet([...githubHosts, ...registryHosts], (request) =>
    githubHosts.includes(request.host) ? github(request) : forward?.(request),
  )
  const sigstore = await startSigstore({ env: internet.env })
  sigstore.addIssuers(`  ${githubIssuer}:
    issuer-url: ${githubIssuer}
    client-id: sigstore
    type: ci-provider
    ci-provider: github-workflow
`)
  const shell = await openShell(sigstore, internet.env)
  const repository = (name: string): Repository =>
    openRepository(name, { env: { ...shell.env, DOCKER_CONFIG: `${shell.env['HOME'] ?? ''}/.docker` } })
  return {
    sigstore,
    shell,
    repository,
    lead: (other) => {
      forward = forwardTo(other.host)
    },
    push: async (name) => {
      const colon = name.lastIndexOf(':')
      return (await pushImage(repository(name.slice(0, colon)), name.slice(colon + 1), `the layer of ${name}`)).digest
    },
    stop: async () => {
      await sigstore.stop()
      await internet.close()
      await registry?.stop()
    },
  }
}

/** Signs as cosign 1 and 2 did, with an identity that an issuer of the public instance vouches for. */
export async function signOnPublicInstance(
  stage: Stage,
  { name, digest, email, issuer }: { readonly name: string; readonly digest: string; readonly email: string; readonly issuer: string },
): Promise<void> {
  const payload = Buffer.from(encodeSimpleSigning({ dockerReference: name, dockerManifestDigest: digest }))
  const signed = signBlob({ subjects: [{ email }], oidcIssuer: issuer }, payload)
  await storeLayer(stage.repository(name), digest, { kind: 'signature', contents: payload, entity: parseBundle(signed.json) })
}

/** What lets every command of the shell trust that instance. */
export function publicTrust({ shell }: Stage): Readonly<Record<string, string>> {
  writeFileSync(path.join(shell.folder, 'public.json'), universeOf().trustedRoot())
  return { COSIGN_TRUSTED_ROOT: 'public.json' }
}
