import { startPostgres } from '../test/support/postgres.ts'
const pg = await startPostgres()
console.log(await pg.createDatabase())
process.on('SIGTERM', () => void pg.stop().then(() => process.exit()))
setInterval(() => {}, 1000)
