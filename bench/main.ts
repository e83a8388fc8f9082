/**
 * `npm run bench -- NAME [--json FILE] [options]`: runs one of the benchmarks. Each has its peer in the same run; README.md
 * says what the figures mean.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { serveArgument } from './contender.ts'
import type { Figure } from './figure.ts'
import { formatTable, toJson } from './figure.ts'
import type { BenchmarkOptions } from './options.ts'
import { parseRounds, parseSize } from './options.ts'
import { loadArgument, serveLoads } from './server/load-process.ts'

type Benchmark = (options: BenchmarkOptions) => Promise<readonly Figure[]>

interface Entry {
  readonly what: string
  readonly load: () => Promise<{ readonly run: Benchmark }>
}

const benchmarks: Readonly<Record<string, Entry>> = {
  verify: {
    what: 'verifications per second against @sigstore/verify, sigstore-go and bare node:crypto [--profile] [--rounds N]',
    load: () => import('./verify.ts'),
  },
  decode: { what: 'time of every decoder over hostile input', load: () => import('./decode.ts') },
  cli: { what: 'whole-process time of verify-blob against node -e 0 and cosign [--rounds N]', load: () => import('./cli.ts') },
  sign: {
    what: 'whole-process time of sign-blob --key against cosign, and a thousand files signed keyless by one command [--rounds N]',
    load: () => import('./sign.ts'),
  },
  server: {
    what: 'log entries, certificates and timestamps per second against rekor-tiles, fulcio and timestamp-server [--row NAME] [--rounds N]',
    load: () => import('./server.ts'),
  },
  oci: {
    what: 'whole-process time of verify of images against cosign on two registries, requests and round trips, a thousand images [--rounds N]',
    load: () => import('./oci.ts'),
  },
  memory: {
    what: 'memory and speed of verify-blob over a large file against openssl [--size 4GiB] [--content zeros|random] [--rounds N]',
    load: () => import('./memory.ts'),
  },
}

if (process.argv[2] === serveArgument) {
  const { serveContender } = await import('./node-contender.ts')
  await serveContender(process.argv[3])
} else if (process.argv[2] === loadArgument) {
  serveLoads()
} else {
  const status = await main()
  if (status !== 0) process.exitCode = status
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      profile: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      row: { type: 'string' },
      size: { type: 'string', default: '4GiB' },
      content: { type: 'string', default: 'zeros' },
    },
  })
  const [name = '', ...others] = positionals
  const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined
  if (benchmark === undefined || others.length > 0) {
    console.error(name === '' ? 'the benchmarks:' : `there is no benchmark ${JSON.stringify(positionals.join(' '))}, there are:`)
    for (const [known, { what }] of Object.entries(benchmarks)) console.error(`  ${known.padEnd(8)} ${what}`)
    return name === '' ? 0 : 1
  }
  const { run } = await benchmark.load()
  const figures = await run({
    profile: values.profile,
    rounds: parseRounds(values.rounds),
    row: values.row,
    fileBytes: parseSize(values.size),
    randomContent: values.content === 'random',
  })
  console.log(`\n${formatTable(figures)}`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures.map(toJson), undefined, 2)}\n`)
  return 0
}
