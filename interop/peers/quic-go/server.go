package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

func runServer() error {
	switch testcase {
	case "handshake", "transfer", "chacha20", "retry", "resumption", "zerortt", "http3", "multiconnect", "ecn":
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
	files := &http3.Server{Handler: http.FileServer(http.Dir(os.Getenv("WWW")))}
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
	path, isGet := strings.CutPrefix(strings.TrimSpace(string(request)), "GET ")
	if err != nil || !isGet {
		stream.CancelWrite(1)
		return
	}
	file, err := os.Open(filepath.Join(os.Getenv("WWW"), filepath.Clean("/"+path)))
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
