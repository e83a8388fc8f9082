/**
 * The files that a shell starts. A launcher runs a program from its own file with V8's code cache beside it, which Node's loader
 * of modules cannot do. A cache made by another Node is ignored by V8, and the program is compiled as usual.
 */

/** What the text of a program is put into: the function that a launcher calls with its own surroundings. */
export const wrapper = { head: '(function (require, module, __dirname, importServer) {', foot: '\n})' } as const

/** Chooses a program by the first word of the command line. */
export interface Choice {
  /** The program where the word is not one of `byVerb`. */
  readonly usual: string
  /** Programs that were built for one verb alone. */
  readonly byVerb: Readonly<Record<string, string>>
}

/** The text of a launcher. */
export function launcher({ usual, byVerb }: Choice): string {
  const choice = Object.entries(byVerb).reduce(
    (other, [verb, program]) => `process.argv[2] === '${verb}' ? '${program}' : ${other}`,
    `'${usual}'`,
  )
  return `#!/usr/bin/env node\n${runProgram(choice)}`
}

/** As a launcher, for one program; leaves a code cache behind when the program has ended, with every function that ran. */
export function cacheMaker(program: string): string {
  // After the program's own listeners, so that they are among the functions that ran.
  return `${runProgram(`'${program}'`)}process.once('exit', () => fs.writeFileSync(filename + '.cache', script.createCachedData()))\n`
}

function runProgram(choice: string): string {
  return `'use strict'
const fs = require('node:fs')
const { Script } = require('node:vm')
const filename = __dirname + '/' + (${choice}) + '-program.cjs'
let cachedData
try {
  cachedData = fs.readFileSync(filename + '.cache')
} catch {}
const script = new Script(fs.readFileSync(filename, 'utf8'), { filename, cachedData })
script.runInThisContext()(require, module, __dirname, (name) => import('../server/' + name))
`
}
