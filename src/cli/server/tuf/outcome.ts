/** What came of a change of the TUF repository, in words. */
import type { ServerProgram } from '../../server-program.ts'
import { count } from '../output.ts'

type Rotation = Awaited<ReturnType<ServerProgram['rotateTuf']>>

/** Lines about what is published now, and what waits. */
export function describeOutcome({ versions, awaiting }: Rotation['outcome']): string[] {
  const published =
    versions === undefined
      ? 'nothing is published yet'
      : `published: root ${versions.root}, targets ${versions.targets}, snapshot ${versions.snapshot}, timestamp ${versions.timestamp}`
  const waiting = awaiting.flatMap(({ role, version, signed, threshold }) => [
    `version ${version} of ${role}.json waits for ${count(threshold - signed, 'more signature')} of ${threshold}:`,
    `  countersign server tuf export ${role} > ${role}.json`,
    `  countersign server tuf sign-${role} --key tuf-${role}.key ${role}.json     # where the key is`,
    `  countersign server tuf import ${role}.json`,
  ])
  return [published, ...waiting]
}

/** Lines about keys that `server.yaml` names from now on. */
export function describeConfigured(files: Rotation['nowConfigured']): string[] {
  if (files.size === 0) return []
  return [
    ...[...files].map(([role, file]) => `server.yaml names ${file} as the ${role} key now`),
    'Restart the server: it goes on with the keys that it started with, which the root does not name any more.',
  ]
}
