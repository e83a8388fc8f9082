/**
 * Jobs of GitHub workflows, as a runner runs them: the `run` steps of the printed file, in one shell after the other, with its environment, its
 * expressions and the outputs of its steps, and a token for those that have the permission. Steps that use an action are passed over: what they
 * install is there.
 */
import { parse } from 'yaml'
import { anyJob, jobOf } from './github-actions.ts'
import type { Shell, ShellEnding } from './shell.ts'

interface WorkflowFile {
  readonly env?: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>
  readonly outputs?: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
}

interface Step {
  readonly id?: string
  readonly name?: string
  readonly run?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface JobRun {
  /** Who it is, such as `org/app/.github/workflows/release.yml@refs/heads/main`. */
  readonly workflow: string
  /** What expressions mean, such as `github.ref`. */
  readonly values?: Readonly<Record<string, string>>
}

export interface JobEnding {
  /** How each step ended, by its name. After one that failed there is no other. */
  readonly steps: Readonly<Record<string, ShellEnding>>
  readonly outputs: Readonly<Record<string, string>>
}

/** Runs a job of a workflow's file. @throws Error for an expression that has no meaning here */
export async function runJob(shell: Shell, yaml: string, name: string, { workflow, values = {} }: JobRun): Promise<JobEnding> {
  const file = parse(yaml) as WorkflowFile
  const job = file.jobs[name]
  if (job === undefined) throw new Error(`the workflow has no job ${name}`)
  const known = new Map(Object.entries(values))
  const identity = job.permissions?.['id-token'] === 'write' ? jobOf(workflow) : anyJob
  const environment = expandAll(file.env, known)
  for (const [variable, value] of Object.entries(environment)) known.set(`env.${variable}`, value)
  const steps: Record<string, ShellEnding> = {}
  for (const { id = '', name: step = id, run, env } of job.steps) {
    if (run === undefined) continue
    shell.write('step.sh', expand(run, known))
    shell.write('step-outputs', '')
    // The runner's shell: it stops at the first command that fails, and knows no other end of a pipe.
    const ending = await shell.run('bash -e step.sh', {
      env: { ...identity, ...environment, ...expandAll(env, known), GITHUB_OUTPUT: 'step-outputs' },
    })
    steps[step] = ending
    if (ending.exitCode !== 0) return { steps, outputs: {} }
    for (const [, key = '', value = ''] of shell.read('step-outputs').matchAll(/^(\w+)=(.*)$/gm))
      known.set(`steps.${id}.outputs.${key}`, value)
  }
  return { steps, outputs: expandAll(job.outputs, known) }
}

function expandAll(texts: Readonly<Record<string, string>> = {}, known: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, expand(text, known)]))
}

function expand(text: string, known: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\{\{ *(.+?) *\}\}/g, (_, expression: string) => {
    const value = known.get(expression)
    if (value === undefined) throw new Error(`the expression ${expression} has no meaning here`)
    return value
  })
}
