// Command sigstore-go verifies bundles with sigstore-go on one thread, for bench/verify.ts to compare with.
//
// It reads the manifest named by its argument, makes one verifier for each case, tries every case once and answers with
// the reasons of those it refuses. Then it answers each request on standard input by verifying the cases it names, from
// the bytes of the bundle's JSON on, and says how long that took. One JSON document a line, both ways.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

// A bundle to verify. Either Identity and Issuer, or Key; either Artifact or Digest.
type testCase struct {
	Bundle          string `json:"bundle"`
	TrustedRoot     string `json:"trustedRoot"`
	Key             string `json:"key"`      // PEM
	Identity        string `json:"identity"` // exact
	Issuer          string `json:"issuer"`   // exact
	Artifact        []byte `json:"artifact"`
	DigestAlgorithm string `json:"digestAlgorithm"`
	Digest          []byte `json:"digest"`
}

type preparedCase struct {
	testCase
	json     []byte
	verifier *verify.Verifier
	signer   verify.PolicyOption
}

type refusal struct {
	Case   int    `json:"case"`
	Reason string `json:"reason"`
}

type request struct {
	Cases  []int `json:"cases"`
	Passes int   `json:"passes"`
}

type answer struct {
	Verifications int     `json:"verifications"`
	Seconds       float64 `json:"seconds"`
}

func main() {
	// The garbage collector shares the one thread, as it does the one core of the other verifiers.
	runtime.GOMAXPROCS(1)
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: sigstore-go MANIFEST")
	}
	cases, err := load(args[0])
	if err != nil {
		return err
	}
	output := json.NewEncoder(os.Stdout)
	refusals := []refusal{}
	for i := range cases {
		if err := cases[i].verify(); err != nil {
			refusals = append(refusals, refusal{i, err.Error()})
		}
	}
	if err := output.Encode(refusals); err != nil {
		return err
	}
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	for input.Scan() {
		var wanted request
		if err := json.Unmarshal(input.Bytes(), &wanted); err != nil {
			return err
		}
		result, err := run(cases, wanted)
		if err != nil {
			return err
		}
		if err := output.Encode(result); err != nil {
			return err
		}
	}
	return input.Err()
}

func run(cases []preparedCase, wanted request) (answer, error) {
	verifications := 0
	start := time.Now()
	for range wanted.Passes {
		for _, i := range wanted.Cases {
			if err := cases[i].verify(); err != nil {
				return answer{}, fmt.Errorf("case %d: %w", i, err)
			}
			verifications++
		}
	}
	return answer{verifications, time.Since(start).Seconds()}, nil
}

func load(manifest string) ([]preparedCase, error) {
	contents, err := os.ReadFile(manifest)
	if err != nil {
		return nil, err
	}
	var cases []testCase
	if err := json.Unmarshal(contents, &cases); err != nil {
		return nil, err
	}
	roots := map[string]root.TrustedMaterial{}
	prepared := make([]preparedCase, 0, len(cases))
	for _, c := range cases {
		if roots[c.TrustedRoot] == nil {
			if roots[c.TrustedRoot], err = root.NewTrustedRootFromPath(c.TrustedRoot); err != nil {
				return nil, err
			}
		}
		p, err := prepare(c, roots[c.TrustedRoot])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Bundle, err)
		}
		prepared = append(prepared, p)
	}
	return prepared, nil
}

func prepare(c testCase, trust root.TrustedMaterial) (preparedCase, error) {
	p := preparedCase{testCase: c}
	options := []verify.VerifierOption{verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1)}
	var err error
	if p.json, err = os.ReadFile(c.Bundle); err != nil {
		return p, err
	}
	if c.Key != "" {
		p.signer = verify.WithKey()
		keys, err := trustedKey(c.Key)
		if err != nil {
			return p, err
		}
		trust = root.TrustedMaterialCollection{keys, trust}
	} else {
		options = append(options, verify.WithSignedCertificateTimestamps(1))
		identity, err := verify.NewShortCertificateIdentity(c.Issuer, "", c.Identity, "")
		if err != nil {
			return p, err
		}
		p.signer = verify.WithCertificateIdentity(identity)
	}
	p.verifier, err = verify.NewVerifier(trust, options...)
	return p, err
}

func trustedKey(pem string) (root.TrustedMaterial, error) {
	key, err := cryptoutils.UnmarshalPEMToPublicKey([]byte(pem))
	if err != nil {
		return nil, err
	}
	verifier, err := signature.LoadDefaultVerifier(key)
	if err != nil {
		return nil, err
	}
	expiring := root.NewExpiringKey(verifier, time.Time{}, time.Time{})
	return root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) { return expiring, nil }), nil
}

func (p *preparedCase) verify() error {
	var parsed bundle.Bundle
	if err := parsed.UnmarshalJSON(p.json); err != nil {
		return err
	}
	artifact := verify.WithArtifactDigest(p.DigestAlgorithm, p.Digest)
	if p.DigestAlgorithm == "" {
		artifact = verify.WithArtifact(bytes.NewReader(p.Artifact))
	}
	_, err := p.verifier.Verify(&parsed, verify.NewPolicy(artifact, p.signer))
	return err
}
