package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"path/filepath"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

func runServer(address, certificates string) error {
	certificate, err := tls.LoadX509KeyPair(filepath.Join(certificates, "cert.pem"), filepath.Join(certificates, "priv.key"))
	if err != nil {
		return err
	}
	config := http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate}})
	local, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return err
	}
	socket, err := net.ListenUDP("udp", local)
	if err != nil {
		return err
	}
	listener, err := (&quic.Transport{Conn: socket}).ListenEarly(config, quicConfig())
	if err != nil {
		return err
	}
	go serve(listener, &http3.Server{Handler: http.HandlerFunc(answer)})
	fmt.Println(`{"ready": true}`)
	untilInputEnds()
	return nil
}

func serve(listener *quic.EarlyListener, server *http3.Server) {
	for {
		connection, err := listener.Accept(context.Background())
		if err != nil {
			return
		}
		go server.ServeQUICConn(connection)
	}
}
