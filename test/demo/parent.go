// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

var errGoRunEnded = errors.New("`go run` has ended")

// endWithGoRun returns a context that ends when this process was started by `go run` and that has ended: it passes no
// other signal on than Ctrl-C, and would leave all running when it is killed.
func endWithGoRun(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	parent := os.Getppid()
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", parent))
	if err == nil && strings.TrimSpace(string(name)) == "go" {
		go func() {
			tick := time.NewTicker(500 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					if os.Getppid() != parent {
						cancel(errGoRunEnded)
						return
					}
				}
			}
		}()
	}
	return ctx, func() { cancel(nil) }
}
