/** Identifier octets of DER (ITU-T X.690 section 8.1.2). */

/** Identifier octets of the universal types in use. SEQUENCE and SET include the bit for a constructed element. */
export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

/** The identifier octet of a context-specific tag `[number]`. */
export function contextTag(number: number, constructed: boolean): number {
  return 0x80 | (constructed ? 0x20 : 0) | number
}

/** An identifier octet as messages have it: `0x30`. */
export function hexOctet(octet: number): string {
  return `0x${octet.toString(16).padStart(2, '0')}`
}
