/** What the server has stored: its database, the heads of its logs, its TUF repository. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { encodeUtf8, equalBytes } from '../../encoding/bytes.ts'
import { encodeTrustedRoot } from '../../trust/trusted-root-writer.ts'
import { targetName } from '../../tuf/trusted-root.ts'
import { isMissing } from '../../error.ts'
import type { Administration } from '../administration.ts'
import { dataFiles } from '../data-folder.ts'
import type { LogMaterial } from '../material.ts'
import { trustedRootOf } from '../public-trust.ts'
import { publicTrustOf } from '../server-trust.ts'
import { demandNoOlderThanRotations } from '../rotation-memory.ts'
import { schemaVersion } from '../storage/migrations.ts'
import { examineRollback } from '../tile-log/anti-rollback.ts'
import type { Diagnosis } from './diagnosis.ts'
import { examine, failure, ok, warning } from './diagnosis.ts'

/** The clocks of several front ends differ a little. */
const clockToleranceMs = 10_000

/** The database, which could be opened, and whether the configuration is that of it. */
export async function examineDatabase({ storage, material }: Administration): Promise<Diagnosis[]> {
  await demandNoOlderThanRotations(storage.documents, material)
  return [ok('database', `${storage.kind === 'postgres' ? 'PostgreSQL' : dataFiles.database}, schema version ${schemaVersion}`)]
}

/** The newest heads of all logs, against their copies and the clock. */
export async function examineHeads(administration: Administration, now: number): Promise<Diagnosis[]> {
  const { material } = administration
  const said = await Promise.all(material.logs.map((log) => examine('logs', () => examineHead(administration, log))))
  return [...said.flat(), ...(await examine('clock', () => clockAgainstHeads(administration, now)))]
}

/** What the repository says of itself. */
export function examineTuf({ tuf }: Administration): Promise<Diagnosis[]> {
  return examine('tuf', async () => {
    const { versions, expires, problems, notices } = await tuf.status()
    if (versions === undefined || expires === undefined)
      return [warning('tuf', 'nothing is published yet', 'start the server, which publishes the first edition')]
    const said = [
      ...problems.map((problem) => failure('tuf', problem)),
      ...notices.map((notice) => warning('tuf', notice, 'countersign server tuf status')),
    ]
    const until = new Date(Math.min(...Object.values(expires))).toISOString()
    return said.length > 0 ? said : [ok('tuf', `root ${versions.root}, targets ${versions.targets}, all of it valid until ${until}`)]
  })
}

/** The files that `export-trust` wrote to their usual place, if it did. */
export function examineExport({ folder, ...administration }: Administration): Promise<Diagnosis[]> {
  return examine('export', async () => {
    const file = path.join(folder, dataFiles.trust, targetName.trustedRoot)
    try {
      if (equalBytes(await readFile(file), encodeUtf8(trustedRootText(administration))))
        return [ok('export', `${dataFiles.trust}/${targetName.trustedRoot} is the server's trusted root`)]
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
    const message = `${dataFiles.trust}/${targetName.trustedRoot} is older than the server's trusted root`
    return [warning('export', message, 'countersign server export-trust, and hand the files out again to those who do not use TUF')]
  })
}

/** The trusted root that the server publishes. */
export function trustedRootText({ material, configuration }: Pick<Administration, 'material' | 'configuration'>): string {
  return encodeTrustedRoot(trustedRootOf(publicTrustOf(material, configuration.url, configuration.services.includes('issuer'))))
}

async function examineHead({ storage, folder }: Administration, { id, state }: LogMaterial): Promise<Diagnosis[]> {
  const { kind, databaseSize, reason } = await examineRollback({ logId: id, storage, headsFolder: path.join(folder, dataFiles.heads) })
  if (kind === 'none' && databaseSize === undefined) return [ok('logs', `${id} has not begun yet`)]
  if (kind === 'none') return [ok('logs', `${id}: ${databaseSize} entries${state === 'active' ? '' : `, ${state}`}`)]
  return [failure('logs', `${id}: ${reason}`)]
}

async function clockAgainstHeads({ material, storage }: Administration, now: number): Promise<Diagnosis[]> {
  const heads = await Promise.allSettled(material.logs.map(async ({ id }) => (await storage.heads.load(id))?.head))
  // Those that cannot be read were told of with the logs.
  const times = heads.flatMap((read) =>
    read.status === 'fulfilled' && read.value !== undefined && read.value.size > 0n ? [read.value.timestampMs] : [],
  )
  const signedMs = Math.max(0, ...times)
  if (now + clockToleranceMs >= signedMs) return [ok('clock', 'not behind what the logs have signed')]
  const seconds = Math.round((signedMs - now) / 1000)
  return [
    failure('clock', `the clock is ${seconds} s behind what the logs have signed`, 'set it: no timestamps are given until it is right'),
  ]
}
