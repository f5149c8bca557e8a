// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/k0rdent/kof/test/demo/table"
)

const (
	repaintEvery = time.Second
	// plainEvery is the time between two tables where there is no terminal.
	plainEvery = 10 * time.Second
)

// errAgentEnded says that the agent has ended by itself.
var errAgentEnded = errors.New("the agent has ended")

// live shows the table until ctx ends.
type live struct {
	stack    *stack
	watch    *watch
	screen   *table.Screen
	returner *returner
	began    time.Time
	firstRow time.Duration
}

// firstTable waits until every row has something in it and shows it.
func (l *live) firstTable(ctx context.Context) error {
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	shown := time.Time{}
	for {
		snap := l.watch.snapshot()
		if l.firstRow == 0 && snap.anyFound() {
			l.firstRow = time.Since(l.began)
		}
		if snap.complete() {
			return l.paint(snap)
		}
		if l.screen.Terminal() && l.firstRow > 0 && time.Since(shown) > repaintEvery {
			shown = time.Now()
			if err := l.paint(snap); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-l.stack.agent.Exited():
			return fmt.Errorf("%w; its log ends with:\n%s", errAgentEnded, l.stack.agentLogTail())
		case <-poll.C:
		}
	}
}

// run repaints until ctx ends.
func (l *live) run(ctx context.Context) error {
	every := plainEvery
	if l.screen.Terminal() {
		every = repaintEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.stack.agent.Exited():
			return fmt.Errorf("%w; its log ends with:\n%s", errAgentEnded, l.stack.agentLogTail())
		case <-tick.C:
			if err := l.paint(l.watch.snapshot()); err != nil {
				return err
			}
		}
	}
}

func (l *live) paint(snap snapshot) error {
	lines := table.Lines([]string{"REGION", "SIGNAL", "SENT", "FOUND", "HELD", "WRONG REGION", ""}, l.rows(snap))
	if l.returner != nil { // somebody is looking
		lines = append(lines, "")
		lines = append(lines, l.addresses()...)
	}
	return l.screen.Paint(append(lines, ""))
}

func (l *live) rows(snap snapshot) [][]string {
	var rows [][]string
	for _, key := range keys() {
		sent, held, found, wrong, note := table.Number(snap.sent[key]), table.Unknown, table.Unknown, table.Unknown, ""
		lane := key
		if key.Region == lostRegion {
			lane.Region = unknownLane
			found, wrong = "-", "-" // no backend to look in; one that has them counts them as in the wrong region
			note = "region not in the directory: held, sent nowhere"
		}
		if snap.agentErr == nil {
			held = table.Number(snap.telemetry.Lanes[lane].Held)
		}
		if got := snap.readings[key]; got.read {
			found, wrong = table.Number(got.found), table.Number(got.wrong)
			if got.err != nil {
				note = "no answer"
			}
		}
		if down := l.returner.note(key); down != "" {
			note = down
		}
		rows = append(rows, []string{key.Region, string(key.Signal), sent, found, held, wrong, note})
	}
	return rows
}

// addresses says where to look, and what to kill.
func (l *live) addresses() []string {
	var rows [][]string
	var kills []string
	for _, r := range regions {
		servers := l.stack.regions[r.name]
		var pids []string
		for _, server := range servers.Servers() {
			pids = append(pids, strconv.Itoa(server.PID()))
		}
		kills = append(kills, fmt.Sprintf("kill %s   # all of %s; back after %s", strings.Join(pids, " "), r.name, l.returner.after))
		rows = append(rows,
			[]string{r.name, "VictoriaMetrics", servers.Metrics.URL + "/vmui/", "PID " + pids[0]},
			[]string{"", "VictoriaLogs", servers.Logs.URL + "/select/vmui/", "PID " + pids[1]},
			[]string{"", "Jaeger", servers.Traces.URL + "/api/traces?service=" + l.services(r.name), "PID " + pids[2]})
	}
	rows = append(rows,
		[]string{"agent", "what its lanes do", fmt.Sprintf("http://127.0.0.1:%d/", l.stack.ports.status), "PID " + strconv.Itoa(l.stack.agent.PID())},
		[]string{"", "own metrics", fmt.Sprintf("http://127.0.0.1:%d/metrics", l.stack.ports.metrics), ""})
	lines := table.Lines(make([]string, 4), rows)[1:]
	lines = append(lines, kills...)
	return append(lines, fmt.Sprintf("First row after %.1f s; running for %s; files in %s; Ctrl-C stops all",
		l.firstRow.Seconds(), time.Since(l.began).Round(time.Second), l.stack.dir.path))
}

func (l *live) services(region string) string {
	own, _ := l.stack.tracedServices(region)
	return strings.Join(own, ",")
}

// anyFound says whether a record has been found anywhere.
func (s snapshot) anyFound() bool {
	for _, got := range s.readings {
		if got.found > 0 {
			return true
		}
	}
	return false
}
