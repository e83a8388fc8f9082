/** Machine clients in `server.yaml`. */
import { isMap, isSeq } from 'yaml'
import { prepareEdit } from './configuration-edit.ts'

/** A machine as the configuration has it. */
export interface MachineEntry {
  readonly id: string
  readonly 'secret-hash': string
  readonly email?: string
  readonly subject?: string
}

/** Adds a machine. The file is replaced as a whole, and only by one that the server would take. @throws CountersignError CONFIGURATION_INVALID */
export async function addMachine(folder: string, machine: MachineEntry): Promise<void> {
  const edit = await prepareEdit(folder, 'the machine cannot be added', (document) => {
    const path = ['issuer', 'settings', 'machines']
    if (!isMap(document.getIn(path.slice(0, 2), true))) document.setIn(path.slice(0, 2), document.createNode({}))
    if (!isSeq(document.getIn(path, true))) document.setIn(path, document.createNode([]))
    document.addIn(path, document.createNode(machine))
  })
  await edit.write()
}
