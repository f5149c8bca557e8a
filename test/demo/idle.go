// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/k0rdent/kof/test/demo/agent"
)

const (
	idleFor = 10 * time.Second
	// maxIdleRSS is what an idle agent with host.yaml may take, in bytes.
	maxIdleRSS = 120e6
)

// idleRSS returns the resident set of another agent that has had nothing to do but read this machine's metrics, in bytes.
func idleRSS(ctx context.Context, s *stack) (rss int64, err error) {
	state := s.dir.join("idle")
	if err := os.Mkdir(state, 0o700); err != nil {
		return 0, fmt.Errorf("idle agent: %w", err)
	}
	log, err := os.Create(s.dir.join("idle.log"))
	if err != nil {
		return 0, fmt.Errorf("idle agent: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	ports, err := freePorts()
	if err != nil {
		return 0, fmt.Errorf("idle agent: %w", err)
	}
	p, err := agent.Start(ctx, agentConfig(s.root, s.binary, s.directory(), state, ports, log))
	if err != nil {
		return 0, fmt.Errorf("idle %w; its log ends with:\n%s", err, fileTail(log.Name()))
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-p.Exited():
		return 0, fmt.Errorf("idle: %w", errAgentEnded)
	case <-time.After(idleFor):
	}
	return p.RSS()
}
