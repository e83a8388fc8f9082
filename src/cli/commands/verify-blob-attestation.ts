/** `verify-blob-attestation`: an attestation about a file. */
import { UsageError } from '../../error.ts'
import type { Artifact } from '../../verify/artifact.ts'
import type { DigestsNeeded } from '../../verify/digests-needed.ts'
import { defineCommand } from '../command.ts'
import type { CommandContext } from '../context.ts'
import { warn } from '../context.ts'
import { certificateExclusions, verifyBlobAttestationFlags } from '../flag-groups.ts'
import { atMost } from '../positional.ts'
import { artifactFromHex, loadArtifact } from '../verification/artifact-input.ts'
import { acceptedPredicateTypes } from '../../bundle/predicate-type.ts'
import { verifyFile } from '../verification/verify-file.ts'

interface ClaimFlags {
  readonly 'check-claims': boolean
  readonly digest: string
  readonly digestAlg: string
}

export const command = defineCommand({
  synopsis: '[BLOB]',
  long: `Verify an attestation about a file: who made it, that it is of the expected type, and that the file is one of its subjects.

The file may be given by its digest instead, with --digest and --digestAlg, or left out with --check-claims=false.`,
  examples: `  # Provenance of a file
  countersign verify-blob-attestation app.tar.gz --bundle app.provenance.sigstore.json --type slsaprovenance1 \\
    --certificate-identity https://github.com/org/app/.github/workflows/release.yml@refs/heads/main \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com

  # By digest, with a key
  countersign verify-blob-attestation --digest 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae --digestAlg sha256 \\
    --bundle app.sigstore.json --key release.pub --type https://example.com/predicate/v1`,
  listens: true,
  flags: verifyBlobAttestationFlags,
  positional: atMost(1),
  exclusive: certificateExclusions,
  run: (context, flags, [blob = '']) => {
    if (flags.bundle === '' && flags.signature === '' && blob === '') {
      throw new UsageError('USAGE', 'please specify path to the DSSE envelope signature via --signature or --bundle')
    }
    checkClaimFlags(context, flags, blob)
    return verifyFile(context, flags, {
      kind: 'attestation',
      artifactName: blob,
      predicateTypes: acceptedPredicateTypes(flags.type),
      loadArtifact: (needed) => loadSubject(context, flags, blob, needed),
    })
  },
})

function checkClaimFlags(context: CommandContext, flags: ClaimFlags, blob: string): void {
  if (!flags['check-claims']) return
  if (blob !== '') {
    if (flags.digest !== '') warn(context, 'Ignoring provided --digest in favor of provided blob')
    return
  }
  if (flags.digest === '' || flags.digestAlg === '') {
    throw new UsageError(
      'USAGE',
      'must provide path to blob or digest and digestAlg; run countersign verify-blob-attestation --help for more info',
    )
  }
  if (!['sha256', 'sha384', 'sha512'].includes(flags.digestAlg)) {
    throw new UsageError('USAGE', `unsupported --digestAlg ${JSON.stringify(flags.digestAlg)}: sha256, sha384 or sha512 was expected`)
  }
}

async function loadSubject(
  context: CommandContext,
  flags: ClaimFlags,
  blob: string,
  needed: () => DigestsNeeded,
): Promise<Artifact | 'any-subject'> {
  if (!flags['check-claims']) return 'any-subject'
  if (blob !== '') return loadArtifact(context, blob, needed)
  try {
    return artifactFromHex(flags.digestAlg, flags.digest)
  } catch (cause) {
    throw new UsageError('USAGE', `unable to decode provided digest: ${cause instanceof Error ? cause.message : ''}`, { cause })
  }
}
