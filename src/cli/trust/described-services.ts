/** Services to be trusted that are described by one flag each: `--fulcio`, `--ctfe`, `--rekor`, `--tsa`. */
import { excerpt } from '../../encoding/bytes.ts'
import { UsageError } from '../../error.ts'
import type { TrustedRootParts } from '../../trust/trusted-root-writer.ts'
import { createLogInstance } from '../../trust/trusted-root-writer.ts'
import type { AuthorityInstance, LogInstance } from '../../trust/trusted-root.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { isKeyName } from '../../merkle/note-text.ts'
import type { AuthorityChain } from './authority-chain.ts'
import { readAuthorityChain, readTimestampChain } from './authority-chain.ts'
import { readLogKey } from './log-key-file.ts'
import type { ServiceSpec } from './service-spec.ts'
import { parseServiceSpec, urlOf, windowOf, withPrefix } from './service-spec.ts'

const authorityKeys = { required: ['url', 'certificate-chain'], optional: ['start-time', 'end-time'] }
const logKeys = { required: ['url', 'public-key', 'start-time'], optional: ['end-time', 'origin'] }
import type { TrustedRootFlags } from './trusted-root-flags.ts'

/** Reads them all. @throws as `createTrustedRootFile`, with the flag in front of the message */
export function readDescribedServices(context: CommandContext, flags: TrustedRootFlags): TrustedRootParts {
  return {
    certificateAuthorities: flags.fulcio.map((text) =>
      withPrefix('parsing fulcio spec', () => {
        const spec = parseServiceSpec(text, authorityKeys)
        const chain = readAuthorityChain(context, spec.get('certificate-chain') ?? '')
        return authorityOf(spec, chain, chain.root.notBefore)
      }),
    ),
    timestampAuthorities: flags.tsa.map((text) =>
      withPrefix('parsing tsa spec', () => {
        const spec = parseServiceSpec(text, authorityKeys)
        const chain = readTimestampChain(context, spec.get('certificate-chain') ?? '')
        return authorityOf(spec, chain, chain.first.notBefore)
      }),
    ),
    certificateTransparencyLogs: flags.ctfe.map((text) => withPrefix('parsing ctfe spec', () => readLog(context, text, 'ct'))),
    transparencyLogs: flags.rekor.map((text) => withPrefix('parsing rekor spec', () => readLog(context, text, 'rekor-v1'))),
  }
}

function authorityOf(spec: ServiceSpec, { certificates }: AuthorityChain, start: number): AuthorityInstance {
  return { uri: urlOf(spec), certificates: certificates.map(({ bytes }) => bytes), window: windowOf(spec, start), operator: '' }
}

function readLog(context: CommandContext, text: string, api: 'ct' | 'rekor-v1'): LogInstance {
  const spec = parseServiceSpec(text, logKeys)
  const baseUrl = urlOf(spec)
  const window = windowOf(spec)
  const origin = checkOrigin(context, spec.get('origin'), api === 'rekor-v1' ? baseUrl : '')
  const publicKey = readLogKey(context, spec.get('public-key') ?? '')
  if (api === 'rekor-v1' && publicKey.kind === 'ed25519' && origin === undefined) {
    warn(
      context,
      `${baseUrl} is taken for a Rekor v1 log; one of Rekor v2, as its Ed25519 key suggests, needs origin=${new URL(baseUrl).hostname}`,
    )
  }
  return createLogInstance({ api, baseUrl, origin, publicKey, window })
}

/**
 * The name that a log signs its checkpoints with.
 * @param baseUrl of a Rekor log, whose checkpoints clients expect in the name of its host; otherwise empty
 * @throws UsageError USAGE for a name that no checkpoint can have
 */
export function checkOrigin(context: CommandContext, origin: string | undefined, baseUrl: string): string | undefined {
  if (origin === undefined) return undefined
  if (!isKeyName(origin)) throw new UsageError('USAGE', `origin should be a name without blanks and plus signs, found ${excerpt(origin)}`)
  if (baseUrl !== '' && new URL(baseUrl).hostname !== origin.toLowerCase()) {
    warn(context, `the origin ${origin} is not the host of ${baseUrl}, in whose name clients expect the checkpoints of Rekor v2`)
  }
  return origin
}
