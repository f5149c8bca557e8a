// SPDX-License-Identifier: Apache-2.0

// Command kofctl shows and checks KOF from outside: which cluster sends where, why, and whether files would be taken. See docs/kofctl.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/k0rdent/kof/internal/kofctl"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := kofctl.Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
