/** The kinds of files by their first bytes. `test/interop` compares with the real cosign. */
import { describe, expect, it } from 'vitest'
import { detectContentType } from '../../../src/oci/content-type.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

describe('the content type', () => {
  it.each([
    ['', 'text/plain'],
    ['plain words\n', 'text/plain'],
    ['{"a":1}', 'text/plain'],
    ['\xEF\xBB\xBFwords', 'text/plain'],
    ['\xFE\xFF\x00a', 'text/plain'],
    ['a\x00b', 'application/octet-stream'],
    ['\x7FELF\x02\x01\x01\x00', 'application/octet-stream'],
    ['  \n<!DOCTYPE html>', 'text/html'],
    ['<html>', 'text/html'],
    ['<!-- a -->', 'text/html'],
    ['<aside>', 'text/plain'],
    ['<?xml version="1.0"?>', 'text/xml'],
    ['%PDF-1.7', 'application/pdf'],
    ['\x1F\x8B\x08\x00', 'application/x-gzip'],
    ['PK\x03\x04', 'application/zip'],
    ['Rar!\x1A\x07\x01\x00', 'application/x-rar-compressed'],
    ['\x00asm\x01\x00\x00\x00', 'application/wasm'],
    ['\x89PNG\r\n\x1A\n', 'image/png'],
    ['RIFF\x00\x00\x00\x00WEBPVP8 ', 'image/webp'],
    ['RIFF\x00\x00\x00\x00WAVE', 'audio/wave'],
    ['\x00\x00\x00\x14ftypisom\x00\x00\x02\x00mp41', 'video/mp4'],
    ['\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom', 'application/octet-stream'],
  ])('of %j is %s', (start, expected) => {
    expect(detectContentType(bytes(start))).toBe(expected)
  })

  it('does not depend on what comes after 512 bytes', () => {
    expect(detectContentType(bytes(`${'a'.repeat(512)}\x00`))).toBe('text/plain')
  })
})
