// SPDX-License-Identifier: Apache-2.0

// Package countproxy is a TCP proxy on loopback that counts the bytes of both directions: what a client really puts on the wire,
// headers included.
package countproxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// Proxy is a running proxy. Its methods may be called from several goroutines.
type Proxy struct {
	target         string
	listener       net.Listener
	sent, received atomic.Int64
	running        sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
}

// Start starts a proxy on a free loopback port in front of target, a host:port.
func Start(target string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("counting proxy: %w", err)
	}
	p := &Proxy{target: target, listener: listener, open: map[net.Conn]struct{}{}}
	p.running.Go(p.accept)
	return p, nil
}

// Address is the proxy's host:port, in the target's place.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Sent is the bytes from clients to the target so far.
func (p *Proxy) Sent() int64 { return p.sent.Load() }

// Received is the bytes from the target to clients so far.
func (p *Proxy) Received() int64 { return p.received.Load() }

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.running.Go(func() { p.serve(conn) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	if !p.keep(client) {
		return
	}
	defer p.end(client)
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return // which the client sees as a broken connection
	}
	if !p.keep(server) {
		return
	}
	defer p.end(server)
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		pipe(client, server, &p.received)
	}()
	pipe(server, client, &p.sent)
	<-answers
}

// pipe copies until either side ends, and then ends the other's reading.
func pipe(to, from net.Conn, count *atomic.Int64) {
	_, _ = io.Copy(&countingWriter{to, count}, from) // either side may break off
	if tcp, ok := to.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}

type countingWriter struct {
	to    io.Writer
	count *atomic.Int64
}

func (w *countingWriter) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	w.count.Add(int64(n))
	return n, err
}

// keep notes a connection for Close; it ends it at once when the proxy is closed.
func (p *Proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = conn.Close()
		return false
	}
	p.open[conn] = struct{}{}
	return true
}

func (p *Proxy) end(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
	_ = conn.Close()
}

// Close ends the proxy and all connections; it returns when nothing of it is left.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	err := p.listener.Close()
	for conn := range p.open {
		_ = conn.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
