/** `--policy`: what attestations must say, in cosign's words. */
import { CountersignError } from '../../error.ts'
import type { VerifiedSignature } from '../../oci/verify-image.ts'
import type { StatementPolicy } from '../../policy/statement-policy.ts'
import { openPolicies } from '../../policy/open-policies.ts'
import type { CommandContext } from '../context.ts'
import { printableLine } from '../quote.ts'
import { readInputFile } from '../verification/input-file.ts'

const maxPolicyBytes = 4 * 1024 * 1024

/** @throws as `openPolicies` */
export function openAttestationPolicies(
  { env, cwd, signal }: CommandContext,
  files: readonly string[],
): Promise<readonly StatementPolicy[]> {
  return openPolicies(files, { env, cwd, signal, readFile: (file) => readInputFile(cwd, file, 'the policy', maxPolicyBytes) })
}

/**
 * Every attestation that was verified must comply with every policy.
 * @throws CountersignError ARTIFACT_MISMATCH when one does not, after the reasons have been printed
 */
export async function applyPolicies(
  { stderr }: CommandContext,
  policies: readonly StatementPolicy[],
  attestations: readonly VerifiedSignature[],
): Promise<void> {
  const reasons: string[] = []
  let failed = 0
  for (const { evidence, entity } of attestations) {
    const { statement } = evidence
    if (statement === undefined || entity.content.kind !== 'dsse-envelope') {
      throw new CountersignError('ARTIFACT_MISMATCH', 'policies are about statements, and the signature is of none')
    }
    const { payload } = entity.content
    let complies = true
    for (const policy of policies) {
      stderr.write(`will be validating against ${policy.what}: [${printableLine(policy.files.join(' '))}]\n`)
      const violations = await policy.violations({ statement, payload })
      reasons.push(...violations)
      complies &&= violations.length === 0
    }
    if (!complies) failed++
  }
  if (failed === 0) return
  stderr.write(`There are ${failed} number of errors occurred during the validation:\n`)
  for (const reason of reasons) stderr.write(`- ${printableLine(reason)}\n`)
  throw new CountersignError('ARTIFACT_MISMATCH', `${failed} validation errors occurred`)
}
