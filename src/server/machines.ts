/** Machine clients in `server.yaml`, whose comments and order stay as somebody wrote them. */
import { isMap, isSeq, parseDocument } from 'yaml'
import { CountersignError } from '../error.ts'
import { dataFiles, readDataText, writeDataText } from './data-folder.ts'
import { parseIssuerSettings } from './issuer/settings.ts'
import { parseConfiguration } from './configuration.ts'

/** A machine as the configuration has it. */
export interface MachineEntry {
  readonly id: string
  readonly 'secret-hash': string
  readonly email?: string
  readonly subject?: string
}

/** Adds a machine. The file is replaced as a whole, and only by one that the server would take. @throws CountersignError CONFIGURATION_INVALID */
export async function addMachine(folder: string, machine: MachineEntry): Promise<void> {
  const file = dataFiles.configuration
  const document = parseDocument(await readDataText(folder, file))
  const path = ['issuer', 'settings', 'machines']
  if (!isMap(document.getIn(path.slice(0, 2), true))) document.setIn(path.slice(0, 2), document.createNode({}))
  if (!isSeq(document.getIn(path, true))) document.setIn(path, document.createNode([]))
  document.addIn(path, document.createNode(machine))
  const text = String(document)
  try {
    parseIssuerSettings(parseConfiguration(text, file).issuer.settings)
  } catch (cause) {
    throw new CountersignError('CONFIGURATION_INVALID', `the machine cannot be added: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    })
  }
  await writeDataText(folder, file, text)
}
