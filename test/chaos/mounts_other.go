// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package main

import "errors"

func enterPrivateMounts() error { return nil }

func noPrivateMounts() string { return "needs a mount namespace of its own, which only Linux has" }

func mountSmallDisk(string, int) (unmount func() error, err error) {
	return nil, errors.New(noPrivateMounts())
}
