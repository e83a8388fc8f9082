/** What the command line calls of the server. */
export { parseConfiguration } from './configuration.ts'
export { parseListenAddress } from './listener.ts'
