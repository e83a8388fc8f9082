/** The certificates of an authority to be trusted, from a file: in order, and of the right kind. */
import { parseCertificateFile } from '../../bundle/legacy-bundle.ts'
import { CountersignError, DecodingError } from '../../error.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { parseCertificate } from '../../x509/certificate.ts'
import { certificateKey } from '../../x509/certificate-key.ts'
import { formatName } from '../../x509/name.ts'
import * as oid from '../../x509/object-identifiers.ts'
import { isSignedBy, namesIssuer } from '../../x509/issuer.ts'
import type { CommandContext } from '../context.ts'
import { readInputFile } from '../verification/input-file.ts'

/** At least one certificate, the root last. */
export interface AuthorityChain {
  readonly certificates: readonly Certificate[]
  readonly first: Certificate
  readonly root: Certificate
}

const maxChainBytes = 1024 * 1024

/**
 * Reads the chain of a certificate authority: intermediates, then the root, each issued by the next.
 * @throws TransportError FILE_UNREADABLE, TOO_LARGE; DecodingError CERTIFICATE_INVALID
 */
export function readAuthorityChain(context: CommandContext, file: string): AuthorityChain {
  const chain = readChain(context, file)
  const leaf = chain.certificates.find(({ basicConstraints }) => basicConstraints?.ca !== true)
  if (leaf !== undefined)
    throw invalid(file, `should hold certificate authorities, found the certificate of ${nameOf(leaf)}, which is none`)
  return chain
}

/**
 * Reads the chain of a timestamp authority: the certificate that signs timestamps, then the authorities that issued it.
 * Throws as `readAuthorityChain`.
 */
export function readTimestampChain(context: CommandContext, file: string): AuthorityChain {
  const chain = readChain(context, file)
  if (chain.first.basicConstraints?.ca === true)
    throw invalid(file, 'should begin with the certificate that signs timestamps: first certificate in chain must be a leaf certificate')
  if (chain.certificates.length < 2)
    throw invalid(file, 'should end with the root certificate: certificate chain must have at least two certificates')
  if (chain.first.extendedKeyUsage?.includes(oid.timeStamping) !== true)
    throw invalid(
      file,
      `should begin with the certificate that signs timestamps, found that of ${nameOf(chain.first)}, which is not for that`,
    )
  return chain
}

function readChain(context: CommandContext, file: string): AuthorityChain {
  const certificates = readCertificates(context, file)
  const [first] = certificates
  const root = certificates.at(-1)
  if (first === undefined || root === undefined) throw invalid(file, 'holds no certificate')
  for (const [index, certificate] of certificates.entries()) {
    const next = certificates[index + 1]
    if (next !== undefined && !isIssuedBy(certificate, next, file)) {
      throw invalid(
        file,
        `is not a chain: certificate ${index + 1}, of ${nameOf(certificate)}, was not issued by certificate ${index + 2}, of ${nameOf(next)} (each is followed by its issuer, and the root is the last; other chains belong in files of their own)`,
      )
    }
  }
  return { certificates, first, root }
}

function readCertificates(context: CommandContext, file: string): Certificate[] {
  const contents = readInputFile(context.cwd, file, 'the certificate chain', maxChainBytes)
  try {
    return parseCertificateFile(contents, 'it').map(parseCertificate)
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw invalid(file, `does not hold certificates in PEM: ${cause.message}`, cause)
  }
}

function isIssuedBy(certificate: Certificate, issuer: Certificate, file: string): boolean {
  if (!namesIssuer(certificate, issuer)) return false
  try {
    return isSignedBy(certificate, certificateKey(issuer))
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    throw invalid(file, `cannot be checked: the certificate of ${nameOf(certificate)}: ${cause.message}`, cause)
  }
}

function nameOf({ subject }: Certificate): string {
  return formatName(subject) || 'no name'
}

function invalid(file: string, message: string, cause?: unknown): DecodingError {
  return new DecodingError('CERTIFICATE_INVALID', `the certificate chain ${file} ${message}`, { cause })
}
