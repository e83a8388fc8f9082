/** `README.txt` beside exported trust: the commands that make each client use a server. */
import { digest } from '../crypto/digest.ts'
import { encodeHex } from '../encoding/hex.ts'
import type { PublicTrust } from './public-trust.ts'

/** @param tufRoot the root.json to start from; its digest is what people have to get by a way they trust */
export function encodeTrustReadme(trust: PublicTrust, tufRoot: Uint8Array): string {
  const { origin, tufUrl } = trust
  const checksum = encodeHex(digest('sha256', tufRoot))
  const issuer = trust.oidcIssuer?.url ?? 'URL OF YOUR ISSUER'
  const [tsa] = trust.timestampAuthorities
  const [fulcio] = trust.certificateAuthorities
  const [rekor] = [...trust.rekorV1Logs, ...trust.rekorV2Logs]
  const identity = `--certificate-identity you@example.com --certificate-oidc-issuer ${issuer}`
  return `Trust in the Sigstore at ${origin}

Everything here is public. What counts is that nobody changed it on the way to you: compare the SHA-256 of root.json with
one that its operator tells you by another way. It is ${checksum}.


cosign 3, countersign
  Once on each machine; trust is then renewed by itself from the TUF repository:

    cosign initialize --mirror ${tufUrl} --root ${tufUrl}/1.root.json --root-checksum ${checksum}
    cosign sign-blob --bundle artifact.sigstore.json artifact
    cosign verify-blob --bundle artifact.sigstore.json ${identity} artifact

  Or for one shell alone, with the cache of other servers left as it is:  . ./env.sh   (PowerShell:  . ./env.ps1)
  Or with these files and no TUF, as in an air gap; then they must be exported anew after each rotation of a key:

    cosign sign-blob --signing-config signing_config.v0.2.json --trusted-root trusted_root.json --bundle artifact.sigstore.json artifact
    cosign verify-blob --trusted-root trusted_root.json --bundle artifact.sigstore.json ${identity} artifact

  countersign takes the same words.


sigstore-python 4
  Once on each machine, with trust that is renewed by itself from then on:

    sigstore --instance ${tufUrl} trust-instance root.json
    sigstore --instance ${tufUrl} sign artifact
    sigstore --instance ${tufUrl} verify identity --cert-identity you@example.com --cert-oidc-issuer ${issuer} artifact

  Or with one file and no TUF:

    sigstore --trust-config client_trust_config.json sign artifact
    sigstore --trust-config client_trust_config.json verify identity --cert-identity you@example.com --cert-oidc-issuer ${issuer} artifact


sigstore-js

    const { sign, verify } = require('sigstore')
    const bundle = await sign(payload, { fulcioURL: '${fulcio?.url ?? origin}', ${rekor === undefined ? '' : `rekorURL: '${rekor.url}', `}${tsa === undefined ? '' : `tsaServerURL: '${tsa.url.replace(/\/api\/v1\/timestamp$/, '')}', `}identityToken, timeout: 20000 })
    await verify(bundle, payload, { tufMirrorURL: '${tufUrl}', tufRootPath: 'root.json', certificateIssuer: '${issuer}', certificateIdentityEmail: 'you@example.com' })


gitsign
  After  . ./env.sh  in the shell that commits:

    gitsign initialize --mirror ${tufUrl} --root ${tufUrl}/1.root.json
    git config --local gpg.x509.program gitsign && git config --local gpg.format x509 && git config --local commit.gpgsign true
    git commit -m 'a signed commit'
    gitsign verify ${identity} HEAD


Kubernetes
  kyverno.yaml and policy-controller.yaml are policies to complete with your images and identities. For other programs there are
  fulcio.pem, ctfe.pub, rekor.pub, rekor-v2.pub and tsa.pem.
`
}
