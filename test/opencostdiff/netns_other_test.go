// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package opencostdiff

import "testing"

func apart(t *testing.T) { t.Fatal("the live run needs Linux's network namespaces") }

func loopbackUp(*testing.T) {}
