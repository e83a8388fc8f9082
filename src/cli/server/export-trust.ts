/** `server export-trust`: the files that clients need. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { defineCommand } from '../command.ts'
import { stringFlag } from '../flags.ts'
import { noArguments } from '../positional.ts'
import { loadServerProgram } from '../server-program.ts'
import { writeOutputs } from '../signing/output-files.ts'
import { dataFlags, dataOptions } from './flags.ts'

export const command = defineCommand({
  long: `Write what clients need to trust a server: trusted root, signing configs, client trust config, the first TUF root, environment
files, keys and certificates one by one, policies for Kyverno and policy-controller, and a README with the commands for each client.
All of it is public.`,
  examples: `  countersign server export-trust --data /var/lib/countersign --out ./trust`,
  flags: {
    ...dataFlags,
    out: stringFlag('folder to write to (default trust in the data folder)', { placeholder: 'folder', completion: 'directory' }),
  },
  positional: noArguments,
  async run(context, flags) {
    const program = await loadServerProgram()
    const data = dataOptions(context, flags)
    const folder = flags.out === '' ? path.join(data.folder, 'trust') : path.resolve(context.cwd, flags.out)
    const administration = await program.openAdministration(data)
    try {
      const files = await administration.exportTrust()
      mkdirSync(folder, { recursive: true })
      writeOutputs(
        context.cwd,
        files.map(({ name, contents }) => ({ path: path.join(folder, name), what: name, contents })),
      )
      context.stdout.write(`${files.map(({ name }) => path.join(folder, name)).join('\n')}\n`)
    } finally {
      await administration.close()
    }
  },
})
