/** `bundle upgrade`: an old Sigstore bundle as one of version 0.3. */
import { claimsToBeBundle, readBundle } from '../../bundle/bundle.ts'
import { encodeBundle } from '../../bundle/encode-bundle.ts'
import { claimsToBeLegacyBundle } from '../../bundle/legacy-bundle.ts'
import type { CertificateMaterial, KeyMaterial, LogEntry, SignedEntity } from '../../bundle/signed-entity.ts'
import { defaultMaxJsonBytes, parseJson } from '../../encoding/json.ts'
import { CountersignError, DecodingError, messageOf } from '../../error.ts'
import { parseCertificate } from '../../x509/certificate.ts'
import { formatName } from '../../x509/name.ts'
import type { CommandContext } from '../context.ts'
import { checkDocumentOutput, writeDocument } from '../document-output.ts'
import { printable, printableLine } from '../quote.ts'
import { checkUrl } from '../trust/service-spec.ts'
import { readInputFile } from '../verification/input-file.ts'
import type { BundleUpgradeFlags } from './bundle-flags.ts'
import { completeEntry } from './logged-entry.ts'

/**
 * Upgrades a bundle and writes or prints it.
 * @throws TransportError FILE_UNREADABLE, FILE_UNWRITABLE, TOO_LARGE; UsageError USAGE; `upgrading bundle: …` with the code of what
 * reading the bundle and asking the log throw
 */
export async function upgradeBundle(context: CommandContext, flags: BundleUpgradeFlags, file: string): Promise<void> {
  const output = { out: flags.out, what: 'bundle' }
  const logUrl = checkUrl(flags['rekor-url'], '--rekor-url')
  checkDocumentOutput(context, output)
  const contents = readInputFile(context.cwd, file, 'the bundle', defaultMaxJsonBytes)
  try {
    writeDocument(context, output, await upgraded(context, contents, logUrl))
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause.code === 'FILE_UNWRITABLE' || cause.code === 'ABORTED') throw cause
    throw new CountersignError(cause.code, `upgrading bundle: ${cause.message}`, { cause })
  }
  if (flags.out === '') context.stdout.write('\n')
  else say(context, `Successfully upgraded bundle written to ${printableLine(flags.out)}`)
}

async function upgraded(context: CommandContext, contents: Uint8Array, logUrl: string): Promise<Uint8Array | string> {
  const entity = parse(contents)
  if (entity.format === '0.3') {
    say(context, 'Bundle is already at v0.3, no upgrade needed.')
    return contents
  }
  say(context, `Upgrading from v${entity.format} to v0.3...`)
  const keyMaterial = truncated(context, entity.keyMaterial)
  const logEntries: LogEntry[] = []
  for (const entry of entity.logEntries) {
    if (entry.inclusionProof?.checkpoint !== undefined) {
      logEntries.push(entry)
      continue
    }
    say(context, `Fetching missing inclusion proof from Rekor for log index ${entry.logIndex}...`)
    logEntries.push(await completeEntry(entry, { url: logUrl, options: { env: context.env, signal: context.signal } }))
  }
  const bundle = encodeBundle({ ...entity, keyMaterial, logEntries })
  // What is written can be read.
  readBundle(parseJson(bundle, 'the upgraded bundle'))
  return bundle
}

function parse(contents: Uint8Array): SignedEntity {
  const json = parseJson(contents, 'the bundle')
  if (claimsToBeBundle(json)) return readBundle(json, { allowCertificateChain: true })
  throw new DecodingError(
    'BUNDLE_INVALID',
    claimsToBeLegacyBundle(json)
      ? 'it is a local bundle of cosign 1 or 2: "bundle create --bundle" makes a Sigstore bundle of it'
      : 'it is no Sigstore bundle (it has no mediaType of one)',
  )
}

/** The signer's certificate alone. Verifiers take those of the authorities from their trusted root. */
function truncated(context: CommandContext, material: KeyMaterial): KeyMaterial {
  if (material.kind !== 'certificate') return material
  say(context, 'Truncating certificate chain to only the leaf certificate...')
  for (const [index, der] of [material.leaf, ...material.chain].entries()) {
    say(context, `  Certificate ${index}${identityOf(der)}`)
  }
  return { ...material, chain: [] } satisfies CertificateMaterial
}

function identityOf(der: Uint8Array): string {
  try {
    const { subjectAlternativeNames, subject } = parseCertificate(der)
    const name = subjectAlternativeNames.find(({ kind }) => kind === 'email') ?? subjectAlternativeNames.find(({ kind }) => kind === 'uri')
    return ` Identity: ${printable(name?.value ?? (formatName(subject) || '<none>'))}`
  } catch (error) {
    return `: <unable to parse: ${printable(messageOf(error))}>`
  }
}

function say(context: CommandContext, line: string): void {
  context.stderr.write(`${line}\n`)
}
