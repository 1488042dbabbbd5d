package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"golang.org/x/sync/errgroup"
)

// A client fetches files: the requests of one call on one connection, at once.
type client struct {
	tls     *tls.Config
	tickets chan struct{}
}

func runClient() error {
	config, err := tlsConfig()
	if err != nil {
		return err
	}
	if err := trust(config); err != nil {
		return err
	}
	c := &client{tls: config, tickets: make(chan struct{}, 16)}
	config.ClientSessionCache = &ticketCache{tls.NewLRUClientSessionCache(1), c.tickets}
	requests := strings.Fields(os.Getenv("REQUESTS"))

	switch testcase {
	case "handshake", "transfer", "chacha20", "retry", "keyupdate", "ecn", "http3", "upload":
		return c.fetch(requests, false)
	case "multiconnect":
		for _, request := range requests {
			if err := c.fetch([]string{request}, false); err != nil {
				return err
			}
			config.ClientSessionCache = nil
		}
		return nil
	case "resumption", "zerortt":
		if err := c.fetch(requests[:1], false); err != nil {
			return err
		}
		return c.fetch(requests[1:], testcase == "zerortt")
	}
	return errUnsupported
}

type ticketCache struct {
	tls.ClientSessionCache
	arrived chan struct{}
}

func (c *ticketCache) Put(key string, state *tls.ClientSessionState) {
	c.ClientSessionCache.Put(key, state)
	c.arrived <- struct{}{}
}

// fetch returns when all files are here, and, if a later connection needs it, a ticket.
func (c *client) fetch(requests []string, early bool) error {
	ctx, cancel := timeout()
	defer cancel()
	target, err := url.Parse(requests[0])
	if err != nil {
		return err
	}
	connection, err := c.dial(ctx, target)
	if err != nil {
		return err
	}
	defer connection.CloseWithError(0, "")
	if !early {
		select {
		case <-connection.HandshakeComplete():
		case <-connection.Context().Done():
			return context.Cause(connection.Context())
		}
	}
	transfer := func(request string) error { return save(request, getHq(ctx, connection)) }
	if c.tls.NextProtos[0] == http3.NextProtoH3 {
		h3 := (&http3.Transport{}).NewClientConn(connection)
		transfer = func(request string) error { return save(request, getHttp3(ctx, h3)) }
		if testcase == "upload" {
			transfer = func(request string) error { return upload(ctx, request, h3) }
		}
	}
	var group errgroup.Group
	for _, request := range requests {
		group.Go(func() error { return transfer(request) })
	}
	if os.Getenv("TEST") == "connectionmigration" {
		group.Go(func() error { return migrate(ctx, connection) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if early || (testcase != "resumption" && testcase != "zerortt") {
		return nil
	}
	select {
	case <-c.tickets:
		return nil
	case <-time.After(5 * time.Second):
		return errors.New("no ticket arrived")
	}
}

func (c *client) dial(ctx context.Context, target *url.URL) (*quic.Conn, error) {
	port := target.Port()
	if port == "" {
		port = "443"
	}
	address, err := net.ResolveUDPAddr("udp", net.JoinHostPort(target.Hostname(), port))
	if err != nil {
		return nil, err
	}
	// A transport of its own has connection IDs, without which there is no second path.
	transport, err := anyPort()
	if err != nil {
		return nil, err
	}
	config := c.tls.Clone()
	config.ServerName = target.Hostname()
	return transport.DialEarly(ctx, address, config, quicConfig())
}

func anyPort() (*quic.Transport, error) {
	socket, err := net.ListenUDP("udp", nil)
	return &quic.Transport{Conn: socket}, err
}

// migrate moves to another socket in the middle of a transfer (RFC 9000 §9).
func migrate(ctx context.Context, connection *quic.Conn) error {
	time.Sleep(500 * time.Millisecond)
	transport, err := anyPort()
	if err != nil {
		return err
	}
	path, err := connection.AddPath(transport)
	if err != nil {
		return err
	}
	if err := path.Probe(ctx); err != nil {
		return err
	}
	return path.Switch()
}

type getter func(target *url.URL) (io.ReadCloser, error)

func save(request string, get getter) error {
	target, err := url.Parse(request)
	if err != nil {
		return err
	}
	body, err := get(target)
	if err != nil {
		return err
	}
	defer body.Close()
	file, err := os.Create(filepath.Join(os.Getenv("DOWNLOADS"), path.Base(target.Path)))
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(file, body)
	return err
}

func upload(ctx context.Context, target string, connection *http3.ClientConn) error {
	file, err := os.Open(filepath.Join(os.Getenv("WWW"), path.Base(target)))
	if err != nil {
		return err
	}
	defer file.Close()
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, target, file)
	if err != nil {
		return err
	}
	response, err := connection.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		return errors.New(response.Status)
	}
	return nil
}

func getHq(ctx context.Context, connection *quic.Conn) getter {
	return func(target *url.URL) (io.ReadCloser, error) {
		stream, err := connection.OpenStreamSync(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := stream.Write([]byte("GET " + target.Path + "\r\n")); err != nil {
			return nil, err
		}
		return io.NopCloser(stream), stream.Close()
	}
}

func getHttp3(ctx context.Context, connection *http3.ClientConn) getter {
	return func(target *url.URL) (io.ReadCloser, error) {
		method := http.MethodGet
		if testcase == "zerortt" {
			method = http3.MethodGet0RTT
		}
		request, err := http.NewRequestWithContext(ctx, method, target.String(), nil)
		if err != nil {
			return nil, err
		}
		response, err := connection.RoundTrip(request)
		if err != nil {
			return nil, err
		}
		if response.StatusCode != http.StatusOK {
			return nil, errors.New(response.Status)
		}
		return response.Body, nil
	}
}
