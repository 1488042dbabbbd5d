// quic-go with its http3 package, on their public API, for benchmarks of first requests: how it is started and asked is
// in ../contender.mjs.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
)

func main() {
	role, address, certificates := os.Args[1], os.Args[2], os.Args[3]
	run := runClient
	if role == "server" {
		run = runServer
	}
	if err := run(address, certificates); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func quicConfig() *quic.Config {
	return &quic.Config{Allow0RTT: true, MaxIdleTimeout: time.Minute, TokenStore: quic.NewLRUTokenStore(4, 4)}
}

// answer sends 100 bytes, or as many as the path /bytes/N says, when everything that comes is here.
func answer(response http.ResponseWriter, request *http.Request) {
	length := 100
	io.Copy(io.Discard, request.Body)
	if wanted, found := strings.CutPrefix(request.URL.Path, "/bytes/"); found {
		length, _ = strconv.Atoi(wanted)
	}
	response.Header().Set("content-type", "text/plain")
	response.Header().Set("content-length", strconv.Itoa(length))
	io.CopyN(response, zeros{}, int64(length))
}

// zeros is a reader without an end.
type zeros struct{}

func (zeros) Read(into []byte) (int, error) {
	return len(into), nil
}

// untilInputEnds returns when whoever started this program is gone.
func untilInputEnds() {
	io.Copy(io.Discard, os.Stdin)
}
