/** The program: every verb, with what help says about it in one line. A verb's own file is loaded when it is run. */
import type { CommandEntry } from './command.ts'
import { programEntry, signBlob, verifyBlob, verifyImage } from './program-entry.ts'

/** The verbs of `countersign`. The imports are literal so that the build can make each verb a file of its own. */
export const verbs: readonly CommandEntry[] = [
  {
    name: 'attach',
    short: 'Put signatures and attestations that were made elsewhere beside an image',
    deprecated:
      'cosign 4 is to do without it (see https://github.com/sigstore/cosign/issues/4696). Instead, please use oras for attaching artifacts to other artifacts in a registry',
    load: () => import('./commands/attach.ts'),
  },
  {
    name: 'attest',
    short: 'Sign a statement about container images and everything else in a registry',
    load: () => import('./commands/attest.ts'),
  },
  {
    name: 'attest-blob',
    short: 'Sign a statement about files, such as their provenance',
    load: () => import('./commands/attest-blob.ts'),
  },
  {
    name: 'bundle',
    short: 'Make, upgrade and look into Sigstore bundles',
    load: () => import('./commands/bundle.ts'),
  },
  {
    name: 'clean',
    short: 'Remove the signatures, attestations and SBOMs beside an image',
    load: () => import('./commands/clean.ts'),
  },
  {
    name: 'completion',
    short: 'Print a script that completes commands and flags in a shell',
    load: () => import('./commands/completion.ts'),
  },
  {
    name: '__complete',
    short: 'Answer what may follow on a command line, for the completion scripts',
    hidden: true,
    load: () => import('./commands/complete.ts'),
  },
  {
    name: 'copy',
    short: 'Copy an image with its signatures and everything else beside it',
    deprecated:
      'there are several options you can use instead:\n  - "oras copy -r" will copy images and referring artifacts\n  - "cosign save" to write to disk, followed by "cosign load" for a new registry\n  - "cosign download" followed by "cosign attach" to just copy the bundle',
    load: () => import('./commands/copy.ts'),
  },
  {
    name: 'debug',
    short: 'Show what the program sees of its surroundings',
    hidden: true,
    load: () => import('./commands/debug.ts'),
  },
  {
    name: 'dockerfile',
    short: 'Verify the images that a Dockerfile names',
    deprecated:
      'dockerfile will be removed in v4.0.0 (see https://github.com/sigstore/cosign/issues/4696). Instead, please use `cosign verify` for each image in your Dockerfile',
    load: () => import('./commands/dockerfile.ts'),
  },
  {
    name: 'download',
    short: 'Print what lies beside an image: signatures, attestations, SBOMs',
    load: () => import('./commands/download.ts'),
  },
  {
    name: 'env',
    short: 'List the environment variables that are read, and their values',
    load: () => import('./commands/env.ts'),
  },
  {
    name: 'generate',
    short: 'Print what cosign 1 and 2 sign about an image',
    deprecated: 'cosign 4 is to do without it (see https://github.com/sigstore/cosign/issues/4696). Instead, please use in-toto tooling',
    load: () => import('./commands/generate.ts'),
  },
  {
    name: 'generate-key-pair',
    short: 'Generate a key pair for signing',
    load: () => import('./commands/generate-key-pair.ts'),
  },
  {
    name: 'help',
    short: 'Explain a command',
    load: () => import('./commands/help.ts'),
  },
  {
    name: 'import-key-pair',
    short: 'Import a private key for signing',
    load: () => import('./commands/import-key-pair.ts'),
  },
  {
    name: 'initialize',
    short: 'Choose the Sigstore instance to trust, and fetch what it distributes',
    load: () => import('./commands/initialize.ts'),
  },
  {
    name: 'load',
    short: 'Push an image with everything beside it from a folder',
    load: () => import('./commands/load.ts'),
  },
  {
    name: 'login',
    short: 'Keep the credentials for a registry',
    load: () => import('./commands/login.ts'),
  },
  {
    name: 'manifest',
    short: 'Verify the images that Kubernetes resources name',
    deprecated:
      'manifest will be removed in v4.0.0 (see https://github.com/sigstore/cosign/issues/4696). Instead, please use `cosign verify` for each image in your Kubernetes manifest',
    load: () => import('./commands/manifest.ts'),
  },
  {
    name: 'piv-tool',
    short: 'Not supported: YubiKeys sign through PKCS#11',
    load: () => import('./commands/piv-tool.ts'),
  },
  {
    name: 'pkcs11-tool',
    short: 'List PKCS#11 tokens and the URIs of their keys',
    load: () => import('./commands/pkcs11-tool.ts'),
  },
  {
    name: 'public-key',
    short: 'Print the public key of a key pair',
    load: () => import('./commands/public-key.ts'),
  },
  {
    name: 'save',
    short: 'Write an image with everything beside it to a folder',
    load: () => import('./commands/save.ts'),
  },
  {
    name: 'server',
    short: 'Run a private Sigstore',
    load: () => import('./commands/server.ts'),
  },
  {
    name: 'sign',
    short: 'Sign container images and everything else in a registry',
    load: () => import('./commands/sign.ts'),
  },
  {
    ...signBlob,
    load: () => import('./commands/sign-blob.ts'),
  },
  {
    name: 'signing-config',
    short: 'Make signing configs: which services are used',
    load: () => import('./commands/signing-config.ts'),
  },
  {
    name: 'tree',
    short: 'Show what lies beside an image',
    load: () => import('./commands/tree.ts'),
  },
  {
    name: 'triangulate',
    short: 'Print where cosign 1 and 2 keep the signatures of an image',
    deprecated:
      'triangulate will be removed in v4.0.0 (see https://github.com/sigstore/cosign/issues/4696). Instead, please use `oras discover` or `cosign tree` to show referring artifacts',
    load: () => import('./commands/triangulate.ts'),
  },
  {
    name: 'trusted-root',
    short: 'Make trusted roots: which authorities and logs are believed',
    load: () => import('./commands/trusted-root.ts'),
  },
  {
    name: 'upload',
    short: 'Upload files to a registry, to be signed there',
    deprecated:
      'cosign 4 is to do without it (see https://github.com/sigstore/cosign/issues/4696). Instead, please use `oras blob push` for uploading artifacts to a registry',
    load: () => import('./commands/upload.ts'),
  },
  {
    ...verifyBlob,
    load: () => import('./commands/verify-blob.ts'),
  },
  {
    name: 'verify-blob-attestation',
    short: 'Verify an attestation about a file',
    load: () => import('./commands/verify-blob-attestation.ts'),
  },
  {
    ...verifyImage,
    load: () => import('./commands/verify.ts'),
  },
  {
    name: 'verify-attestation',
    short: 'Verify the attestations of container images and everything else in a registry',
    load: () => import('./commands/verify-attestation.ts'),
  },
  {
    name: 'version',
    short: 'Print the version',
    load: () => import('./commands/version.ts'),
  },
]

/** The program itself, as the parent of its verbs. */
export const rootEntry: CommandEntry = programEntry(verbs)
