// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// network is the cluster's network namespace. A socket belongs for its life to the namespace of the thread that made it, so
// this process can have sockets there without a proxy.
type network struct{ namespace *os.File }

func openNetwork(pid int) (*network, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return nil, err
	}
	return &network{f}, nil
}

func (n *network) close() error { return n.namespace.Close() }

// inside calls f on a thread that is in the namespace.
func (n *network) inside(f func() error) error {
	result := make(chan error, 1)
	go func() {
		// Never unlocked: the thread ends with the goroutine, and nothing else gets to run in the wrong namespace.
		runtime.LockOSThread()
		if err := unix.Setns(int(n.namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			result <- fmt.Errorf("entering the cluster's network: %w", err)
			return
		}
		result <- f()
	}()
	return <-result
}

// dial connects to an IP address and port as a program on the node does.
func (n *network) dial(ctx context.Context, network, address string) (c net.Conn, err error) {
	err = n.inside(func() error {
		c, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return c, err
}

func (n *network) listen(address string) (l net.Listener, err error) {
	err = n.inside(func() error {
		l, err = net.Listen("tcp", address)
		return err
	})
	return l, err
}
