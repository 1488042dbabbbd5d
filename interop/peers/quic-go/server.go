package main

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

func runServer() error {
	switch testcase {
	case "handshake", "transfer", "chacha20", "retry", "resumption", "zerortt", "http3", "multiconnect", "ecn", "upload":
	case "helloretry":
	default:
		return errUnsupported
	}
	config, err := tlsConfig()
	if err != nil {
		return err
	}
	if err := certificates(config); err != nil {
		return err
	}
	if testcase == "helloretry" {
		// Clients begin with a share of another one.
		config.CurvePreferences = []tls.CurveID{tls.CurveP384}
	}
	address, err := net.ResolveUDPAddr("udp", net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT")))
	if err != nil {
		return err
	}
	socket, err := net.ListenUDP("udp", address)
	if err != nil {
		return err
	}
	transport := &quic.Transport{
		Conn:                socket,
		VerifySourceAddress: func(net.Addr) bool { return testcase == "retry" },
	}
	listener, err := transport.ListenEarly(config, quicConfig())
	if err != nil {
		return err
	}
	files := &http3.Server{Handler: handler()}
	for {
		connection, err := listener.Accept(context.Background())
		if err != nil {
			return err
		}
		if connection.ConnectionState().TLS.NegotiatedProtocol == hqInterop {
			go serveHq(connection)
		} else {
			go files.ServeQUICConn(connection)
		}
	}
}

func handler() http.Handler {
	if testcase != "upload" {
		return http.FileServer(http.Dir(os.Getenv("WWW")))
	}
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		file, err := os.Create(filepath.Join(os.Getenv("DOWNLOADS"), path.Base(request.URL.Path)))
		if err == nil {
			defer file.Close()
			_, err = io.Copy(file, request.Body)
		}
		if err != nil {
			http.Error(response, err.Error(), http.StatusInternalServerError)
			return
		}
		response.WriteHeader(http.StatusCreated)
	})
}

func serveHq(connection *quic.Conn) {
	for {
		stream, err := connection.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go answerHq(stream)
	}
}

func answerHq(stream *quic.Stream) {
	request, err := io.ReadAll(io.LimitReader(stream, 4096))
	name, isGet := strings.CutPrefix(strings.TrimSpace(string(request)), "GET ")
	if err != nil || !isGet {
		stream.CancelWrite(1)
		return
	}
	file, err := os.Open(filepath.Join(os.Getenv("WWW"), filepath.Clean("/"+name)))
	if err != nil {
		stream.CancelWrite(2)
		return
	}
	defer file.Close()
	if _, err := io.Copy(stream, file); err != nil {
		stream.CancelWrite(3)
		return
	}
	stream.Close()
}
