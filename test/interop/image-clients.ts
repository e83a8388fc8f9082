/** Clients that sign and verify images, each used as its users use it. */
import { expect } from 'vitest'
import type { Ending } from './peer.ts'
import { findPeer } from './peer.ts'
import type { ImageWorld } from './image-world.ts'
import { digestOf, expectSuccess, password } from './image-world.ts'

export type Kind = 'signature' | 'attestation'
export type Layout = 'bundle' | 'tag'

/** How something is signed, and how it is to be verified. */
export interface Task {
  readonly kind: Kind
  readonly layout: Layout
  readonly keyless: boolean
  readonly image: string
  /** Annotations, `key=value`. */
  readonly annotations?: readonly string[]
  readonly recursive?: boolean
  /** The repository of COSIGN_REPOSITORY. */
  readonly elsewhere?: string | undefined
}

/** What is asked of a verifier beside the truth. */
export interface Doubt {
  /** Another signer than the one who signed. */
  readonly otherSigner?: boolean
  readonly annotations?: readonly string[]
  readonly type?: string
}

export interface ImageClient {
  readonly name: string
  readonly isMissing: boolean
  /** In what form it signs, and what it can read. */
  readonly layouts: readonly Layout[]
  readonly signs: (world: ImageWorld, task: Task) => Promise<Ending>
  readonly judges: (world: ImageWorld, task: Task, doubt?: Doubt) => Promise<Ending>
}

export const email = 'dev@example.com'
export const predicateType = 'https://example.com/tests/v1'

type Environment = Readonly<Record<string, string>>
type Run = (world: ImageWorld, argv: readonly string[], env: Environment) => Promise<Ending>

/** What a client wants to be told beside what the others are told. */
interface Habits {
  /** To sign, with the services and the format. */
  readonly signing: (world: ImageWorld, task: Task) => readonly string[]
  /** To verify. */
  readonly verifying: (task: Task) => readonly string[]
  readonly env?: (world: ImageWorld, task: Task) => Environment
}

function client(name: string, layouts: readonly Layout[], isMissing: boolean, run: Run, habits: Habits): ImageClient {
  const environment = (world: ImageWorld, task: Task): Environment => ({
    COSIGN_PASSWORD: password,
    ...(task.elsewhere === undefined ? {} : { COSIGN_REPOSITORY: task.elsewhere }),
    ...habits.env?.(world, task),
  })
  const noted = (annotations: readonly string[] = []): string[] => annotations.flatMap((annotation) => ['-a', annotation])
  return {
    name,
    layouts,
    isMissing,
    signs: async (world, task) => {
      const verb =
        task.kind === 'signature'
          ? ['sign', ...noted(task.annotations)]
          : ['attest', '--predicate', 'predicate.json', '--type', predicateType]
      const signer = task.keyless ? ['--identity-token', await world.sigstore.identityToken(email)] : ['--key', 'own.key']
      const recursive = task.recursive === true ? ['--recursive'] : []
      return run(world, [...verb, ...signer, ...recursive, ...habits.signing(world, task), task.image], environment(world, task))
    },
    judges: (world, task, doubt = {}) => {
      const verb =
        task.kind === 'signature'
          ? ['verify', ...noted(doubt.annotations ?? task.annotations)]
          : ['verify-attestation', '--type', doubt.type ?? predicateType]
      const isOther = doubt.otherSigner === true
      const who = ['--certificate-identity', isOther ? 'eve@example.com' : email, '--certificate-oidc-issuer', `${world.sigstore.url}/oidc`]
      const signer = task.keyless ? who : ['--key', isOther ? 'other.pub' : 'own.pub']
      return run(world, [...verb, ...signer, ...habits.verifying(task), task.image], environment(world, task))
    },
  }
}

function peer(name: string, program: string | undefined, layouts: readonly Layout[], habits: Habits): ImageClient {
  return client(name, layouts, program === undefined, (world, argv, env) => world.run(program, argv, env), habits)
}

const services = ({ sigstore }: ImageWorld): string[] => ['--rekor-url', sigstore.url, '--fulcio-url', sigstore.url, '-y']
const oldForm = (world: ImageWorld): string[] => ['--new-bundle-format=false', '--use-signing-config=false', ...services(world)]
const trustedRoot = ['--trusted-root', 'root.json']
const bundleServices = ['--signing-config', 'config.json', ...trustedRoot, '-y']
const oldTrust = ({ oldTrust: variables }: ImageWorld, { layout }: Task): Environment => (layout === 'tag' ? variables : {})

export const countersign = client('countersign', ['bundle', 'tag'], false, (world, argv, env) => world.countersign(argv, env), {
  signing: (world, { layout }) => (layout === 'bundle' ? bundleServices : [...oldForm(world), ...trustedRoot]),
  verifying: ({ recursive, kind }) => [...trustedRoot, ...(recursive === true && kind === 'signature' ? ['--recursive'] : [])],
})

export const cosign3 = peer('cosign 3', findPeer('cosign'), ['bundle', 'tag'], {
  signing: (world, { layout }) => (layout === 'bundle' ? bundleServices : oldForm(world)),
  verifying: ({ layout }) => (layout === 'bundle' ? trustedRoot : []),
  env: oldTrust,
})

export const cosign2 = peer('cosign 2', findPeer('cosign2'), ['tag'], {
  signing: services,
  verifying: ({ layout }) => (layout === 'bundle' ? [...trustedRoot, '--new-bundle-format'] : []),
  env: oldTrust,
})

/** Its keyless signatures, and its use of a log, are behind a variable. */
const cosign1 = peer('cosign 1', findPeer('cosign1'), ['tag'], {
  signing: (world) => [...services(world), '--force'],
  verifying: () => [],
  env: ({ oldTrust: variables, sigstore }) => ({ COSIGN_EXPERIMENTAL: '1', COSIGN_REKOR_URL: sigstore.url, ...variables }),
})

export const imageClients: readonly ImageClient[] = [countersign, cosign3, cosign2, cosign1]

/** The clients that are here and sign in this form today: ours, and that cosign for which it was the usual one. */
export const signersOf = (layout: Layout): readonly ImageClient[] =>
  [countersign, layout === 'tag' ? cosign2 : cosign3].filter((one) => !one.isMissing)

/** The clients that are here and read this form. */
export const judgesOf = (layout: Layout): readonly ImageClient[] =>
  [countersign, cosign3, ...(layout === 'tag' ? [cosign2] : [])].filter((one) => !one.isMissing)

/** Everybody takes the image, by each of its names, as signed by this signer alone; and refuses one that nobody has signed. */
export async function expectJudgedRight(world: ImageWorld, task: Task, unsigned: string, names = [task.image]): Promise<void> {
  for (const judge of judgesOf(task.layout)) {
    for (const image of names) {
      const { stdout } = await expectSuccess(judge.judges(world, { ...task, image }))
      expect(stdout).toContain(task.kind === 'signature' ? digestOf(task.image) : '"payloadType":"application/vnd.in-toto+json"')
    }
    const other = await judge.judges(world, task, { otherSigner: true })
    expect([judge.name, other.exitCode === 0, other.stdout]).toEqual([judge.name, false, ''])
  }
  await expectUnsigned(world, { ...task, image: unsigned })
}

/** Nobody finds a signature, and all say so by the exit code of cosign. */
export async function expectUnsigned(world: ImageWorld, task: Task): Promise<void> {
  for (const judge of judgesOf(task.layout)) {
    const { exitCode, stdout } = await judge.judges(world, task)
    expect([judge.name, exitCode, stdout]).toEqual([judge.name, task.kind === 'signature' ? 10 : 1, ''])
  }
}
