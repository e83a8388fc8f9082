/** Identifier octets of DER (ITU-T X.690 section 8.1.2). */

/** The identifier octet of a context-specific tag `[number]`. */
export function contextTag(number: number, constructed: boolean): number {
  return 0x80 | (constructed ? 0x20 : 0) | number
}

/** An identifier octet as messages have it: `0x30`. */
export function hexOctet(octet: number): string {
  return `0x${octet.toString(16).padStart(2, '0')}`
}
