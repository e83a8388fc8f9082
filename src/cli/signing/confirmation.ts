/** What a user is told, and asked, before anything is recorded that cannot be taken back. */
import { CountersignError, UsageError } from '../../error.ts'
import type { CommandContext } from '../context.ts'
import { isTrue } from '../flag-values.ts'

/** Told and asked at most once in the life of a command. */
export interface Confirmation {
  /**
   * Tells what will be recorded, and asks whether to go on where somebody can answer. In a job nobody can: cosign 1 asked nothing there, nor
   * does cosign 3 when it writes a bundle, and their scripts go on. An answer that is piped in counts, as in cosign 2.
   * @param services the addresses of the services that will record it
   * @throws CountersignError ABORTED (`user declined the prompt`), UsageError USAGE
   */
  ask(services: readonly string[]): Promise<void>
}

const publicNotice = `
	The sigstore service, hosted by sigstore a Series of LF Projects, LLC, is provided pursuant to the Hosted Project Tools Terms of Use, available at https://lfprojects.org/policies/hosted-project-tools-terms-of-use/.
	Note that if your submission includes personal data associated with this signed artifact, it will be part of an immutable record.
	This may include the email address associated with the account with which you authenticate your contractual Agreement.
	This information will be used for signing this artifact and will be stored in public transparency logs and cannot be removed later, and is subject to the Immutable Record notice at https://lfprojects.org/policies/hosted-project-tools-immutable-records/.

By typing 'y', you attest that (1) you are not submitting the personal data of any other person; and (2) you understand and agree to the statement and the Agreement terms at the URLs listed above.
`

/** An instance of one's own has none of the public one's terms, and is a permanent record all the same. */
const privateNotice = `
	Note that there may be personally identifiable information associated with this signed artifact.
	This may include the email address associated with the account with which you authenticate.
	This information will be used for signing this artifact and will be stored in transparency logs and cannot be removed later.

By typing 'y', you attest that you grant (or have permission to grant) and agree to have this information stored permanently in transparency logs.
`

const question = 'Are you sure you would like to continue? [y/N] '

/** What consent is asked for. */
export interface ConfirmationFlags {
  /** Nothing is asked. */
  readonly yes: boolean
  readonly key: string
  readonly 'issue-certificate': boolean
}

/** @param inputIsTaken standard input is what is signed, so nobody can answer there */
export function createConfirmation(context: CommandContext, flags: ConfirmationFlags, inputIsTaken: boolean): Confirmation {
  const isPersonal = flags.key === '' || flags['issue-certificate']
  let asked = false
  return {
    async ask(services) {
      if (asked) return
      asked = true
      context.stderr.write(services.some(isPublicInstance) ? publicNotice : privateNotice)
      if (flags.yes) return
      const { stdin, env } = context
      if (inputIsTaken && stdin.isTTY)
        throw new UsageError('USAGE', 'standard input is what is signed, so nothing can be asked there: give --yes to agree to the above')
      // cosign 1 never read what a shell or a loop over files has on standard input: this is its variable, and with a key it asked nothing.
      if (!stdin.isTTY && (inputIsTaken || stdin.isNothing || !isPersonal || isTrue(env['COSIGN_EXPERIMENTAL']))) return
      context.stderr.write(question)
      const answer = await stdin.readLine()
      if (!stdin.isTTY) context.stderr.write('\n')
      if (answer !== undefined || stdin.isTTY) return checkAnswer(answer ?? '', '--yes')
      context.stderr.write('Nobody answers here: going on, as with --yes\n')
    },
  }
}

/** Asks whether to go on. @param flag that agrees without being asked @throws CountersignError ABORTED, UsageError USAGE */
export async function confirm(context: CommandContext, flag = '--yes'): Promise<void> {
  context.stderr.write(question)
  const answer = (await context.stdin.readLine()) ?? ''
  if (!context.stdin.isTTY) context.stderr.write('\n')
  checkAnswer(answer, flag)
}

function checkAnswer(answer: string, flag: string): void {
  if (answer.toLowerCase() === 'y') return
  if (answer === '' || answer.toLowerCase() === 'n') {
    throw new CountersignError('ABORTED', `user declined the prompt (${flag} agrees without being asked)`)
  }
  throw new UsageError('USAGE', `invalid input ${JSON.stringify(answer.slice(0, 40))} (allowed values y, n)`)
}

function isPublicInstance(url: string): boolean {
  const host = URL.canParse(url) ? new URL(url).hostname : ''
  return host === 'sigstore.dev' || host.endsWith('.sigstore.dev')
}
