// A peer for the interop matrix on quic-go's public API: files over hq-interop and HTTP/3, told what to do by the
// environment (see ../environment.mjs).
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	_ "unsafe"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlog"
)

const hqInterop = "hq-interop"

var errUnsupported = errors.New("unsupported test case")

var testcase = os.Getenv("TESTCASE")

// crypto/tls has no setting for the cipher suites of TLS 1.3, but lets quic-go and those like it at the default.
//
//go:linkname defaultCipherSuitesTLS13 crypto/tls.defaultCipherSuitesTLS13
var defaultCipherSuitesTLS13 []uint16

//go:linkname defaultCipherSuitesTLS13NoAES crypto/tls.defaultCipherSuitesTLS13NoAES
var defaultCipherSuitesTLS13NoAES []uint16

func main() {
	if testcase == "chacha20" {
		defaultCipherSuitesTLS13 = []uint16{tls.TLS_CHACHA20_POLY1305_SHA256}
		defaultCipherSuitesTLS13NoAES = defaultCipherSuitesTLS13
	}
	run := runClient
	if os.Getenv("ROLE") == "server" {
		run = runServer
	}
	err := run()
	if errors.Is(err, errUnsupported) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(127)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func quicConfig() *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout: 60 * time.Second,
		Allow0RTT:            testcase == "zerortt",
		Tracer:               qlog.DefaultConnectionTracer,
	}
}

func tlsConfig() (*tls.Config, error) {
	config := &tls.Config{NextProtos: strings.Split(os.Getenv("ALPN"), ",")}
	if name := os.Getenv("SSLKEYLOGFILE"); name != "" {
		file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		config.KeyLogWriter = file
	}
	return config, nil
}

func certificates(config *tls.Config) error {
	certificate, err := tls.LoadX509KeyPair(os.Getenv("CERTS")+"/cert.pem", os.Getenv("CERTS")+"/priv.key")
	config.Certificates = []tls.Certificate{certificate}
	return err
}

func trust(config *tls.Config) error {
	ca, err := os.ReadFile(os.Getenv("CERTS") + "/ca.pem")
	if err != nil {
		return err
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(ca) {
		return errors.New("no certificate in ca.pem")
	}
	return nil
}

func timeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 5*time.Minute)
}
