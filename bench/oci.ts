/**
 * `npm run bench -- oci`: `verify` of images as a whole process beside the real cosign, against two real registries; how many requests a
 * verification takes, and how many of them one after the other; and a thousand different images in one process.
 */
import { spawn } from 'node:child_process'
import { createServer, request as forward } from 'node:http'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { openRepository } from '../src/oci/open-repository.ts'
import type { Repository } from '../src/oci/repository.ts'
import { signPredicateType } from '../src/oci/signature-places.ts'
import { storeBundle } from '../src/oci/store-signatures.ts'
import { verifyImage } from '../src/oci/verified-image.ts'
import { loadTrustMaterial } from '../src/trust/trust-material.ts'
import { pushImage } from '../test/support/images.ts'
import type { RealRegistry } from '../test/support/registries.ts'
import { missingRegistries, startDockerRegistry, startReferrersRegistry } from '../test/support/registries.ts'
import { imageSignature } from '../test/support/signed-image.ts'
import { identity, issuer, newKey, universeOf } from '../test/support/universe/universe.ts'
import { bareEnvironment, buildProgram } from './cli.ts'
import type { Figure, Goal } from './figure.ts'
import type { BenchmarkOptions } from './options.ts'
import { findPeer, withFolder } from './places.ts'
import { medianOfRounds } from './rounds.ts'
import type { Round } from './rounds.ts'

const defaultRounds = 15
const many = 50
const images = 1000
const atATime = 16
/** Of the images, cosign verifies as many as say how long it takes for one. */
const imagesForCosign = 25
/** Added to every answer, to see how many are waited for one after the other. */
const delayMs = 60
const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
const words = ['verify', ...who, '--trusted-root', 'trusted_root.json']

/** Limits of our time over cosign's. */
const goals: Readonly<Record<string, readonly [one: number, many: number]>> = {
  'referrers registry': [1.5, 1],
  'docker-registry': [1.5, 0.5],
}

interface Contestants {
  readonly countersign: string
  readonly cosign: string
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
}

/** Runs the benchmark. */
export function run(options: BenchmarkOptions): Promise<readonly Figure[]> {
  const cosign = findPeer('cosign')
  if (missingRegistries().length > 0 || cosign === undefined) {
    console.log('the benchmark is left out: it needs both registries and cosign (apt-get install docker-registry; npm run peers)')
    return Promise.resolve([])
  }
  return withFolder(async (folder) => {
    writeFileSync(path.join(folder, 'trusted_root.json'), universeOf().trustedRoot())
    const contestants = { countersign: buildProgram(), cosign, folder, env: bareEnvironment(folder) }
    const figures: Figure[] = []
    for (const [name, start] of [
      ['referrers registry', startReferrersRegistry],
      ['docker-registry', startDockerRegistry],
    ] as const) {
      const registry = await start()
      try {
        figures.push(...(await wholeProcess(name, registry, contestants, options.rounds ?? defaultRounds)))
        if (name === 'referrers registry') figures.push(await inProcess(registry, contestants))
      } finally {
        await registry.stop()
      }
    }
    return figures
  })
}

async function wholeProcess(name: string, registry: RealRegistry, contestants: Contestants, rounds: number): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const [index, count] of [1, many].entries()) {
    const repository = openRepository(`${registry.host}/signed-${count}`, { env: {} })
    const reference = `${registry.host}/signed-${count}@${await signedImage(repository, `image of ${count}`, count)}`
    const { medians } = await race(reference, contestants, rounds)
    const what = `${count === 1 ? 'one signature' : `${count} signatures`}, ${name}`
    const goal: Goal = { bound: 'at-most', of: goals[name]?.[index] ?? 1 }
    figures.push({ name: `verify, ${what}`, value: medians[0], unit: 'ms', peer: 'cosign', peerValue: medians[1], goal })
    figures.push(...(await traffic(registry, reference, contestants, what)))
  }
  return figures
}

async function race(reference: string, contestants: Contestants, rounds: number): Promise<{ readonly medians: readonly [number, number] }> {
  const { countersign, cosign } = contestants
  const contenders = new Map<string, Round>([
    ['countersign', () => timeOf(contestants, process.execPath, [countersign, ...words, reference])],
    ['cosign', () => timeOf(contestants, cosign, [...words, reference])],
  ])
  const medians = await medianOfRounds(rounds, contenders)
  return { medians: [medians.get('countersign') ?? Number.NaN, medians.get('cosign') ?? Number.NaN] }
}

/** How many requests there are, and how many of them wait for another. */
async function traffic(registry: RealRegistry, reference: string, contestants: Contestants, what: string): Promise<Figure[]> {
  const { countersign, cosign } = contestants
  const proxy = await startProxy(registry.host)
  const seen = reference.replace(registry.host, proxy.host)
  const measure = async (program: string, argv: readonly string[]): Promise<{ readonly requests: number; readonly depth: number }> => {
    // What differs between the two is what the delays have cost.
    const times: number[] = []
    for (const delay of [0, delayMs, 0, delayMs]) {
      proxy.begin(delay)
      times.push(await timeOf(contestants, program, argv))
    }
    const [withoutOnce = 0, withOnce = 0, withoutAgain = 0, withAgain = 0] = times
    return {
      requests: proxy.requests(),
      depth: Math.round((Math.min(withOnce, withAgain) - Math.min(withoutOnce, withoutAgain)) / delayMs),
    }
  }
  try {
    const ours = await measure(process.execPath, [countersign, ...words, seen])
    const theirs = await measure(cosign, [...words, seen])
    const goal: Goal = { bound: 'at-most', of: 1 }
    return [
      { name: `requests, ${what}`, value: ours.requests, unit: 'requests', peer: 'cosign', peerValue: theirs.requests },
      { name: `depth, ${what}`, value: ours.depth, unit: 'round trips', peer: 'cosign', peerValue: theirs.depth, goal },
    ]
  } finally {
    await proxy.stop()
  }
}

/** A thousand images, each signed by somebody else's key and certificate. */
async function inProcess(registry: RealRegistry, contestants: Contestants): Promise<Figure> {
  const repository = openRepository(`${registry.host}/thousand`, { env: {} })
  const digests = await inParallel(
    Array.from({ length: images }, (_, index) => index),
    (index) => signedImage(repository, `image ${index}`, 1),
  )
  const trust = loadTrustMaterial(universeOf().trustedRoot())
  const signer = { kind: 'certificate', identities: [{ subjectAlternativeName: identity, issuer }] } as const
  const verifying = openRepository(`${registry.host}/thousand`, { env: {} })
  const start = performance.now()
  await inParallel(digests, (digest) => verifyImage(verifying, digest, { signer, trust, demands: { now: new Date() } }))
  const value = (images * 1000) / (performance.now() - start)
  let spent = 0
  for (const digest of digests.slice(0, imagesForCosign)) {
    spent += await timeOf(contestants, contestants.cosign, [...words, `${registry.host}/thousand@${digest}`])
  }
  const peerValue = (imagesForCosign * 1000) / spent
  return {
    name: `${images} images in one process`,
    value,
    unit: '/s',
    peer: 'cosign, one by one',
    peerValue,
    goal: { bound: 'at-least', of: 3 },
  }
}

/** @returns the digest of an image with so many signatures, all by different keys */
async function signedImage(repository: Repository, contents: string, signatures: number): Promise<string> {
  const image = await pushImage(repository, undefined, contents)
  for (let made = 0; made < signatures; made++) {
    const bundle = imageSignature(image.digest, { key: newKey() }).json
    await storeBundle(repository, image, { bundle, content: 'dsse-envelope', predicateType: signPredicateType, created: new Date() })
  }
  return image.digest
}

async function inParallel<Thing, Result>(things: readonly Thing[], work: (thing: Thing) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  const waiting = [...things.entries()]
  const workers = Array.from({ length: atATime }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results[next[0]] = await work(next[1])
  })
  await Promise.all(workers)
  return results
}

/** Milliseconds of a whole process, while this one goes on serving. */
function timeOf({ folder, env }: Contestants, program: string, argv: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(program, argv, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.once('error', reject)
    child.once('exit', (status) => {
      const took = performance.now() - start
      if (status === 0) resolve(took)
      else child.once('close', () => reject(new Error(`${program} ${argv.join(' ')} failed: ${said}`)))
    })
  })
}

interface CountingProxy {
  readonly host: string
  begin(delay: number): void
  requests(): number
  stop(): Promise<void>
}

/** Passes requests on to a registry, counts them, and is as slow to answer as it is told to be. */
async function startProxy(registry: string): Promise<CountingProxy> {
  let [delay, requests] = [0, 0]
  const server = createServer((incoming, outgoing) => {
    requests++
    const [hostname, port] = registry.split(':')
    const { method, url, headers } = incoming
    const passed = forward({ hostname, port, method, path: url, headers }, (answer) => {
      setTimeout(() => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      }, delay)
    })
    passed.on('error', () => outgoing.destroy())
    incoming.pipe(passed)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the proxy listens on no port')
  return {
    host: `127.0.0.1:${address.port}`,
    begin: (wanted) => {
      delay = wanted
      requests = 0
    },
    requests: () => requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
