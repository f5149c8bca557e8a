// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package kube

import (
	"context"
	"errors"
	"net"
)

type network struct{}

func openNetwork(int) (*network, error) { return nil, errors.ErrUnsupported }

func (*network) close() error { return nil }

func (*network) dial(context.Context, string, string) (net.Conn, error) {
	return nil, errors.ErrUnsupported
}

func (*network) listen(string) (net.Listener, error) { return nil, errors.ErrUnsupported }
