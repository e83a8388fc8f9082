/** `server`: a private Sigstore. */
import { defineGroup } from '../command.ts'

export const command = defineGroup({
  long: `A private Sigstore in one process: OpenID issuer, certificate authority (Fulcio's API), CT log, Rekor v1 and v2, timestamp authority,
TUF repository and search page, on one address. Every Sigstore client works with it unchanged.`,
  subcommands: [
    { name: 'start', short: 'Run a server; an empty folder becomes one', load: () => import('../server/start.ts') },
    { name: 'init', short: 'Make a server: keys, certificates, configuration, a first user', load: () => import('../server/init.ts') },
    { name: 'export-trust', short: 'Write the files that clients need', load: () => import('../server/export-trust.ts') },
    { name: 'doctor', short: 'Say what is wrong with a server, or soon will be', load: () => import('../server/doctor.ts') },
    { name: 'fsck', short: 'Read everything that is stored again, and check it', load: () => import('../server/fsck.ts') },
    {
      name: 'recover-log',
      short: 'Go on with a log whose database is older than what it signed',
      load: () => import('../server/recover-log.ts'),
    },
    { name: 'rotate', short: 'Replace the key of an authority or a log', load: () => import('../server/rotate.ts') },
    { name: 'tuf', short: 'Rotate, sign and resume the TUF repository', load: () => import('../server/tuf.ts') },
    { name: 'user', short: 'Add, list and remove users, change passwords', load: () => import('../server/user.ts') },
    { name: 'machine', short: 'Add programs that get tokens with a secret', load: () => import('../server/machine.ts') },
  ],
})
