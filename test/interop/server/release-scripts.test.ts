/**
 * Release scripts, as projects have them in workflows, Makefiles and GoReleaser's configuration, word for word under the cosign of their time
 * and under ours: they end with the same status, print the same, and leave the same files. What differs from one signature to the next is
 * left out, and so are cosign 1's lines about files on standard output, which no other version prints there.
 */
import { spawn } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RealRegistry } from '../../support/registries.ts'
import { startDockerRegistry } from '../../support/registries.ts'
import { findFile, findPeer } from '../peer.ts'
import type { StartedSigstore } from './private-sigstore.ts'
import { machineEmail, startSigstore } from './private-sigstore.ts'

type Era = 1 | 2 | 3
const eras: Readonly<Record<Era, string | undefined>> = { 1: findPeer('cosign1'), 2: findPeer('cosign2'), 3: findPeer('cosign') }
const crane = findPeer('crane')
const jq = findFile(['/usr/bin/jq'], '/usr/bin/jq is not there: apt-get install jq')
const dockerRegistry = findFile(['/usr/bin/docker-registry'], '/usr/bin/docker-registry is not there: apt-get install docker-registry')
const isMissing = [...Object.values(eras), crane, jq, dockerRegistry].includes(undefined)

/** Pushes an image of this folder to $IMAGE. */
const push = 'tar cf layer.tar app.tgz && crane append -f layer.tar -t $IMAGE >/dev/null 2>&1'
const whoFlags = '--certificate-identity $WHO --certificate-oidc-issuer $ISSUER'
const lineEnd = String.raw`\n`

const scripts: Readonly<Record<Era, readonly (readonly [what: string, script: string])[]>> = {
  1: [
    ['GoReleaser, keyless', 'COSIGN_EXPERIMENTAL=1 cosign sign-blob --output-certificate=sums.pem --output-signature=sums.sig sums'],
    [
      'a script on standard input, keyless: nothing of it is taken for an answer',
      `printf 'export COSIGN_EXPERIMENTAL=1; cosign sign-blob --output-signature a.sig app.tgz${lineEnd}echo done${lineEnd}' | sh`,
    ],
    [
      'a redirected signature',
      'cosign sign-blob --key cosign.key app.tgz > a.sig && base64 -d a.sig > a.raw && openssl dgst -sha256 -verify cosign.pub -signature a.raw app.tgz',
    ],
    [
      'grep behind a verification',
      'cosign sign-blob --key cosign.key app.tgz > a.sig; cosign verify-blob --key cosign.pub --signature a.sig app.tgz 2>&1 | grep -x "Verified OK"',
    ],
    [
      'a password that is piped in',
      'unset COSIGN_PASSWORD; echo -n pw | cosign sign-blob --key cosign.key --output-signature a.sig app.tgz',
    ],
    ['one dash', 'cosign sign-blob -key cosign.key -output a.sig app.tgz && cosign verify-blob -key=cosign.pub -signature a.sig app.tgz'],
    [
      'several blobs at once',
      'cosign sign-blob -key cosign.key app.tgz sums > sigs && for n in 1 2; do f=$(echo app.tgz sums | cut -d" " -f$n); cosign verify-blob -key cosign.pub -signature <(sed -n ${n}p sigs) $f || exit 1; done; wc -l < sigs',
    ],
    [
      'a loop over files',
      'ls app.tgz sums | while read -r file; do cosign sign-blob --key cosign.key --output-signature $file.sig $file >/dev/null; echo $? $file; done',
    ],
    ['xargs', "ls app.tgz sums | xargs -n1 sh -c 'cosign sign-blob --key cosign.key --output-signature $0.sig $0'"],
    [
      'bytes',
      'cosign sign-blob --b64=false --key cosign.key app.tgz > a.raw; openssl dgst -sha256 -verify cosign.pub -signature a.raw app.tgz',
    ],
    [
      'files in no folder',
      'cosign sign-blob --key <(cat cosign.key) <(cat app.tgz) > a.sig; cosign verify-blob --key <(cat cosign.pub) --signature <(cat a.sig) <(cat app.tgz)',
    ],
    ['a key in a variable', 'KEY="$(cat cosign.key)" cosign public-key --key env://KEY | diff - cosign.pub && echo same'],
    [
      'an image',
      `${push}; cosign sign --key cosign.key -a git=abc $IMAGE && cosign verify --key cosign.pub -a git=abc $IMAGE | jq -r '.[0].optional.git'`,
    ],
    [
      'an image, with force',
      `${push}; cosign sign --force --key cosign.key $IMAGE && cat cosign.pub | cosign verify --key /dev/stdin $IMAGE >/dev/null`,
    ],
    ['no limit of time', `${push}; cosign sign --key cosign.key $IMAGE && cosign verify --timeout 0 --key cosign.pub $IMAGE >/dev/null`],
  ],
  2: [
    [
      'GoReleaser, keyless',
      `cosign sign-blob --output-certificate=sums.pem --output-signature=sums.sig sums --yes && cosign verify-blob --certificate sums.pem --signature sums.sig ${whoFlags} sums && sha256sum -c sums && base64 -d sums.pem | openssl x509 -noout -ext subjectAltName`,
    ],
    [
      'a bundle, and everything else with it',
      `cosign sign-blob --yes --bundle b.json --output-signature s.sig --output-certificate c.pem app.tgz && cosign verify-blob --bundle b.json --signature s.sig --cert c.pem ${whoFlags} app.tgz`,
    ],
    [
      "a bundle, and authorities of one's own",
      `cosign sign-blob --yes --bundle b.json app.tgz >/dev/null && cosign verify-blob --bundle b.json --certificate-chain $TRUST/fulcio.pem ${whoFlags} app.tgz`,
    ],
    [
      'a bundle by a key, and its signature',
      'cosign sign-blob --yes --key cosign.key --bundle b.json --output-signature s.sig app.tgz && cosign verify-blob --key cosign.pub --bundle b.json --signature s.sig app.tgz',
    ],
    ['another file', `cosign sign-blob --yes --bundle b.json app.tgz >/dev/null; cosign verify-blob --bundle b.json ${whoFlags} sums`],
    [
      'a signature of something else beside the bundle',
      'cosign sign-blob --yes --key cosign.key --bundle b.json app.tgz >/dev/null; cosign sign-blob --yes --key cosign.key --output-signature s.sig sums; cosign verify-blob --key cosign.pub --bundle b.json --signature s.sig app.tgz',
    ],
    ['yes', 'yes | cosign sign-blob --key cosign.key --output-signature a.sig app.tgz'],
    ['somebody who says no', 'echo n | cosign sign-blob --output-signature a.sig app.tgz'],
    [
      'recorded nowhere',
      'cosign sign-blob -y --key cosign.key --tlog-upload=false app.tgz > a.sig; cosign verify-blob --insecure-ignore-tlog=true --key cosign.pub --signature "$(cat a.sig)" app.tgz; cosign verify-blob --key cosign.pub --signature a.sig app.tgz',
    ],
    [
      'variables in the place of flags',
      'export COSIGN_KEY=cosign.key COSIGN_YES=true COSIGN_TLOG_UPLOAD=false; cosign sign-blob app.tgz > a.sig; COSIGN_KEY=cosign.pub COSIGN_INSECURE_IGNORE_TLOG=true COSIGN_SIGNATURE=a.sig cosign verify-blob app.tgz',
    ],
    [
      'an attestation into jq',
      'cosign attest-blob --yes --tlog-upload=false --key cosign.key --predicate predicate.json --type custom app.tgz | jq -r .payload | base64 -d | jq -c "[.predicateType, .predicate.Data]"',
    ],
    [
      "an image's last line",
      `${push}; cosign sign --yes --key cosign.key $IMAGE >/dev/null; RES=$(cosign verify --key cosign.pub $IMAGE 2>&1); echo "$RES" | tail -n1 | jq -c '.[0].critical.image | keys'`,
    ],
    [
      "an image's attestation",
      `${push}; cosign attest --yes --key cosign.key --predicate predicate.json --type https://example.com/t $IMAGE && cosign verify-attestation --key cosign.pub --type https://example.com/t $IMAGE | jq -r .payload | base64 -d | jq -c .predicate`,
    ],
    [
      'an image that nobody has signed',
      `${push}; cosign verify --key cosign.pub $IMAGE; echo $?; cosign verify --key cosign.pub $IMAGE-none; echo $?`,
    ],
    ['a signer in jq', `${push}; cosign sign --yes $IMAGE && cosign verify ${whoFlags} $IMAGE | jq -r '.[0].optional.Subject'`],
    [
      'an image, by its certificate',
      `${push}; cosign sign --yes --output-certificate c.pem $IMAGE && cosign verify --certificate c.pem --certificate-chain $TRUST/fulcio.pem ${whoFlags} $IMAGE >/dev/null`,
    ],
  ],
  3: [
    [
      'a bundle',
      `cosign sign-blob --yes --bundle app.sigstore.json app.tgz && cosign verify-blob app.tgz --bundle app.sigstore.json ${whoFlags} && jq -r .mediaType app.sigstore.json`,
    ],
    ['nobody who could answer', 'cosign sign-blob --key cosign.key --bundle app.sigstore.json app.tgz </dev/null'],
    [
      'a digest',
      `cosign sign-blob --yes --bundle b.json app.tgz; cosign verify-blob --bundle b.json ${whoFlags} sha256:$(sha256sum app.tgz | cut -d" " -f1)`,
    ],
    ['a bundle into jq', 'cosign sign-blob --yes --key cosign.key --bundle /dev/stdout app.tgz 2>/dev/null | jq -r .mediaType'],
    ['an image', `${push}; cosign sign $IMAGE </dev/null && cosign verify ${whoFlags} $IMAGE | jq -r '.[0].critical.type'`],
  ],
}

let sigstore: StartedSigstore
let registry: RealRegistry
let tokens: Server
let home: string
let shared: Record<string, string> = {}

beforeAll(async () => {
  if (isMissing) return
  ;[sigstore, registry] = [await startSigstore(), await startDockerRegistry()]
  tokens = createServer((_, response) => {
    void sigstore.token().then((value) => response.end(JSON.stringify({ value })))
  })
  await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve))
  const address = tokens.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  shared = {
    ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/?x=1`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of the job',
    COSIGN_PASSWORD: 'pw',
    TRUST: path.dirname(sigstore.trust('root.json')),
    WHO: machineEmail,
    ISSUER: sigstore.issuer,
  }
  home = sigstore.path('home')
  mkdirSync(home)
  for (const [era, program] of Object.entries(eras)) install(`cosign${era}`, (place) => symlinkSync(program ?? '', place))
  const built = path.resolve(import.meta.dirname, '../../../dist/cli/main.cjs')
  install('countersign', (place) => {
    writeFileSync(place, `#!/bin/sh\nexec "${process.execPath}" "${built}" "$@"\n`)
    chmodSync(place, 0o755)
  })
  mkdirSync(sigstore.path('sources'))
  sigstore.write('sources/app.tgz', 'what is released\n')
  sigstore.write('sources/predicate.json', '{"passed":12}')
  const words = ['initialize', '--mirror', `${sigstore.url}/tuf`, '--root', sigstore.trust('root.json')]
  const made = [
    await sigstore.countersign(words, { env: { HOME: home } }),
    await sigstore.run(eras[1] ?? '', ['generate-key-pair'], { env: { COSIGN_PASSWORD: 'pw' } }),
    await sigstore.run('sh', ['-c', 'cd sources && sha256sum app.tgz > sums']),
  ]
  for (const { exitCode, stderr } of made) expect(exitCode, stderr).toBe(0)
  for (const name of ['cosign.key', 'cosign.pub']) copyFileSync(sigstore.path(name), sigstore.path(`sources/${name}`))
})

afterAll(async () => {
  if (isMissing) return
  tokens.close()
  await registry.stop()
  await sigstore.stop()
})

/** Makes a folder for PATH in which `cosign` is one of the programs. */
function install(name: string, put: (place: string) => void): void {
  const folder = sigstore.path(`bin-${name}`)
  mkdirSync(folder)
  put(path.join(folder, 'cosign'))
  symlinkSync(crane ?? '', path.join(folder, 'crane'))
}

/** Where cosign of before version 3 finds the services, and what it trusts. */
function oldEnvironment(): Record<string, string> {
  return {
    SIGSTORE_ROOT_FILE: sigstore.trust('fulcio.pem'),
    SIGSTORE_REKOR_PUBLIC_KEY: sigstore.trust('rekor.pub'),
    SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: sigstore.trust('ctfe.pub'),
    COSIGN_REKOR_URL: sigstore.url,
    COSIGN_FULCIO_URL: sigstore.url,
  }
}

interface Result {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  readonly files: readonly string[]
}

let played = 0

/** Plays a script in a folder of its own, as a job without a terminal and without standard input. */
async function play(name: string, script: string, env: Readonly<Record<string, string>>): Promise<Result> {
  const folder = sigstore.path(`play-${played++}`)
  cpSync(sigstore.path('sources'), folder, { recursive: true })
  const image = `${registry.host}/${path.basename(folder)}:v1`
  const PATH = `${sigstore.path(`bin-${name}`)}:${process.env['PATH'] ?? ''}`
  const child = spawn('bash', ['-c', script], {
    cwd: folder,
    env: {
      HOME: home,
      TZ: 'UTC',
      NO_PROXY: '127.0.0.1,localhost',
      HTTPS_PROXY: 'http://127.0.0.1:9',
      ...shared,
      ...env,
      PATH,
      IMAGE: image,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { exitCode, stdout: comparable(stdout), stderr, files: readdirSync(folder) }
}

function comparable(stdout: string): string {
  const told = /^(?:Signature|Certificate) wrote in the file .*\n/gm
  return stdout.replace(told, '').replace(/^M[A-Za-z0-9+/]{90,}=*$/gm, 'SIGNATURE')
}

describe.skipIf(isMissing).each([1, 2, 3] as const)('a release script of cosign %i runs unchanged', (era) => {
  it.each(scripts[era])('%s', async (_, script) => {
    const environment = era === 3 ? {} : oldEnvironment()
    const theirs = await play(`cosign${era}`, script, environment)
    // Once as on a machine that was initialised, and once in the environment that the script was written for.
    for (const env of era === 3 ? [{}] : [{}, environment]) {
      const ours = await play('countersign', script, env)
      const { exitCode, stdout } = theirs
      expect(ours, `${ours.stderr}\n---\n${theirs.stderr}`).toMatchObject({ exitCode, stdout })
      expect(ours.files).toEqual(expect.arrayContaining([...theirs.files]))
    }
  })
})
