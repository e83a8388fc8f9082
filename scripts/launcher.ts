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

/**
 * The text of a launcher.
 * @param longestFile bytes in the longest of the files that it reads
 */
export function launcher({ usual, byVerb }: Choice, longestFile: number): string {
  const choice = Object.entries(byVerb).reduce(
    (other, [verb, program]) => `process.argv[2] === '${verb}' ? '${program}' : ${other}`,
    `'${usual}'`,
  )
  return `#!/usr/bin/env node\n${runProgram(choice, longestFile)}`
}

/** As a launcher, for one program; leaves a code cache behind when the program has ended, with every function that ran. */
export function cacheMaker(program: string, longestFile: number): string {
  // After the program's own listeners, so that they are among the functions that ran.
  return `${runProgram(`'${program}'`, longestFile)}process.once('exit', () => fs.writeFileSync(filename + '.cache', script.createCachedData()))\n`
}

/**
 * Both files are read into the same memory, since memory that is touched for the first time costs as much as reading does. Each module of
 * Node is asked for once: every file of the source does, and what the loader does before it finds that it has the module takes half a
 * millisecond in all.
 */
function runProgram(choice: string, longestFile: number): string {
  return `'use strict'
const fs = require('node:fs')
const { Script } = require('node:vm')
const filename = __dirname + '/' + (${choice}) + '-program.cjs'
const bytes = Buffer.allocUnsafeSlow(${longestFile + 1})
const read = (name) => {
  const file = fs.openSync(name)
  const size = fs.readSync(file, bytes)
  fs.closeSync(file)
  return size < bytes.length ? bytes.subarray(0, size) : fs.readFileSync(name)
}
const source = read(filename).toString('latin1')
let cachedData
try {
  cachedData = read(filename + '.cache')
} catch {}
const script = new Script(source, { filename, cachedData })
const loaded = {}
script.runInThisContext()((name) => (loaded[name] ??= require(name)), module, __dirname, (name) => import('../server/' + name))
`
}
