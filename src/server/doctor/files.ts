/** What is in the data folder beside the database: configuration, keys, certificates. */
import { stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import { isSameKey } from '../../crypto/public-key.ts'
import { parsePem } from '../../encoding/pem.ts'
import { certificateKey } from '../../x509/certificate-key.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { parseCertificate } from '../../x509/certificate.ts'
import { formatName } from '../../x509/name.ts'
import { isSignedBy, namesIssuer } from '../../x509/issuer.ts'
import { parseIssuerConfiguration } from '../ca/issuer-configuration.ts'
import type { IssuerConfiguration } from '../ca/issuer-configuration.ts'
import type { ServerConfiguration } from '../configuration.ts'
import { readDataText } from '../data-folder.ts'
import { isLoopbackUrl, parseIssuerSettings } from '../issuer/settings.ts'
import { readKeyFile, readSecretFile } from '../key-file.ts'
import { servicePaths } from '../server-trust.ts'
import type { Diagnosis } from './diagnosis.ts'
import { examine, failure, ok, warning } from './diagnosis.ts'

/** A folder, and what opens its keys. */
export interface ExaminedFolder {
  readonly folder: string
  readonly passphrase: string | undefined
}

const day = 86_400_000
const noticeDays = 90
const gibibyte = 2 ** 30

/** The configuration of trusted issuers, if it can be used. */
export async function readTrustedIssuers(folder: string, { issuers }: ServerConfiguration): Promise<IssuerConfiguration> {
  return parseIssuerConfiguration(await readDataText(folder, issuers), path.resolve(folder, issuers))
}

/** `issuers.yaml`, the settings of the own issuer and the secrets that they name. */
export function examineIssuerFiles(folder: string, configuration: ServerConfiguration): Promise<Diagnosis[]> {
  return examine('issuers', async () => {
    const { issuers } = await readTrustedIssuers(folder, configuration)
    const { connectors } = parseIssuerSettings(configuration.issuer.settings)
    const said = [
      issuers.length === 0
        ? warning('issuers', `${configuration.issuers} names no issuer: nobody gets a certificate`, 'name one in it')
        : ok('issuers', `${configuration.issuers}: ${issuers.length}`),
    ]
    const own = `${configuration.url}${servicePaths.issuer}`
    for (const { url } of issuers) {
      if (!url.startsWith('http:') || url === own || isLoopbackUrl(url.replaceAll('*', 'x'))) continue
      const reason = `${url} is asked for its keys without TLS: whoever sits in between gets certificates for anyone of this issuer`
      said.push(warning('issuers', reason, 'name it by https'))
    }
    for (const { id, 'client-secret': file } of connectors) {
      if (file !== undefined) said.push(...(await examineSecret(folder, `the client secret of the connector ${id}`, file)))
    }
    return said
  })
}

/** The files with private keys and secrets. */
export async function examineKeys({ folder, passphrase }: ExaminedFolder, configuration: ServerConfiguration): Promise<Diagnosis[]> {
  const { ca, tsa, logs, tuf, issuer } = configuration
  const files = [ca.key, tsa.key, ...logs.map(({ key }) => key), ...Object.values(tuf)].filter((file) => file !== undefined)
  const said = await Promise.all([
    ...files.map((file) =>
      examine('keys', async () => {
        await readKeyFile(path.resolve(folder, file), passphrase)
        return []
      }),
    ),
    examine('keys', async () => {
      await readSecretFile(path.resolve(folder, issuer.secret), passphrase)
      return []
    }),
  ])
  const offline = (['root', 'targets'] as const).filter((role) => tuf[role] === undefined)
  const kept = offline.length === 0 ? '' : `; those of TUF's ${offline.join(' and ')} are kept offline`
  const found = said.flat()
  return found.length > 0 ? found : [ok('keys', `${files.length + 1} files, for their owner alone${kept}`)]
}

/** The certificates of both authorities: whether they are those of their keys, and how long they are good. */
export async function examineCertificates(
  { folder, passphrase }: ExaminedFolder,
  configuration: ServerConfiguration,
  now: number,
): Promise<Diagnosis[]> {
  const said = await Promise.all(
    (['ca', 'tsa'] as const).map((authority) =>
      examine('certificates', async () => {
        const { chain: file, key: keyFile } = configuration[authority]
        const chain = parsePem(await readDataText(folder, file), file).map(({ der }) => parseCertificate(der))
        const wrong = [...chainProblems(chain, file), ...(await keyProblems(chain, file, { folder, passphrase }, keyFile))]
        return [
          ...wrong,
          ...chain.flatMap((certificate, at) => validityOf(certificate, file, rotation(authority, at > 0 && at === chain.length - 1), now)),
        ]
      }),
    ),
  )
  const found = said.flat()
  return found.length > 0
    ? found
    : [ok('certificates', `those of the authorities fit their keys and are good for ${noticeDays} days and longer`)]
}

/** How much room there is for the database. */
export function examineDisk(folder: string): Promise<Diagnosis[]> {
  return examine('disk', async () => {
    const { bavail, bsize } = await statfs(folder)
    const free = bavail * bsize
    const message = `${(free / gibibyte).toFixed(1)} GiB are free in ${folder}`
    const advice = 'make room: the database only grows, and a server without room takes no entries'
    if (free < gibibyte / 10) return [failure('disk', message, advice)]
    return [free < gibibyte ? warning('disk', message, advice) : ok('disk', message)]
  })
}

function examineSecret(folder: string, what: string, file: string): Promise<Diagnosis[]> {
  return examine('issuers', async () => {
    await readDataText(folder, file)
    const { mode } = await stat(path.resolve(folder, file))
    if (process.platform === 'win32' || (mode & 0o077) === 0) return []
    return [warning('issuers', `${what}, ${file}, can be read or written by others`, `run chmod 600 ${path.resolve(folder, file)}`)]
  })
}

function chainProblems(chain: readonly Certificate[], file: string): Diagnosis[] {
  if (chain.length === 0) return [failure('certificates', `${file} holds no certificate`, 'restore it from a backup')]
  return chain.slice(0, -1).flatMap((certificate, at) => {
    const issuer = chain[at + 1]
    if (issuer !== undefined && namesIssuer(certificate, issuer) && isSignedBy(certificate, certificateKey(issuer))) return []
    return [failure('certificates', `${file}: ${nameOf(certificate)} is not issued by the one after it`, 'restore it from a backup')]
  })
}

/** A key that cannot be read is examined with the keys. */
async function keyProblems(
  [first]: readonly Certificate[],
  file: string,
  { folder, passphrase }: ExaminedFolder,
  keyFile: string,
): Promise<Diagnosis[]> {
  const key = await readKeyFile(path.resolve(folder, keyFile), passphrase).catch(() => undefined)
  if (first === undefined || key === undefined || isSameKey(certificateKey(first), key.publicKey)) return []
  const message = `${file} does not begin with the certificate of ${keyFile}`
  return [failure('certificates', message, 'restore the two from the same backup')]
}

/** Another key under the same root helps as long as the root is good. */
function rotation(authority: 'ca' | 'tsa', isRoot: boolean): string {
  return `countersign server rotate ${authority}${isRoot ? ' --new-root' : ''}`
}

function validityOf(certificate: Certificate, file: string, advice: string, now: number): Diagnosis[] {
  const { notBefore, notAfter } = certificate
  const what = `${file}: ${nameOf(certificate)}`
  if (now < notBefore) return [failure('certificates', `${what} is not valid before ${instant(notBefore)}`, 'set the clock')]
  if (now > notAfter) return [failure('certificates', `${what} expired at ${instant(notAfter)}`, advice)]
  const days = Math.floor((notAfter - now) / day)
  return days > noticeDays ? [] : [warning('certificates', `${what} expires in ${days} days, at ${instant(notAfter)}`, advice)]
}

function nameOf({ subject }: Certificate): string {
  return formatName(subject)
}

function instant(ms: number): string {
  return new Date(ms).toISOString()
}
