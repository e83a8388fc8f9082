/** Which characters a signed note may hold (C2SP signed-note, "Format"). */

/** Whether the text holds an ASCII control character other than newline. */
export function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 && code !== 0x0a) return true
  }
  return false
}

/** Unicode spaces, written out because \p{White_Space} costs a process that verifies one file half a millisecond. */
const forbiddenInName = /[+\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/

/** Whether this can be the name of a key: not empty, without Unicode spaces, plus signs and control characters. */
export function isKeyName(name: string): boolean {
  if (name === '' || hasControlCharacter(name)) return false
  return isPlain(name) || (!forbiddenInName.test(name) && name.isWellFormed())
}

/** Whether the text is of printing ASCII characters without a plus sign, as most names are. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code <= 0x20 || code >= 0x7f || code === 0x2b) return false
  }
  return true
}
