package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// A client makes contacts, each on a connection of its own, from one socket.
type client struct {
	transport *quic.Transport
	remote    net.Addr
	tls       *tls.Config
	tickets   *ticketCache
	quic      *quic.Config
}

func runClient(address, certificates string) error {
	c, err := newClient(address, certificates)
	if err != nil {
		return err
	}
	fmt.Println(`{"ready": true}`)
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		variant, path, _ := strings.Cut(input.Text(), " ")
		ms, isEarly, err := c.contact(variant, path)
		if err != nil {
			return err
		}
		fmt.Printf("{\"ms\": %.4f, \"isEarly\": %t}\n", ms, isEarly)
	}
	return input.Err()
}

func newClient(address, certificates string) (*client, error) {
	ca, err := os.ReadFile(filepath.Join(certificates, "ca.pem"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("no certificate in ca.pem")
	}
	remote, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	socket, err := net.ListenUDP("udp", nil)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: []string{http3.NextProtoH3}}
	tickets := &ticketCache{tls.NewLRUClientSessionCache(1), make(chan struct{}, 1)}
	return &client{&quic.Transport{Conn: socket}, remote, config, tickets, quicConfig()}, nil
}

// contact returns the milliseconds from before the connection to the last byte of the answer.
func (c *client) contact(variant, path string) (float64, bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	config, method := c.tls.Clone(), http.MethodGet
	var body io.Reader
	if variant == "put" {
		length, _ := strconv.ParseInt(strings.TrimPrefix(path, "/bytes/"), 10, 64)
		method, path, body = http.MethodPut, "/", io.LimitReader(zeros{}, length)
	}
	isResumable := variant == "0rtt"
	if isResumable {
		config.ClientSessionCache, method = c.tickets, http3.MethodGet0RTT
		c.tickets.forget()
	}
	begun := time.Now()
	connection, err := c.transport.DialEarly(ctx, c.remote, config, c.quic)
	if err != nil {
		return 0, false, err
	}
	defer connection.CloseWithError(0, "")
	request, err := http.NewRequestWithContext(ctx, method, "https://localhost"+path, body)
	if err != nil {
		return 0, false, err
	}
	response, err := (&http3.Transport{}).NewClientConn(connection).RoundTrip(request)
	if err != nil {
		return 0, false, err
	}
	length, err := io.Copy(io.Discard, response.Body)
	ms := float64(time.Since(begun)) / float64(time.Millisecond)
	if err != nil || length != response.ContentLength || response.StatusCode != http.StatusOK {
		return 0, false, fmt.Errorf("%s, %d bytes: %w", response.Status, length, err)
	}
	<-connection.HandshakeComplete()
	if isResumable {
		err = c.tickets.arrived(ctx)
	}
	return ms, connection.ConnectionState().Used0RTT, err
}

// A ticketCache tells when a ticket came.
type ticketCache struct {
	tls.ClientSessionCache
	news chan struct{}
}

func (t *ticketCache) Put(key string, state *tls.ClientSessionState) {
	t.ClientSessionCache.Put(key, state)
	select {
	case t.news <- struct{}{}:
	default:
	}
}

func (t *ticketCache) forget() {
	select {
	case <-t.news:
	default:
	}
}

func (t *ticketCache) arrived(ctx context.Context) error {
	select {
	case <-t.news:
		return nil
	case <-ctx.Done():
		return errors.New("no ticket came")
	}
}
