/** `bundle inspect BUNDLE`. */
import { defineCommand } from '../command.ts'
import { choiceFlag } from '../flags.ts'
import { exactly } from '../positional.ts'
import { inspectBundles } from './inspect.ts'

export const command = defineCommand({
  synopsis: 'BUNDLE',
  long: `Shows what a bundle holds. Nothing is verified, and no network connection is made: what is shown is what whoever made the
bundle wrote into it.

BUNDLE is a file, or - for standard input: a Sigstore bundle, several of them one a line (.sigstore.jsonl), or a local
bundle of cosign 1 and 2. A part that is malformed is shown as (cannot be parsed: …) with the reason.`,
  examples: `  # As text
  countersign bundle inspect app.sigstore.json

  # Who signed, as the certificate has it
  countersign bundle inspect app.sigstore.json -o json | jq '.verificationMaterial.certificates[0].subjectAlternativeNames'

  # What an attestation is about
  countersign bundle inspect app.sigstore.json -o json | jq '.content.statement.subjects'`,
  flags: {
    output: choiceFlag(['text', 'json'], 'how the contents are printed', { shorthand: 'o', default: 'text' }),
  },
  positional: exactly(1),
  run: (context, flags, [file = '']) => inspectBundles(context, file, flags.output),
})
