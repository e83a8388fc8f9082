/** How a TUF repository is, for health checks and the operator. */
import type { AwaitedSignatures } from './offline-signatures.ts'
import type { ByRole } from './repository-store.ts'

/** What came of a change. */
export interface Outcome {
  /** The versions that are published now; undefined while the first edition lacks signatures. */
  readonly versions: ByRole | undefined
  /** Metadata that keys which are offline have to sign. */
  readonly awaiting: readonly AwaitedSignatures[]
}

/** How the repository is now. */
export interface RepositoryStatus extends Outcome {
  /** Epoch milliseconds. */
  readonly expires: ByRole | undefined
  /** Why clients refuse what is published, or nothing is signed: sentences. */
  readonly problems: readonly string[]
  /** What somebody has to do while clients go on as they are: sentences. */
  readonly notices: readonly string[]
}

/** A root whose keys are offline takes people some time. */
const noticeMs = 60 * 86_400_000

/** What there is to say about metadata with these ends at an instant. */
export function assess(
  awaiting: readonly AwaitedSignatures[],
  expires: ByRole,
  now: number,
): { readonly problems: string[]; readonly notices: string[] } {
  const problems: string[] = []
  const notices = awaiting.map(
    ({ role, version, signed, threshold }) => `version ${version} of ${role}.json waits for signatures: it has ${signed} of ${threshold}`,
  )
  for (const role of ['root', 'targets', 'snapshot', 'timestamp'] as const) {
    const instant = new Date(expires[role]).toISOString()
    const isOfflineRole = role === 'root' || role === 'targets'
    if (now >= expires[role]) problems.push(`${role}.json expired at ${instant}`)
    else if (isOfflineRole && now >= expires[role] - noticeMs)
      notices.push(`${role}.json expires at ${instant} and is not renewed by itself`)
  }
  return { problems, notices }
}
