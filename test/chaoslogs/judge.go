// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/k0rdent/kof/test/backends"
)

const (
	// arriveWithin bounds the wait for the last line.
	arriveWithin = 3 * time.Minute
	arrivePoll   = 2 * time.Second
	// headerBytes is what a line has in its file beside its text.
	headerBytes = 46
)

// tally is what became of the lines.
type tally struct {
	lost, twice, twiceBytes int
	strange                 int // records without the number of a line that was written
	examples, strangers     []string
}

// judge waits until all lines are in the store, and fails when some are missing, or more are there twice than may be.
func judge(ctx context.Context, a *agent, store *backends.Server, w *writers, kills int) error {
	var t tally
	for began := time.Now(); ; {
		var err error
		if t, err = count(ctx, store, w); err != nil {
			return err
		}
		if t.lost == 0 || time.Since(began) > arriveWithin {
			break
		}
		if err := sleep(ctx, arrivePoll); err != nil {
			return err
		}
	}
	bound := kills * (workers*(batchBytes+turnBytes) + senders*requestBytes)
	fmt.Printf("lines %d, lost %d, twice %d (%d bytes, bound %d), never written %d\n", w.total(), t.lost, t.twice, t.twiceBytes, bound, t.strange)
	var errs []error
	gaps, err := gapsOf(a)
	if err != nil {
		return err
	}
	if len(gaps) > 0 {
		errs = append(errs, fmt.Errorf("%d gaps are reported, such as %s", len(gaps), gaps[0]))
	}
	if t.strange > 0 {
		errs = append(errs, fmt.Errorf("%d records are none that was written: %s", t.strange, strings.Join(t.strangers, "\n")))
	}
	if t.lost > 0 {
		errs = append(errs, fmt.Errorf("%d lines are lost, such as %s", t.lost, strings.Join(t.examples, ", ")))
	}
	if t.twiceBytes > bound {
		errs = append(errs, fmt.Errorf("%d bytes are there twice, allowed are %d", t.twiceBytes, bound))
	}
	return errors.Join(errs...)
}

func count(ctx context.Context, store *backends.Server, w *writers) (t tally, err error) {
	if err := store.Flush(ctx); err != nil {
		return t, err
	}
	for _, c := range w.containers {
		query := fmt.Sprintf(`{k8s.container.name=%q} | extract "id=<id> " from _msg | len(_msg) as n | fields id, n`, c.name)
		records, err := store.LogsQuery(ctx, query, 0)
		if err != nil {
			return t, err
		}
		seen, strange := make([]int, c.lines), t.strange
		for _, r := range records {
			id, err := strconv.Atoi(r["id"])
			if err != nil || id >= c.lines {
				t.strange++
				continue
			}
			if seen[id]++; seen[id] > 1 {
				n, err := strconv.Atoi(r["n"])
				if err != nil {
					return t, err
				}
				t.twice++
				t.twiceBytes += n + headerBytes
			}
		}
		if t.strange > strange {
			t.strangers = append(t.strangers, fmt.Sprintf("%s (style %d): %v", c.name, c.style, strangers(ctx, store, c)))
		}
		for id, n := range seen {
			if n > 0 {
				continue
			}
			if t.lost++; len(t.examples) < 10 {
				t.examples = append(t.examples, fmt.Sprintf("%s (style %d) id=%d", c.name, c.style, id))
			}
		}
	}
	return t, nil
}

// strangers returns what is known of records without the number of a line.
func strangers(ctx context.Context, store *backends.Server, c *container) any {
	query := fmt.Sprintf(`{k8s.container.name=%q} !"id=" | len(_msg) as n | replace_regexp ("(.{30}).*(.{30})", "$1…$2") at _msg | limit 5`, c.name)
	records, err := store.LogsQuery(ctx, query, 0)
	if err != nil {
		return err
	}
	return records
}

// gapsOf returns the lines in which the agent's log tells of gaps. It tells of each kind once in a while; metrics end with each kill.
func gapsOf(a *agent) (gaps []string, err error) {
	text, err := os.ReadFile(a.log())
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "otelcol_kof_pod_logs_gap_bytes") {
			gaps = append(gaps, line)
		}
	}
	return gaps, err
}
