/** The part of pkcs11js that is used. The package compiles when it is installed, so it is not there when this is built. */
declare module 'pkcs11js' {
  export interface TokenInfo {
    readonly label: string
    readonly manufacturerID: string
    readonly model: string
    readonly serialNumber: string
    readonly flags: number
  }

  export interface Attribute {
    readonly type: number
    readonly value?: number | boolean | string | Buffer
  }

  export interface Mechanism {
    readonly mechanism: number
    readonly parameter?: { readonly type: number; readonly hashAlg: number; readonly mgf: number; readonly saltLen: number }
  }

  /** Every method throws an Error whose message is the name of a CKR constant. */
  export class PKCS11 {
    load(path: string): void
    close(): void
    C_Initialize(): void
    C_Finalize(): void
    C_GetSlotList(tokenPresent: boolean): Buffer[]
    C_GetTokenInfo(slot: Buffer): TokenInfo
    C_OpenSession(slot: Buffer, flags: number): Buffer
    C_CloseSession(session: Buffer): void
    C_Login(session: Buffer, userType: number, pin: string): void
    C_FindObjectsInit(session: Buffer, template: readonly Attribute[]): void
    C_FindObjects(session: Buffer, maxObjectCount: number): Buffer[]
    C_FindObjectsFinal(session: Buffer): void
    C_GetAttributeValue(session: Buffer, object: Buffer, attributes: readonly Attribute[]): { readonly value: Buffer }[]
    C_SignInit(session: Buffer, mechanism: Mechanism, key: Buffer): void
    C_Sign(session: Buffer, data: Buffer, space: Buffer): Buffer
  }

  export const CK_PARAMS_RSA_PSS: number
}
