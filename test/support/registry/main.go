// A registry with the referrers API of OCI 1.1, for tests: go-containerregistry's, with blobs on disk.
package main

import (
	"log"
	"net"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	handler := registry.New(registry.WithReferrersSupport(true), registry.WithBlobHandler(registry.NewDiskBlobHandler(os.Args[2])), registry.Logger(log.New(os.Stderr, "", 0)))
	log.Println("listening on", listener.Addr())
	log.Fatal(http.Serve(listener, handler))
}
