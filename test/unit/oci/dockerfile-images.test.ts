/** Dockerfiles whose images are hidden from whoever reads them in another way than a builder does. */
import { describe, expect, it } from 'vitest'
import { imagesOfDockerfile } from '../../../src/oci/dockerfile-images.ts'

const all = (text: string, env: Readonly<Record<string, string>> = {}): readonly string[] => imagesOfDockerfile(text, env).all

describe('an image of a Dockerfile is found', () => {
  it.each([
    ['after an escape directive that is only a comment', '# note\n# escape=`\nFROM a\nRUN x `\nFROM evil', ['a', 'evil']],
    ['after an escape directive that follows an instruction', 'FROM a\n# escape=`\nRUN x `\nFROM evil', ['a', 'evil']],
    ['where its instruction is cut in two', 'FROM a\nFR\\\nOM evil', ['a', 'evil']],
    ['where its name is cut in two', 'FROM signed\\\nevil', ['signedevil']],
    ['where a flag is cut in two', 'FROM a\nCOPY --fr\\\nom=evil x y', ['a', 'evil']],
    ['after a backslash with another space than blanks and tabs', 'FROM a\nRUN x \\\u00A0\nFROM evil', ['a', 'evil']],
    ['after what is a here-document only for the shell', 'FROM a\nRUN cat<<EOF\nFROM evil', ['a', 'evil']],
    ['after a quoted word that looks like a here-document', 'FROM a\nRUN echo "<<EOF"\nFROM evil', ['a', 'evil']],
    ['after a here-string', 'FROM a\nRUN cat <<<EOF\nFROM evil', ['a', 'evil']],
    ['after a JSON command with an odd word', 'FROM a\nRUN ["cat", "y <<EOF z"]\nFROM evil', ['a', 'evil']],
    ['after a here-document with its end indented', 'FROM a\nRUN <<EOF\n EOF\nRUN <<X\nEOF\nFROM evil', ['a', 'evil']],
    ['after a here-document with tabs before its end', 'FROM a\nRUN <<-"EOF"\n\tx\n\tEOF\nFROM evil', ['a', 'evil']],
    ['after a here-document with continued lines', 'FROM a\nRUN <<EOF\nx \\\n y\nEOF\nFROM evil', ['a', 'evil']],
    ['after several here-documents', 'FROM a\nCOPY <<A <<B /x\nB\nA\nFROM b\nB\nFROM evil', ['a', 'evil']],
    ['with quotes within a flag', 'FROM a\nCOPY --fr"om"=evil x y', ['a', 'evil']],
    ['with a backslash within a flag', 'FROM a\nCOPY --fr\\om=evil x y', ['a', 'evil']],
    ['with its value in quotes', 'FROM a\nCOPY --from="evil" x y', ['a', 'evil']],
    ['after a flag with a blank in quotes', 'FROM a\nCOPY --exclude="x y" --from=evil x y', ['a', 'evil']],
    ['of a mount in capitals', 'FROM a\nRUN --mount=type=bind,FROM=evil,target=/t x', ['a', 'evil']],
    ['of a mount in quotes', `FROM a\nRUN --mount='type=bind,"from=evil",target=/t' x`, ['a', 'evil']],
    ['of a mount that is named twice', 'FROM a\nRUN --mount=from=b,from=evil,target=/t x', ['a', 'b', 'evil']],
    ['of a mount after a value with a blank', 'FROM a\nRUN --mount=target="/x y",from=evil x', ['a', 'evil']],
    ['where an ARG in quotes looks like another', 'ARG B=evil\nARG A="x B=signed y"\nFROM $B', ['evil']],
    ['where it builds the file', '# syntax=evil/builder:1 more\nFROM a', ['evil/builder:1', 'a']],
    ['where it builds the file, after a shebang', '#!/usr/bin/env x\n# syntax = evil/builder\nFROM a', ['evil/builder', 'a']],
    ['but not where Docker itself builds it', '# syntax=docker/dockerfile:1.7\nFROM a', ['a']],
    ['but not in what a comment says of syntax', 'FROM a\n# syntax=evil/builder', ['a']],
  ])('%s', (_, text, expected) => expect(all(text)).toEqual(expected))
})

describe('a Dockerfile is refused', () => {
  it.each([
    ['that has an instruction nobody knows', 'FROM a\nINCLUDE other', /line 2 .*"INCLUDE" is no instruction/],
    ['that names its builder as other languages write comments', '// syntax=evil/builder\nFROM a', /line 1 .*no instruction/],
    ['with two escape characters at the end of a line', 'FROM a\nRUN x \\\\\nFROM evil', /line 2 .*not every builder/],
    ['with a here-document without end', 'FROM a\nRUN <<EOF\nFROM evil', /line 2 .*should end with a line EOF/],
    [
      'with a here-document that older builders do not see',
      'FROM a\nRUN <<EOF\nFROM evil\nRUN x \\\n\n# note\nEOF\n',
      /line 2 .*should not end with/,
    ],
    ['with a here-document of an odd name', 'FROM a\nRUN <<EOF;\nFROM evil\nEOF\n', /line 2 .*not certain/],
    ['with a here-document that ends like an instruction', 'FROM a\nRUN <<CMD\nFROM evil\nCMD\n', /line 2 .*instruction CMD/],
    ['with a here-document after an open quote', "FROM a\nRUN echo it's <<EOF\nFROM evil\nEOF", /line 2 .*not certain/],
    ['with a here-document after an unknown form of a variable', 'FROM a\nRUN echo ${X@Q} <<EOF\nFROM evil\nEOF', /line 2 .*not certain/],
    ['with --from apart from its value', 'FROM a\nCOPY --from evil x y', /line 2 of the Dockerfile: --from should have its value/],
    ['with --mount apart from its value', 'FROM a\nRUN --mount from=evil x', /line 2 of the Dockerfile: --mount should have its value/],
    ['with a mount that cannot be read', `FROM a\nRUN --mount='x"y,from=evil' x`, /line 2 of the Dockerfile: --mount should be values/],
    ['with more than an image after FROM', 'FROM a evil', /line 1 of the Dockerfile: FROM should be followed by/],
    ['with an ARG with an escaped blank', 'ARG B=evil\nARG A=x\\ B=signed\nFROM $B', /line 2 of the Dockerfile: ARG should be/],
    ['with an ARG that may lose its value', 'ARG B=signed\nARG B\nFROM ${B:-evil}', /line 2 of the Dockerfile: ARG B has had a default/],
    [
      'with a name that depends on the builder',
      'FROM signed${TARGETARCH:+evil}',
      /line 1 of the Dockerfile: whether TARGETARCH has a value/,
    ],
    [
      'with a name that depends on whether an empty ARG is one',
      'ARG X\nFROM signed${X+evil}',
      /line 2 of the Dockerfile: whether X has a value/,
    ],
    [
      'with a name that depends on what only the environment has',
      'FROM ghcr.io/or${HOME:+g}/app',
      /line 1 of the Dockerfile: HOME is set in the environment/,
    ],
    ['with an unknown escape character', '# escape=x\nFROM a', /line 1 .*escape character/],
    ['with a directive twice', '# syntax=a/b\n# syntax=c/d\nFROM a', /line 2 .*given twice/],
    ['with an instruction without measure', `FROM a\nRUN --mount="${'x'.repeat(1024 * 1024)}`, /line 2 .*longer than/],
    ['with a stray carriage return', 'FROM a\nRUN x \\\r\r\nFROM evil', /line 2 .*carriage return/],
  ])('%s', (_, text, message) => {
    expect(() => all(text, { HOME: '/root' })).toThrow(message)
  })
})

it('reads long instructions', () => {
  const long = 'x'.repeat(1000 * 1000)
  expect(all(`FROM a\nRUN --mount="target=/${long}",from=b x\nRUN cat <<EOF ${long}\nEOF`)).toEqual(['a', 'b'])
})

it('names the variables that a build would have from elsewhere', () => {
  const { all: images, fromEnvironment } = imagesOfDockerfile('ARG A=evil\nARG B=b\nFROM $A\nFROM $B', { A: 'signed', B: 'b' })
  expect(images).toEqual(['signed', 'b'])
  expect(fromEnvironment).toEqual(['A'])
})
