// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// dialTimeout bounds a connection from a forwarder to the server of a test, which is on this machine.
const dialTimeout = 5 * time.Second

// Dial connects to an IP address and port inside the cluster, as a program on its node does: pods, Services and the node.
// Stop closes the connection.
func (c *Cluster) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := c.network.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if !c.connections.add(conn) {
		return nil, errStopped
	}
	return &trackedConn{conn, c.connections}, nil
}

var errStopped = errors.New("the cluster was stopped")

// trackedConn is a connection that Stop closes if its user didn't.
type trackedConn struct {
	net.Conn
	connections *connections
}

func (c *trackedConn) Close() error {
	c.connections.forget(c.Conn)
	return c.Conn.Close()
}

// Expose makes a TCP server of this machine, such as 127.0.0.1:8428, reachable for the cluster's pods, and returns the
// address at which. The address has the server's port if no other exposed server has it. The connections are forwarded by
// this process until Stop; while the server is down, they are accepted and then closed. Nothing listens on this machine.
func (c *Cluster) Expose(hostAddress string) (string, error) {
	_, port, err := net.SplitHostPort(hostAddress)
	if err != nil {
		return "", fmt.Errorf("expose %q: %w", hostAddress, err)
	}
	l, err := c.network.listen(net.JoinHostPort(outsideAddress, port))
	if err != nil {
		if l, err = c.network.listen(net.JoinHostPort(outsideAddress, "0")); err != nil {
			return "", fmt.Errorf("expose %q: %w", hostAddress, err)
		}
	}
	return l.Addr().String(), c.connections.serve(l, hostAddress)
}

// connections are the listeners and connections that are open, to be closed at the end.
type connections struct {
	mu     sync.Mutex
	open   map[io.Closer]struct{}
	closed bool
	wg     sync.WaitGroup
}

func newConnections() *connections { return &connections{open: map[io.Closer]struct{}{}} }

// add notes what is to be closed; at the end it is closed at once.
func (f *connections) add(c io.Closer) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		c.Close()
		return false
	}
	f.open[c] = struct{}{}
	return true
}

func (f *connections) remove(c io.Closer) {
	c.Close()
	f.forget(c)
}

func (f *connections) forget(c io.Closer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, c)
}

func (f *connections) serve(l net.Listener, target string) error {
	if !f.add(l) {
		return errStopped
	}
	f.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed at the end
			}
			f.wg.Go(func() { f.forward(c, target) })
		}
	})
	return nil
}

func (f *connections) forward(from net.Conn, target string) {
	if !f.add(from) {
		return
	}
	defer f.remove(from)
	to, err := net.DialTimeout("tcp", target, dialTimeout)
	if err != nil {
		return
	}
	if !f.add(to) {
		return
	}
	defer f.remove(to)
	done := make(chan struct{})
	go func() {
		defer close(done)
		oneWay(to, from)
	}()
	oneWay(from, to)
	<-done
}

// oneWay copies until the end of src, and passes that end on; after an error both are ended.
func oneWay(dst, src net.Conn) {
	if _, err := io.Copy(dst, src); err != nil {
		dst.Close()
		src.Close()
		return
	}
	if tcp, ok := dst.(*net.TCPConn); ok {
		_ = tcp.CloseWrite() // fails when the other side is gone, which the other direction finds too
	}
}

func (f *connections) close() {
	f.mu.Lock()
	f.closed = true
	for c := range f.open {
		c.Close()
	}
	f.mu.Unlock()
	f.wg.Wait()
}
