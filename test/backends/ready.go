// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// readyTimeout bounds one start; it is long because test machines are small
	// and share their cores with builds.
	readyTimeout = 60 * time.Second
	readyPoll    = 20 * time.Millisecond
)

// waitReady waits until the process has said in its log that it listens and
// answers at url. The first keeps another server, which got hold of the port
// before this one, from being taken for it.
func waitReady(ctx context.Context, p *process, log *logTail, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("not ready after %s", readyTimeout))
	defer cancel()
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	last := errors.New("its log doesn't say that it listens")
	for {
		if log.markerSeen() {
			if last = probe(ctx, url); last == nil {
				return nil
			}
		}
		select {
		case <-p.exited:
			return fmt.Errorf("ended while starting: %s; its log ends with:\n%s", p.cmd.ProcessState, log)
		case <-ctx.Done():
			return fmt.Errorf("starting: %w: %w; its log ends with:\n%s", context.Cause(ctx), last, log)
		case <-ticker.C:
		}
	}
}

func probe(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 1<<10)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: HTTP status %s", url, resp.Status)
	}
	return nil
}
