/** What `sign` and `attest` have in common: one identity signs any number of images, and each signature goes where it belongs. */
import type { Signer } from '../../crypto/signer.ts'
import type { PublicKey } from '../../crypto/public-key.ts'
import type { SignatureAlgorithm } from '../../crypto/signature.ts'
import { CountersignError } from '../../error.ts'
import type { TlsSettings } from '../../http/fetch.ts'
import type { SignedResult } from '../../sign/sign-content.ts'
import { signContent } from '../../sign/sign-content.ts'
import type { SignedContent } from '../../sign/signed-content.ts'
import type { LogService } from '../../sign/signing-services.ts'
import type { Certificate } from '../../x509/certificate.ts'
import type { FlagValues } from '../flags.ts'
import { formatJson } from '../inspection/json-text.ts'
import { createProgressLine } from '../progress-line.ts'
import { printableLine } from '../quote.ts'
import type { OutputFile } from '../signing/output-files.ts'
import { writeOutputs } from '../signing/output-files.ts'
import { readOwnCertificate } from '../signing/own-certificate.ts'
import type { SigningMaterial } from '../signing/services.ts'
import { describeStored, reportSigned } from '../signing/signature-report.ts'
import { sideBySide } from '../signing/side-by-side.ts'
import { identitySource, loadKey } from '../signing/signing-identity.ts'
import type { RecordNeeds } from '../signing/signing-steps.ts'
import { adviceFor, confirmRecord, explained, loadMaterial, warnOfStrangers, warnOldFormat } from '../signing/signing-steps.ts'
import type { Task } from '../signing/task.ts'
import { readTimestampTls } from '../signing/timestamp-connection.ts'
import { confirmPrivateImages } from './private-images.ts'
import type { Registries } from './registries.ts'
import type { imageSigningFlags } from './signing-flags.ts'
import type { SigningTarget } from './signing-targets.ts'

export type ImageSigningFlags = FlagValues<typeof imageSigningFlags>

/** One signature that is to be made. */
export interface SignatureToMake {
  readonly target: SigningTarget
  readonly sign: (signer: Signer) => Promise<SignedContent>
  /** Adds what belongs to it in its format only. */
  readonly complete?: (result: SignedResult, circumstances: Circumstances) => Promise<SignedResult>
  readonly files: (result: SignedResult) => readonly OutputFile[]
  /** Stores it in the registry. Undefined where it is not to be stored. @returns the digest of the manifest that holds it */
  readonly store: ((result: SignedResult) => Promise<string>) | undefined
  /** What is printed of it on standard output, where no file and no registry gets it. */
  readonly print?: (result: SignedResult) => string
}

/** With what a signature was made. */
export interface Circumstances {
  readonly material: SigningMaterial
  readonly certificate: Certificate | undefined
  readonly timestampTls: TlsSettings | undefined
  readonly signal: AbortSignal
}

export interface ImageSigning {
  readonly task: Task<ImageSigningFlags>
  readonly registries: Registries
  readonly needs: RecordNeeds
  /** `signature` or `attestation`. */
  readonly noun: string
  /** How a key that was given signs. */
  readonly algorithmOf: (key: PublicKey, logs: readonly LogService[]) => SignatureAlgorithm
  readonly isGiven: (flag: string) => boolean
}

/** How many images are under way at a time: services and registries take longer to answer than to ask. */
const concurrency = 8

/**
 * Makes the signatures, verifies each, and stores it. After a failure no other is begun.
 * @throws CountersignError, with the image in front
 */
export async function signTargets(signing: ImageSigning, signatures: readonly SignatureToMake[]): Promise<void> {
  const { task, needs, isGiven, algorithmOf } = signing
  const { context, flags } = task
  const key = flags.key === '' ? undefined : await loadKey(task)
  const own = key === undefined ? undefined : readOwnCertificate(context, flags, key.publicKey)
  const loaded = await loadMaterial(task, needs, key, own, isGiven)
  const material = await withConsent(signing, signatures, loaded)
  const identify = identitySource(task, material, key, own, algorithmOf)
  const timestampTls = readTimestampTls(context, flags)
  const progress = createProgressLine(context)
  let finished = 0
  const showProgress = (): void => {
    if (signatures.length > 1) progress.show(`${finished} of ${signatures.length} images signed`)
  }
  const run = async ({ target, sign, complete, files, store }: SignatureToMake, stop: AbortSignal): Promise<Finished> => {
    const signal = AbortSignal.any([context.signal, stop])
    const identity = await identify()
    warnOldFormat(context, identity, needs, material.services.logs.length > 0)
    const signed = await signContent(identity, sign, {
      ...material,
      now: context.now(),
      env: context.env,
      signal,
      ...(timestampTls === undefined ? {} : { timestampTls }),
    })
    warnOfStrangers(context, material.strangers, signed)
    const { certificate } = identity
    const result = (await complete?.(signed, { material, certificate, timestampTls, signal })) ?? signed
    signal.throwIfAborted()
    const written = files(result)
    writeOutputs(context.cwd, written)
    const manifest = await store?.(result)
    finished++
    showProgress()
    return { result, files: written, stored: manifest === undefined ? undefined : `${target.signatures.name}@${manifest}` }
  }
  try {
    await sideBySide(signatures, {
      limit: concurrency,
      signal: context.signal,
      run: (one, stop) => explained(`signing [${one.target.image.name}]`, adviceFor(flags, material), () => run(one, stop)),
      done: (one, done) => {
        progress.clear()
        report(signing, one, done)
        showProgress()
      },
    })
  } catch (cause) {
    if (!(cause instanceof CountersignError) || finished === 0) throw cause
    throw new CountersignError(cause.code, `${cause.message} (${finished} of the ${signatures.length} were done before)`, { cause })
  } finally {
    progress.clear()
  }
}

interface Finished {
  readonly result: SignedResult
  readonly files: readonly OutputFile[]
  /** Where it is, with the digest of the manifest that holds it. */
  readonly stored: string | undefined
}

/** Asks what has to be asked, and leaves out the logs where the owner of a private image does not want them. */
async function withConsent(
  { task, registries, needs }: ImageSigning,
  signatures: readonly SignatureToMake[],
  material: SigningMaterial,
): Promise<SigningMaterial> {
  const { context, flags, inputIsTaken } = task
  // Whoever chose a signing config has agreed; but a person who is there can be asked.
  const isAsked = !flags.yes && !flags['local-image'] && !inputIsTaken && (!material.fromConfig || needs.isOldFormat || context.stdin.isTTY)
  const targets = signatures.map(({ target }) => target)
  const services = isAsked ? await confirmPrivateImages(context, registries, targets, material.services) : material.services
  const agreed = { ...material, services }
  await confirmRecord(task, agreed, needs)
  return agreed
}

function report({ task, noun }: ImageSigning, { target, print }: SignatureToMake, { result, files, stored }: Finished): void {
  const { context, flags } = task
  context.stderr.write('Signing artifact...\n')
  reportSigned(context, files, result)
  if (stored !== undefined) {
    const doing = flags['local-image'] ? `Storing ${noun} in` : `Pushing ${noun} to`
    context.stderr.write(`${doing}: ${printableLine(target.signatures.name)}\n`)
  }
  if (flags.format === 'json') {
    const { name, descriptor } = target.image
    context.stdout.write(`${formatJson(describeStored({ name, digest: descriptor.digest, stored }, files, result))}\n`)
  } else if (print !== undefined) context.stdout.write(print(result))
}
