/** `server tuf`: the TUF repository, as far as it does not keep itself. */
import { defineGroup } from '../command.ts'

export const command = defineGroup({
  long: `The TUF repository, which keeps itself valid: what an operator decides, and what keys that are kept offline have to sign. The server may be
running.`,
  subcommands: [
    { name: 'status', short: 'Print versions, expiry and problems', load: () => import('./tuf/status.ts') },
    { name: 'rotate', short: 'Make the next root, with new keys or without', load: () => import('./tuf/rotate.ts') },
    { name: 'resume', short: 'Go on after a rollback or a wrong clock', load: () => import('./tuf/resume.ts') },
    { name: 'export', short: 'Print metadata that waits for signatures', load: () => import('./tuf/export.ts') },
    { name: 'sign-root', short: 'Sign an exported root.json, where its key is', load: () => loadSign('root') },
    { name: 'sign-targets', short: 'Sign an exported targets.json, where its key is', load: () => loadSign('targets') },
    { name: 'import', short: 'Take metadata that was signed elsewhere', load: () => import('./tuf/import.ts') },
  ],
})

async function loadSign(role: 'root' | 'targets') {
  const { signCommand } = await import('./tuf/sign.ts')
  return { command: signCommand(role) }
}
