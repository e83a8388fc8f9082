/** `dockerfile verify`: the images that a file names. */
import { defineCommand } from '../command.ts'
import { certificateExclusions } from '../flag-groups.ts'
import { exactly } from '../positional.ts'
import { verifyDockerfileFlags } from './flags.ts'

export const command = defineCommand({
  synopsis: 'DOCKERFILE',
  long: `Verify the signatures of every image that a Dockerfile takes something from: those of FROM, of COPY --from and of RUN --mount=from. Stages of the
file itself and scratch are no images. An image that a line "# syntax=" names is verified too, unless it is docker/dockerfile: it builds the file.

Variables in the names are replaced from the environment, and from the ARG lines before the first FROM. What builders read in different ways is
refused.

The first image that is refused ends it. Everything else, exit codes too, is as with "verify".`,
  examples: `  countersign dockerfile verify --key cosign.pub Dockerfile
  countersign dockerfile verify --key cosign.pub --base-image-only Dockerfile`,
  flags: verifyDockerfileFlags,
  positional: exactly(1),
  exclusive: certificateExclusions,
  async run(context, flags, [file = '']) {
    const { verifyDockerfile } = await import('./verify-named-images.ts')
    await verifyDockerfile(context, flags, file)
  },
})
