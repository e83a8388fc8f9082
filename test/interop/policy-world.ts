/** An image with an attestation, which `verify-attestation` judges by policies: ours by a real program of the language, cosign by what is built in. */
import path from 'node:path'
import { countersign, predicateType } from './image-clients.ts'
import { expectSuccess, openImageWorld } from './image-world.ts'
import type { Ending } from './peer.ts'
import { findPeer } from './peer.ts'

export interface Judgement {
  readonly ours: Ending
  /** Undefined where there is no cosign. */
  readonly theirs: Ending | undefined
}

export interface PolicyWorld {
  /** How we and cosign end with these policies, the texts of files by name. */
  judged(policies: Readonly<Record<string, string>>): Promise<Judgement>
  /** How we end with files that are there. @param searched the PATH; default the folder of the program */
  verifies(files: readonly string[], searched?: string): Promise<Ending>
  stop(): Promise<void>
}

/** Starts everything. The attestation says `{"passed":12}`. @param evaluator the program of the language, which is there */
export async function openPolicyWorld(evaluator: string): Promise<PolicyWorld> {
  const folder = path.dirname(findPeer(evaluator) ?? '')
  const cosign = findPeer('cosign')
  const world = await openImageWorld()
  const image = await world.pushImage('docker-registry', 'policies')
  await expectSuccess(countersign.signs(world, { kind: 'attestation', layout: 'bundle', keyless: false, image }))
  const trust = ['--key', 'own.pub', '--trusted-root', 'root.json', '--type', predicateType]
  const words = (files: readonly string[]): string[] => [
    'verify-attestation',
    ...trust,
    ...files.flatMap((file) => ['--policy', file]),
    image,
  ]
  const verifies = (files: readonly string[], searched = folder): Promise<Ending> => world.countersign(words(files), { PATH: searched })
  return {
    verifies,
    judged: async (policies) => {
      for (const [name, policy] of Object.entries(policies)) world.write(name, policy)
      const files = Object.keys(policies)
      return { ours: await verifies(files), theirs: cosign === undefined ? undefined : await world.run(cosign, words(files)) }
    },
    stop: () => world.stop(),
  }
}
