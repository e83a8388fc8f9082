/** `env`: the environment variables that matter, in the layout of `cosign env`. */
import { defineCommand } from '../command.ts'
import { otherVariables, sigstoreVariables } from '../environment-variables.ts'
import { boolFlag } from '../flags.ts'
import { noArguments } from '../positional.ts'

/** Variables of these families may matter even when nobody has described them: most set a flag. */
const FAMILIES = ['COSIGN_', 'COUNTERSIGN_', 'SIGSTORE_', 'TUF_']
const MASK = '******'

export const command = defineCommand({
  long: 'Lists the environment variables that are read, with their values. A sensitive value is printed as ******.',
  examples: `  countersign env

  # values only
  countersign env --show-descriptions=false

  # also passwords and tokens
  countersign env --show-sensitive-values`,
  flags: {
    'show-descriptions': boolFlag('say what each variable is for', { default: true }),
    'show-sensitive-values': boolFlag('print passwords and tokens too'),
  },
  positional: noArguments,
  run(context, flags) {
    const described = flags['show-descriptions']
    const lines: string[] = []
    const print = (name: string, sensitive: boolean): void => {
      const value = context.env[name] ?? ''
      lines.push(`${name}=${sensitive && value !== '' && !flags['show-sensitive-values'] ? MASK : value}`)
    }
    for (const variables of [sigstoreVariables, otherVariables]) {
      for (const { name, description, expects, sensitive } of variables) {
        if (described) lines.push(`# ${name} ${description}`, `# Expects: ${expects}`)
        print(name, sensitive === true)
      }
    }
    const known = new Set([...sigstoreVariables, ...otherVariables].map(({ name }) => name))
    const unknown = Object.keys(context.env)
      .filter((name) => !known.has(name) && FAMILIES.some((family) => name.startsWith(family)))
      .sort()
    if (unknown.length > 0 && described) {
      lines.push(
        '# The variables below are set and belong to the same families. Most of them set a flag:',
        '# COUNTERSIGN_<FLAG> or COSIGN_<FLAG>, in upper case and with _ for -.',
      )
    }
    // Nothing is known about them, so any of them may hold a secret.
    for (const name of unknown) print(name, true)
    context.stdout.write(`${lines.join('\n')}\n`)
  },
})
