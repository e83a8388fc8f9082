/**
 * `npm run bench -- server`: log entries, certificates and timestamps a second over HTTP, with the clients in another process and
 * the real servers beside it. Ours is the program as users start it: SQLite on disk, every answer durable.
 */
import type { KeyObject } from 'node:crypto'
import { generateKeyPairSync } from 'node:crypto'
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import { exportJWK } from 'jose'
import type { Figure } from './figure.ts'
import type { BenchmarkOptions } from './options.ts'
import { startBareDaemon } from './peers/bare-log/daemon.ts'
import { median } from './rounds.ts'
import type { LoadResult } from './server/load-client.ts'
import { measureGrowth } from './server/growth.ts'
import type { LoadProcess } from './server/load-process.ts'
import { startLoadProcess } from './server/load-process.ts'
import { certificateRequests, hashedRekordRequests, timestampRequests } from './server/request-bodies.ts'
import type { ServerProcess } from './server/server-process.ts'
import {
  freePort,
  peerProgram,
  startCountersign,
  startFulcio,
  startRekorTiles,
  startTimestampServer,
  temporaryFolder,
} from './server/server-process.ts'

const clients = 64
const defaultRounds = 3

/** A kind of request, and the servers that answer it. */
interface Race {
  readonly path: string
  readonly expected: number
  readonly bodies: (count: number) => Uint8Array[] | Promise<Uint8Array[]>
  readonly perRound: number
}

const rekor: Race = { path: '/api/v2/log/entries', expected: 201, bodies: hashedRekordRequests, perRound: 6_000 }
const timestamps: Race = { path: '/api/v1/timestamp', expected: 200, bodies: timestampRequests, perRound: 10_000 }

/** The rows, by the names that `--row` takes. */
const rows: Readonly<Record<string, (bench: Bench) => Promise<Figure[]>>> = {
  entries: raceLogs,
  certificates: ({ issuer, ...bench }) => {
    const race: Race = {
      path: '/api/v2/signingCert',
      expected: 200,
      bodies: (count) => certificateRequests(count, issuer),
      perRound: 3_000,
    }
    return racePeer(
      bench,
      'certificates',
      race,
      'fulcio',
      startPeer('fulcio', (program) => startFulcio(program, issuer.url)),
      1.5,
    )
  },
  timestamps: (bench) =>
    racePeer(bench, 'timestamps', timestamps, 'timestamp-server', startPeer('timestamp-server', startTimestampServer), 1.1),
}

/** Rows that run when they are asked for: they take minutes. */
const rowsOnRequest: Readonly<Record<string, (bench: Bench) => Promise<Figure[]>>> = {
  growth: ({ load, rounds }) =>
    measureGrowth((server, perRound) => measureRound(load, { ...rekor, perRound }, server), Math.max(rounds, 7)),
}

/** What the rows share. */
interface Bench {
  readonly load: LoadProcess
  readonly ours: ServerProcess
  readonly issuer: BenchIssuer
  readonly rounds: number
}

/** Runs all races, or one. */
export async function run({ rounds = defaultRounds, row }: BenchmarkOptions): Promise<Figure[]> {
  const known = { ...rows, ...rowsOnRequest }
  if (row !== undefined && !Object.hasOwn(known, row)) throw new Error(`--row takes ${Object.keys(known).join(', ')}, found ${row}`)
  const issuer = await startIssuer()
  const ours = await startCountersign(
    `oidc-issuers:\n  ${issuer.url}:\n    issuer-url: ${issuer.url}\n    client-id: sigstore\n    type: email\n`,
  )
  const load = startLoadProcess()
  const figures: Figure[] = []
  try {
    for (const [name, measure] of Object.entries(known)) {
      if (row === undefined ? name in rows : row === name) figures.push(...(await measure({ load, ours, issuer, rounds })))
    }
    return figures
  } finally {
    load.close()
    ours.stop()
    issuer.close()
  }
}

async function raceLogs({ load, ours, rounds }: Bench): Promise<Figure[]> {
  const folder = temporaryFolder()
  const barePort = await startBareDaemon(path.join(folder, 'journal'))
  const measured: Measurement[] = []
  const bare: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const result = await measureRound(load, rekor, ours)
    const floor = await apply(load, rekor, barePort)
    if (round === 0) continue
    measured.push(result)
    bare.push(floor.perSecond)
  }
  rmSync(folder, { recursive: true })
  const alone = await apply(load, rekor, ours.port, 1, 300)
  const value = median(measured.map(({ perSecond }) => perSecond))
  const shared = { name: `Rekor v2 adds, ${clients} clients`, value, unit: '/s' }
  const figures: Figure[] = [
    { ...shared, peer: 'bare daemon', peerValue: median(bare), goal: { bound: 'at-least', of: 0.7 } },
    {
      name: `Rekor v2 adds, ${clients} clients, p99`,
      value: median(measured.map(({ p99Ms }) => p99Ms)),
      unit: 'ms',
      goal: { bound: 'at-most', of: 150 },
    },
    { name: 'Rekor v2 adds, one client, p50', value: alone.p50Ms, unit: 'ms', goal: { bound: 'at-most', of: 30 } },
    processorFigure('Rekor v2 adds', measured),
  ]
  const tiles = await startPeer('posix', startRekorTiles)()
  if (tiles !== undefined) {
    // It answers once in ten seconds, all that have asked by then: two rounds of all clients are enough.
    const theirs = await apply(load, rekor, tiles.port, clients, 2 * clients)
    tiles.stop()
    figures.splice(1, 0, { ...shared, peer: 'rekor-tiles', peerValue: theirs.perSecond, goal: { bound: 'at-least', of: 20 } })
  }
  return figures
}

async function racePeer(
  { load, ours, rounds }: Omit<Bench, 'issuer'>,
  name: string,
  race: Race,
  peerName: string,
  start: () => Promise<ServerProcess | undefined>,
  goal: number,
): Promise<Figure[]> {
  const peer = await start()
  const mine: Measurement[] = []
  const theirs: Measurement[] = []
  for (let round = 0; round <= rounds; round++) {
    const result = await measureRound(load, race, ours)
    const beside = peer === undefined ? undefined : await measureRound(load, race, peer)
    if (round === 0) continue
    mine.push(result)
    if (beside !== undefined) theirs.push(beside)
  }
  peer?.stop()
  const value = median(mine.map(({ perSecond }) => perSecond))
  const figure: Figure = { name: `${name}, ${clients} clients`, value, unit: '/s' }
  if (peer === undefined) return [figure, processorFigure(name, mine)]
  const peerValue = median(theirs.map(({ perSecond }) => perSecond))
  return [
    { ...figure, peer: peerName, peerValue, goal: { bound: 'at-least', of: goal } },
    {
      ...processorFigure(name, mine),
      peer: peerName,
      peerValue: median(theirs.map(({ cpuMicroseconds }) => cpuMicroseconds)),
    },
  ]
}

/** What does not move with the load of the machine as rates do. */
function processorFigure(name: string, measured: readonly Measurement[]): Figure {
  const value = median(measured.map(({ cpuMicroseconds }) => cpuMicroseconds))
  return { name: `${name}, processor time each`, value, unit: 'µs' }
}

interface Measurement extends LoadResult {
  /** Of the server, for each request. */
  readonly cpuMicroseconds: number
}

async function measureRound(load: LoadProcess, race: Race, server: ServerProcess): Promise<Measurement> {
  const before = server.cpu()
  const result = await apply(load, race, server.port)
  return { ...result, cpuMicroseconds: (server.cpu() - before) / race.perRound }
}

async function apply(load: LoadProcess, race: Race, port: number, connections = clients, count = race.perRound): Promise<LoadResult> {
  const result = await load.run({
    host: '127.0.0.1',
    port,
    path: race.path,
    contentType: 'application/json',
    headers: {},
    bodies: await race.bodies(count),
    clients: connections,
    expected: race.expected,
  })
  if (result.failures > 0) throw new Error(`${result.failures} of ${count} requests failed at ${race.path}: ${result.firstFailure ?? ''}`)
  return result
}

function startPeer(name: string, start: (program: string) => Promise<ServerProcess>): () => Promise<ServerProcess | undefined> {
  return async () => {
    const program = peerProgram(name)
    if (program !== undefined) return start(program)
    console.log(`${name} is not installed (npm run peers): left out`)
    return undefined
  }
}

interface BenchIssuer {
  readonly url: string
  readonly privateKey: KeyObject
  readonly keyId: string
  close(): void
}

/** An OpenID provider that both authorities trust: discovery and one key. */
async function startIssuer(): Promise<BenchIssuer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keyId = 'bench'
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: keyId, alg: 'ES256', use: 'sig' }] }
  const discovery = {
    issuer: url,
    jwks_uri: `${url}/jwks`,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    id_token_signing_alg_values_supported: ['ES256'],
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
  }
  const server = createServer((request, response) => {
    const body = JSON.stringify(request.url === '/jwks' ? keys : discovery)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body)
  })
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve))
  return {
    url,
    privateKey,
    keyId,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
