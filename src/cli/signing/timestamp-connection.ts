/** How a timestamp authority is reached that wants a certificate of its clients. */
import { decodeUtf8 } from '../../encoding/bytes.ts'
import { UsageError } from '../../error.ts'
import type { TlsSettings } from '../../http/fetch.ts'
import type { CommandContext } from '../context.ts'
import { readInputFile } from '../verification/input-file.ts'

export interface TimestampConnectionFlags {
  readonly 'timestamp-client-cacert': string
  readonly 'timestamp-client-cert': string
  readonly 'timestamp-client-key': string
  readonly 'timestamp-server-name': string
}

const maxPemBytes = 256 * 1024

/**
 * Reads the files of the flags.
 * @returns undefined when none is given
 * @throws UsageError USAGE; TransportError FILE_UNREADABLE
 */
export function readTimestampTls(context: CommandContext, flags: TimestampConnectionFlags): TlsSettings | undefined {
  const pem = (flag: keyof TimestampConnectionFlags): string | undefined => {
    const what = `the file of --${flag}`
    return flags[flag] === '' ? undefined : decodeUtf8(readInputFile(context.cwd, flags[flag], what, maxPemBytes), what)
  }
  const authorities = pem('timestamp-client-cacert')
  const certificate = pem('timestamp-client-cert')
  const key = pem('timestamp-client-key')
  const name = flags['timestamp-server-name']
  if ((certificate === undefined) !== (key === undefined)) {
    throw new UsageError('USAGE', '--timestamp-client-cert and --timestamp-client-key belong together')
  }
  if (authorities === undefined && certificate === undefined && name === '') return undefined
  return {
    ...(authorities === undefined ? {} : { certificateAuthorities: authorities }),
    ...(certificate === undefined ? {} : { clientCertificate: certificate }),
    ...(key === undefined ? {} : { clientKey: key }),
    ...(name === '' ? {} : { serverName: name }),
  }
}
