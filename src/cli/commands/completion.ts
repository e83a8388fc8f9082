/** `completion SHELL`: the script that a shell loads. */
import { defineCommand } from '../command.ts'
import { bashScript } from '../completion/bash.ts'
import { fishScript } from '../completion/fish.ts'
import { powershellScript } from '../completion/powershell.ts'
import { zshScript } from '../completion/zsh.ts'
import { oneOf } from '../positional.ts'

const SCRIPTS: ReadonlyMap<string, string> = new Map([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
  ['powershell', powershellScript],
])

export const command = defineCommand({
  synopsis: 'bash|zsh|fish|powershell',
  long: `Prints a script that makes a shell complete the commands, flags and values of countersign.

Bash:        source <(countersign completion bash)
             for every session: countersign completion bash > ~/.local/share/bash-completion/completions/countersign
Zsh:         source <(countersign completion zsh)
             for every session: countersign completion zsh > "\${fpath[1]}/_countersign"
Fish:        countersign completion fish | source
             for every session: countersign completion fish > ~/.config/fish/completions/countersign.fish
PowerShell:  countersign completion powershell | Out-String | Invoke-Expression
             for every session: add that line to $PROFILE`,
  flags: {},
  positional: oneOf([...SCRIPTS.keys()]),
  run(context, _flags, [shell = '']) {
    context.stdout.write(SCRIPTS.get(shell) ?? '')
  },
})
