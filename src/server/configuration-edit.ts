/** Changes to `server.yaml`, whose comments and order stay as somebody wrote them. */
import type { Document } from 'yaml'
import { parseDocument } from 'yaml'
import { CountersignError, messageOf } from '../error.ts'
import { parseConfiguration } from './configuration.ts'
import type { ServerConfiguration } from './configuration.ts'
import { dataFiles, readDataText, writeDataText } from './data-folder.ts'
import { parseIssuerSettings } from './issuer/settings.ts'

/** A change that was thought through and not made yet. */
export interface ConfigurationEdit {
  /** The configuration as it will be. */
  readonly configuration: ServerConfiguration
  /** Replaces the file as a whole. */
  write(): Promise<void>
}

/**
 * Prepares a change.
 * @param what for messages, such as `the machine cannot be added`
 * @throws CountersignError CONFIGURATION_INVALID when the server would not take the changed file; FILE_UNREADABLE
 */
export async function prepareEdit(folder: string, what: string, change: (document: Document) => void): Promise<ConfigurationEdit> {
  const file = dataFiles.configuration
  const document = parseDocument(await readDataText(folder, file))
  change(document)
  const text = String(document)
  try {
    const configuration = parseConfiguration(text, file)
    parseIssuerSettings(configuration.issuer.settings)
    return { configuration, write: () => writeDataText(folder, file, text) }
  } catch (cause) {
    throw new CountersignError('CONFIGURATION_INVALID', `${what}: ${messageOf(cause)}`, { cause })
  }
}
