// SPDX-License-Identifier: Apache-2.0

package faultproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// The proxy's port is drawn from below the range that the kernel takes the ports of outgoing connections from, and from below
// Kubernetes' node ports, so that it is still free when a refusal ends.
const (
	firstPort = 20000
	lastPort  = 29999
)

// serverTimeout bounds the wait for an answer of the server; a client that has gone meanwhile doesn't end it.
const serverTimeout = time.Minute

// Proxy is a running proxy. Its methods may be called from several goroutines.
type Proxy struct {
	address string
	forward *httputil.ReverseProxy
	backend *http.Transport
	counts  struct{ requests, answered, lost, failed, faulted atomic.Int64 }

	handlers sync.WaitGroup

	mu     sync.Mutex // guards what follows
	fault  force
	server *http.Server  // nil while it refuses
	served chan struct{} // closed when server has ended
	closed bool
}

// force is a fault in force. Its context ends when another one is set.
type force struct {
	Fault
	left int // requests that it still meets, if it is bounded
	ctx  context.Context
	end  context.CancelFunc
}

func newForce(f Fault) force {
	ctx, end := context.WithCancel(context.Background())
	return force{Fault: f, left: f.Next, ctx: ctx, end: end}
}

// Start starts a proxy on a free loopback port in front of a server, whose URL has no path; it passes all on.
func Start(server string) (*Proxy, error) {
	target, err := url.Parse(server)
	if err != nil {
		return nil, fmt.Errorf("fault proxy: %w", err)
	}
	if target.Host == "" || target.Scheme != "http" || target.Path != "" {
		return nil, fmt.Errorf("fault proxy: server %q; allowed: http://host:port", server)
	}
	p := &Proxy{
		fault:   newForce(Fault{}),
		backend: &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true, ResponseHeaderTimeout: serverTimeout},
	}
	p.forward = &httputil.ReverseProxy{
		Transport: p.backend,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorLog:  log.New(io.Discard, "", 0), // an answer that can't be passed on is what this is about
		// A server that isn't there shows as a broken connection, not as an answer of the proxy.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { cut(w) },
	}
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(lastPort-firstPort+1))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		p.address = address
		p.serve(listener)
		return p, nil
	}
	return nil, errors.New("fault proxy: no free loopback port found in 1000 tries")
}

// URL is the base URL of the proxy, in the server's place.
func (p *Proxy) URL() string { return "http://" + p.address }

// Counts returns what the proxy has seen.
func (p *Proxy) Counts() Counts {
	c := &p.counts
	return Counts{
		Requests: c.requests.Load(), Answered: c.answered.Load(), Lost: c.lost.Load(),
		Failed: c.failed.Load(), Faulted: c.faulted.Load(),
	}
}

// Set puts a fault in force in place of the one before.
func (p *Proxy) Set(f Fault) error {
	if err := f.validate(); err != nil {
		return fmt.Errorf("fault proxy: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errors.New("fault proxy: closed")
	}
	p.fault.end()
	p.fault = newForce(f)
	if f.Kind == Refuse {
		return p.stop()
	}
	if p.server != nil {
		return nil
	}
	listener, err := p.listenAgain()
	if err != nil {
		return err
	}
	p.serve(listener)
	return nil
}

// listenAgain takes the port back. Another process may have it for a moment.
func (p *Proxy) listenAgain() (net.Listener, error) {
	for try := 0; ; try++ {
		listener, err := net.Listen("tcp", p.address)
		if err == nil {
			return listener, nil
		}
		if try == 100 {
			return nil, fmt.Errorf("fault proxy: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// serve begins to take connections; p.mu is held or p is not shared yet.
func (p *Proxy) serve(listener net.Listener) {
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	served := make(chan struct{})
	p.server, p.served = server, served
	go func() {
		defer close(served)
		_ = server.Serve(listener) // ends by stop, with an error that says so
	}()
}

// stop closes the port and cuts all connections; p.mu is held.
func (p *Proxy) stop() error {
	if p.server == nil {
		return nil
	}
	err := p.server.Close()
	<-p.served
	p.server = nil
	return err
}

// Close ends the proxy; it returns when nothing of it is left.
func (p *Proxy) Close() error {
	p.mu.Lock()
	var err error
	if !p.closed {
		p.closed = true
		p.fault.end()
		err = p.stop()
	}
	p.mu.Unlock()
	p.handlers.Wait()
	p.backend.CloseIdleConnections()
	return err
}

// begin takes the fault that the request meets; its context ends when another one is set. ok is false when the proxy is closed.
// Each begin that was ok needs an end of p.handlers.
func (p *Proxy) begin() (f force, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return f, false
	}
	p.handlers.Add(1)
	return p.fault, true
}

// meets says whether f is still in force and has a request left to meet, and takes it.
func (p *Proxy) meets(f *force) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.ctx.Err() != nil {
		return false
	}
	if f.Next == 0 {
		return true
	}
	if p.fault.left == 0 {
		return false
	}
	p.fault.left--
	return true
}
