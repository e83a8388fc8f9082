/** `generate`: the payload of an image's signature, unsigned. */
import { defineCommand } from '../command.ts'
import { registryFlags } from '../flag-groups.ts'
import { stringSliceFlag } from '../flags.ts'
import { exactly } from '../positional.ts'

export const command = defineCommand({
  synopsis: 'IMAGE',
  long: `Print what cosign 1 and 2 sign about an image, for signing it elsewhere: "attach signature" stores the signature. What
"sign" signs today is an in-toto statement in its bundle.`,
  examples: `  countersign generate ghcr.io/org/app:v1 > payload.json
  openssl dgst -sha256 -sign key.pem payload.json | base64 > payload.sig
  countersign attach signature --payload payload.json --signature payload.sig ghcr.io/org/app:v1`,
  flags: {
    ...registryFlags,
    annotations: stringSliceFlag('key=value that is signed with the image; may be repeated', { shorthand: 'a' }),
  },
  positional: exactly(1),
  async run(context, flags, [image = '']) {
    const { generatePayload } = await import('../images/generate-payload.ts')
    await generatePayload(context, flags, image)
  },
})
