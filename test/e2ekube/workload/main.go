// SPDX-License-Identifier: Apache-2.0

// Command workload is the application of package e2ekube's tests: everything that it says is numbered, so that the stores can
// be asked whether all of it arrived.
//
//   - Lines "run=ID n=NUMBER …" on standard output, up to a set number, and some more at the moment of its end.
//   - A counter of them at /metrics, for annotated pods.
//   - Spans and points by OTLP to the node's agent, one after the other, each until the agent has acknowledged it.
//   - What it has done so far, as JSON at /state.
//
// An ID is that of a process: a container that is started again has another one.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// State is what a workload has done.
type State struct {
	Run    string // ID
	Lines  int64  // written, numbered from 0
	Spans  int64  // acknowledged, numbered from 0
	Points int64  // acknowledged, numbered from 0
	Errors int64  // sends that failed and were done again
}

type workload struct {
	run                   string
	lines, spans, points  atomic.Int64
	errors                atomic.Int64
	padding               string
	ctx                   context.Context
	interval              time.Duration
	spanLimit, pointLimit int64
}

func main() {
	lines := flag.Int64("lines", 0, "how many lines to write")
	rate := flag.Float64("rate", 50, "lines a second")
	final := flag.Int64("final", 0, "how many lines to write at the end, at once")
	length := flag.Int("length", 100, "about how long a line is, in bytes")
	otlp := flag.String("otlp", "", "host:port of the agent; none: no OTLP")
	spans := flag.Int64("spans", 0, "how many spans to send")
	points := flag.Int64("points", 0, "how many points to send")
	interval := flag.Duration("interval", 100*time.Millisecond, "between two spans, and two points")
	listen := flag.String("listen", ":8080", "address of /metrics, /state and /exit")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	w := &workload{
		run: newID(), padding: strings.Repeat("x", max(0, *length-40)), ctx: ctx,
		interval: *interval, spanLimit: *spans, pointLimit: *points,
	}
	go w.serve(*listen)
	var wg sync.WaitGroup
	if *otlp != "" {
		sender, err := newSender(*otlp, w.run)
		if err != nil {
			fmt.Fprintln(os.Stderr, "workload:", err)
			os.Exit(1)
		}
		wg.Go(func() { w.repeat(w.spanLimit, &w.spans, sender.span) })
		wg.Go(func() { w.repeat(w.pointLimit, &w.points, sender.point) })
	}
	w.write(*lines, *rate)
	<-ctx.Done()
	wg.Wait()
	for range *final {
		w.line()
	}
}

func newID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func (w *workload) line() {
	fmt.Printf("run=%s n=%d %s\n", w.run, w.lines.Load(), w.padding)
	w.lines.Add(1)
}

// write writes lines at an even rate, in groups if the rate is high.
func (w *workload) write(n int64, rate float64) {
	start := time.Now()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for w.lines.Load() < n {
		select {
		case <-w.ctx.Done():
			return
		case <-ticker.C:
		}
		due := min(n, int64(time.Since(start).Seconds()*rate))
		for w.lines.Load() < due {
			w.line()
		}
	}
}

// repeat sends number after number, each until it was acknowledged.
func (w *workload) repeat(limit int64, done *atomic.Int64, send func(context.Context, int64) error) {
	ticker := time.NewTicker(w.interval)
	defer ticker.Stop()
	for done.Load() < limit {
		select {
		case <-w.ctx.Done():
			return
		case <-ticker.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		err := send(ctx, done.Load())
		cancel()
		if err != nil {
			w.errors.Add(1)
			continue
		}
		done.Add(1)
	}
}

func (w *workload) serve(address string) {
	http.HandleFunc("/metrics", func(out http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(out, "# TYPE workload_lines_total counter\nworkload_lines_total{run=%q} %d\n", w.run, w.lines.Load())
	})
	http.HandleFunc("/state", func(out http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(out).Encode(State{w.run, w.lines.Load(), w.spans.Load(), w.points.Load(), w.errors.Load()})
	})
	http.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) { os.Exit(1) })
	fmt.Fprintln(os.Stderr, "workload:", http.ListenAndServe(address, nil))
	os.Exit(1)
}
