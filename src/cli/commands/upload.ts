/** `upload`: files as artifacts of a registry. */
import { defineCommand, defineGroup } from '../command.ts'
import { registryFlags } from '../flag-groups.ts'
import { stringFlag, stringSliceFlag, stringToStringFlag } from '../flags.ts'
import { exactly } from '../positional.ts'

const FILE = { placeholder: 'file', completion: 'file' } as const

const blob = defineCommand({
  synopsis: 'IMAGE',
  long: `Upload files to a registry, to be signed and verified there as images are. One file becomes an image with one layer; several
become an index, and each must have a platform then.

What is printed on standard output is the name with the digest.`,
  examples: `  countersign upload blob -f app ghcr.io/org/app
  countersign upload blob -f app-darwin:darwin/arm64 -f app-linux:linux/amd64 -a version=1.2.3 ghcr.io/org/app:v1
  countersign sign "$(countersign upload blob -f app ghcr.io/org/app)"`,
  flags: {
    ...registryFlags,
    annotation: stringToStringFlag('key=value to put into the manifest; may be repeated', { shorthand: 'a' }),
    ct: stringFlag('media type of the file (by its contents, unless given)', { completion: 'none' }),
    files: stringSliceFlag('path[:os[/architecture]]; may be repeated', { shorthand: 'f', ...FILE }),
  },
  positional: exactly(1),
  untimed: 'unless-given',
  async run(context, flags, [image = '']) {
    const { uploadBlobs } = await import('../images/upload-files.ts')
    await uploadBlobs(context, flags, image)
  },
})

const wasm = defineCommand({
  synopsis: 'IMAGE',
  long: 'Upload a WebAssembly module to a registry, as runtimes of WebAssembly read it from there.',
  examples: '  countersign upload wasm -f hello.wasm ghcr.io/org/hello:v1',
  flags: { ...registryFlags, file: stringFlag('the module', { shorthand: 'f', required: true, ...FILE }) },
  positional: exactly(1),
  untimed: 'unless-given',
  async run(context, flags, [image = '']) {
    const { uploadWasm } = await import('../images/upload-files.ts')
    await uploadWasm(context, flags, image)
  },
})

export const command = defineGroup({
  long: 'Upload files to a registry.',
  subcommands: [
    { name: 'blob', short: 'Upload files, as an image or an index', load: () => Promise.resolve({ command: blob }) },
    { name: 'wasm', short: 'Upload a WebAssembly module', load: () => Promise.resolve({ command: wasm }) },
  ],
})
