/** Documents of every kind of predicate that cosign's `--type` has a name for, as the tools of the field write them. */

const sha256 = (digit: string): string => digit.repeat(64)

/** As GitHub's reusable SLSA workflow writes it, with a number that a double cannot hold. */
export const slsaProvenance02 = `{
  "builder": { "id": "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v1.9.0" },
  "buildType": "https://github.com/slsa-framework/slsa-github-generator/generic@v1",
  "invocation": {
    "configSource": {
      "uri": "git+https://github.com/org/app@refs/tags/v1.2.3",
      "digest": { "sha1": "${'d'.repeat(40)}" },
      "entryPoint": ".github/workflows/release.yml"
    },
    "parameters": {},
    "environment": { "github_run_id": 92233720368547758079, "github_event_name": "push", "arch": "X64" }
  },
  "buildConfig": { "steps": [{ "command": ["make", "-j4"], "env": null }] },
  "metadata": {
    "buildInvocationID": "5570938237-1",
    "buildStartedOn": "2026-03-04T05:06:07.123456789Z",
    "buildFinishedOn": "2026-03-04T05:16:07+01:00",
    "completeness": { "parameters": true, "environment": false, "materials": false },
    "reproducible": false
  },
  "materials": [{ "uri": "git+https://github.com/org/app@refs/tags/v1.2.3", "digest": { "sha1": "${'d'.repeat(40)}" } }]
}`

/** As GitHub's attestations and BuildKit write it. */
export const slsaProvenance1 = `{
  "buildDefinition": {
    "buildType": "https://actions.github.io/buildtypes/workflow/v1",
    "externalParameters": { "workflow": { "ref": "refs/heads/main", "repository": "https://github.com/org/app", "path": ".github/workflows/build.yml" } },
    "internalParameters": { "github": { "event_name": "push", "repository_id": "1234567", "run_attempt": 1 } },
    "resolvedDependencies": [
      { "uri": "git+https://github.com/org/app@refs/heads/main", "digest": { "gitCommit": "${'c'.repeat(40)}" } },
      { "name": "toolchain", "downloadLocation": "https://go.dev/dl/go.tar.gz", "mediaType": "application/gzip", "annotations": { "cached": true } }
    ]
  },
  "runDetails": {
    "builder": { "id": "https://github.com/org/app/.github/workflows/build.yml@refs/heads/main", "version": { "runner": "2.320.0" } },
    "metadata": { "invocationId": "https://github.com/org/app/actions/runs/9/attempts/1", "startedOn": "2026-03-04T05:06:07Z" },
    "byproducts": [{ "name": "build.log", "content": "bG9n" }]
  }
}`

/** As in-toto-run records it. */
export const link = `{
  "_type": "link",
  "name": "package",
  "command": ["tar", "zcvf", "app.tar.gz", "src"],
  "materials": { "src/main.c": { "sha256": "${sha256('a')}" } },
  "products": { "app.tar.gz": { "sha256": "${sha256('b')}" } },
  "byproducts": { "return-value": 0, "stdout": "", "stderr": "src/main.c\\n" },
  "environment": {}
}`

/** As `trivy --format cosign-vuln` writes it. */
export const vulnerabilityScan = `{
  "invocation": { "parameters": null, "uri": "", "event_id": "", "builder.id": "" },
  "scanner": {
    "uri": "pkg:github/aquasecurity/trivy@0.58.1",
    "version": "0.58.1",
    "db": { "uri": "", "version": "" },
    "result": {
      "SchemaVersion": 2,
      "ArtifactName": "app.tar.gz",
      "Results": [{ "Target": "alpine", "Vulnerabilities": [{ "VulnerabilityID": "CVE-2021-28831", "CVSS": { "nvd": { "V2Score": 5, "V3Score": 7.5 } } }] }]
    }
  },
  "metadata": { "scanStartedOn": "2026-03-04T05:06:07.52Z", "scanFinishedOn": "2026-03-04T05:06:09.52Z" }
}`

/** As syft writes it. */
export const spdx = `{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "app",
  "documentNamespace": "https://anchore.com/syft/dir/app-6c2c2b1c",
  "creationInfo": { "licenseListVersion": "3.25", "creators": ["Organization: Anchore, Inc", "Tool: syft-1.18.0"], "created": "2026-03-04T05:06:07Z" },
  "packages": [
    {
      "name": "left-pad",
      "SPDXID": "SPDXRef-Package-npm-left-pad",
      "versionInfo": "1.3.0",
      "supplier": "NOASSERTION",
      "downloadLocation": "NOASSERTION",
      "filesAnalyzed": false,
      "licenseConcluded": "NOASSERTION",
      "externalRefs": [{ "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:npm/left-pad@1.3.0" }]
    }
  ],
  "files": [{ "fileName": "/package.json", "SPDXID": "SPDXRef-File-1", "checksums": [{ "algorithm": "SHA256", "checksumValue": "${sha256('1')}" }] }],
  "relationships": [
    { "spdxElementId": "SPDXRef-DOCUMENT", "relatedSpdxElement": "SPDXRef-Package-npm-left-pad", "relationshipType": "DESCRIBES" }
  ]
}`

/** SPDX as text, which `--type spdx` puts into the statement as it is. */
const spdxTagValue = `SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0
SPDXID: SPDXRef-DOCUMENT
DocumentName: app <&> "quoted"\\n
DocumentNamespace: https://example.com/spdx/app
Creator: Tool: syft-1.18.0
Created: 2026-03-04T05:06:07Z
`

/** As cdxgen and the CycloneDX plugins write it. */
export const cycloneDx = `{
  "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
  "bomFormat": "CycloneDX",
  "specVersion": "1.6",
  "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
  "version": 1,
  "metadata": {
    "timestamp": "2026-03-04T05:06:07Z",
    "tools": { "components": [{ "type": "application", "name": "cdxgen", "version": "11.0.0" }] },
    "component": { "type": "application", "name": "app", "bom-ref": "pkg:npm/app@1.2.3" }
  },
  "components": [
    {
      "type": "library",
      "bom-ref": "pkg:npm/left-pad@1.3.0",
      "name": "left-pad",
      "version": "1.3.0",
      "hashes": [{ "alg": "SHA-256", "content": "${sha256('2')}" }],
      "components": [{ "type": "file", "name": "index.js" }]
    }
  ],
  "services": [{ "name": "registry", "endpoints": ["https://registry.npmjs.org"] }],
  "dependencies": [{ "ref": "pkg:npm/app@1.2.3", "dependsOn": ["pkg:npm/left-pad@1.3.0"] }],
  "vulnerabilities": [{ "id": "CVE-2026-1", "ratings": [{ "score": 9.1, "method": "CVSSv31" }] }]
}`

/** As vexctl writes it. */
export const openVex = `{
  "@context": "https://openvex.dev/ns/v0.2.0",
  "@id": "https://openvex.dev/docs/public/vex-2e67563e",
  "author": "Wolfi J Inkinson",
  "role": "Document Creator",
  "timestamp": "2026-01-08T18:02:03.647787998-06:00",
  "version": 1,
  "tooling": "vexctl",
  "statements": [
    {
      "vulnerability": { "@id": "https://nvd.nist.gov/vuln/detail/CVE-2026-1", "name": "CVE-2026-1", "aliases": ["GHSA-xxxx"] },
      "products": [{ "@id": "pkg:npm/app@1.2.3", "subcomponents": [{ "@id": "pkg:npm/left-pad@1.3.0" }] }],
      "status": "not_affected",
      "justification": "vulnerable_code_not_in_execute_path",
      "impact_statement": "never called"
    },
    { "vulnerability": { "name": "CVE-2026-2" }, "status": "affected", "action_statement": "upgrade to 1.2.4" },
    { "vulnerability": { "name": "CVE-2026-3" }, "status": "under_investigation" }
  ]
}`

/** By the type that is given on the command line. */
export const predicateDocuments: Readonly<Record<string, string>> = {
  custom: 'all tests passed: <yes> & "yes"\n',
  slsaprovenance: slsaProvenance02,
  slsaprovenance02: slsaProvenance02,
  slsaprovenance1: slsaProvenance1,
  spdx: spdxTagValue,
  spdxjson: spdx,
  cyclonedx: cycloneDx,
  link,
  vuln: vulnerabilityScan,
  openvex: openVex,
  'https://example.com/tests/v1': '{"passed":true,"count":12,"nested":{"b":[1,2.50,null],"a":"\\u00e9"}}',
}
