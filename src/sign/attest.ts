/** Attestations as a library: a statement about artifacts, made and signed. */
import type { StatementParts } from '../bundle/statement-writer.ts'
import { encodeStatement } from '../bundle/statement-writer.ts'
import type { SignedArtifact, SignOptions } from './sign.ts'
import { createSigningSession } from './sign.ts'

/**
 * Makes an in-toto statement. A predicate whose type has a specification (SLSA provenance 0.2 and 1, SPDX, CycloneDX, in-toto link,
 * OpenVEX, cosign's vulnerability scan) is checked against it; fields that the specification does not have stay as they are.
 *
 * ```ts
 * const statement = createStatement({
 *   subjects: [{ name: 'app.tar.gz', digests: { sha256 } }],
 *   predicateType: 'slsaprovenance1',
 *   predicate: { buildDefinition, runDetails },
 * })
 * const { bundle } = await attest(statement)
 * ```
 * @returns the statement's JSON, on one line with the predicate's keys sorted and its numbers exact
 * @throws UsageError USAGE for an unknown predicate type; DecodingError STATEMENT_INVALID with the path of what is wrong, JSON_INVALID,
 * ENCODING_INVALID, TOO_LARGE
 */
export function createStatement(parts: StatementParts): Uint8Array {
  return encodeStatement(parts, Date.now())
}

/**
 * Signs an in-toto statement of version 0.1 or 1 in a DSSE envelope. The bundle was verified when this resolves.
 * @param statement its JSON, which is signed byte for byte, or an object
 * @throws DecodingError STATEMENT_INVALID or JSON_INVALID when it is no statement; what `sign` throws
 */
export async function attest(statement: Uint8Array | string | object, options: SignOptions = {}): Promise<SignedArtifact> {
  const session = await createSigningSession(options)
  return session.signStatement(statement)
}
