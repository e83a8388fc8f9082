/** Which characters a signed note may hold (C2SP signed-note, "Format"). */

/** Whether the text holds an ASCII control character other than newline. */
export function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 && code !== 0x0a) return true
  }
  return false
}

/** Whether this can be the name of a key: not empty, without Unicode spaces, plus signs and control characters. */
export function isKeyName(name: string): boolean {
  return /^[^\p{White_Space}+]+$/u.test(name) && name.isWellFormed() && !hasControlCharacter(name)
}
