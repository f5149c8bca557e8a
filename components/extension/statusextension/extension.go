// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/internal/status"
)

const (
	// reportAge is how old a report may be. Lanes are asked no more often, however many requests come.
	reportAge = time.Second
	// shutdownGrace is how long answers under way may take to end.
	shutdownGrace = 2 * time.Second
)

// statusExtension samples the lanes of all exporters and serves what it knows of them.
type statusExtension struct {
	set   extension.Settings
	cfg   *Config
	node  string
	now   func() time.Time
	start time.Time

	lanes   registry[status.Lane]
	senders registry[status.Sender]
	latest  atomic.Pointer[report]
	mu      sync.Mutex // held while lanes are asked; guards what follows
	history histories

	address net.Addr
	server  *http.Server
	stop    context.CancelFunc
	running sync.WaitGroup
}

var (
	_ extension.Extension   = (*statusExtension)(nil)
	_ status.LaneRegistry   = (*statusExtension)(nil)
	_ status.SenderRegistry = (*statusExtension)(nil)
)

func newStatusExtension(set extension.Settings, cfg *Config, now func() time.Time) (*statusExtension, error) {
	node := os.Getenv("KOF_NODE_NAME")
	if node == "" {
		var err error
		if node, err = os.Hostname(); err != nil {
			return nil, fmt.Errorf("name of the node: KOF_NODE_NAME is not set, and %w", err)
		}
	}
	return &statusExtension{
		set: set, cfg: cfg, node: node, now: now, start: now(),
		history: histories{lanes: map[laneKey]*history{}},
	}, nil
}

// AddLanes implements status.LaneRegistry. It never waits for a source; remove waits for a call of its own source under way.
func (e *statusExtension) AddLanes(source status.LaneSource) (remove func()) {
	return e.changed(e.lanes.add(source))
}

// AddSenders implements status.SenderRegistry, in the same way.
func (e *statusExtension) AddSenders(source status.SenderSource) (remove func()) {
	return e.changed(e.senders.add(source))
}

// changed has the next report made anew, now and after remove.
func (e *statusExtension) changed(remove func()) func() {
	e.latest.Store(nil)
	return func() {
		remove()
		e.latest.Store(nil)
	}
}

// Start implements component.Component.
func (e *statusExtension) Start(ctx context.Context, host component.Host) error {
	listener, err := e.cfg.ServerConfig.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("endpoint %s: %w", e.cfg.ServerConfig.NetAddr.Endpoint, err)
	}
	e.address = listener.Addr()
	e.server, err = e.cfg.ServerConfig.ToServer(ctx, host.GetExtensions(), e.set.TelemetrySettings, handler(e.report, isLoopback(e.address)))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	// Before everything that ServerConfig puts around the handler: what isn't for us costs nothing, and a refusal has the headers too.
	e.server.Handler = guard(e.server.Handler, isLoopback(e.address), csp)
	e.server.ConnState = limitConnections()
	e.server.MaxHeaderBytes = maxHeaderBytes
	e.running.Go(func() {
		if err := e.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			// The agent does its work without the page.
			componentstatus.ReportStatus(host, componentstatus.NewPermanentErrorEvent(err))
		}
	})
	sampling, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.running.Go(func() { e.sampleUntil(sampling) })

	e.set.Logger.Info("Serving the status page.", zap.Stringer("address", e.address))
	if !isLoopback(e.address) && !e.cfg.ServerConfig.Auth.HasValue() {
		e.set.Logger.Warn("Whoever reaches the status page can read it: it names regions, endpoints and errors. Set auth, or an endpoint on loopback.")
	}
	return nil
}

// Shutdown implements component.Component.
func (e *statusExtension) Shutdown(ctx context.Context) error {
	if e.stop == nil {
		return nil
	}
	e.stop()
	ctx, cancel := context.WithTimeout(ctx, shutdownGrace)
	defer cancel()
	err := e.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = e.server.Close() // a reader that is too slow
	}
	e.running.Wait()
	return err
}

func (e *statusExtension) sampleUntil(ctx context.Context) {
	ticks := time.NewTicker(sampleInterval)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			e.sample()
		}
	}
}

// sample notes what the counters of all lanes are now.
func (e *statusExtension) sample() {
	e.mu.Lock()
	defer e.mu.Unlock()
	lanes := e.lanes.all()
	e.history.sample(lanes, e.now().Sub(e.start))
	e.latest.Store(nil) // a report has the newest rates; who wants one makes it
}

// report returns what the lanes do now, or did less than reportAge ago.
func (e *statusExtension) report() *report {
	if r := e.recent(); r != nil {
		return r
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.recent(); r != nil { // another request was first
		return r
	}
	r := newReport(e.lanes.all(), e.history.rates, e.now())
	r.addSenders(e.senders.all())
	r.Node = e.node
	r.Build = cmp.Or(e.set.BuildInfo.Command, "collector") + " " + e.set.BuildInfo.Version
	e.latest.Store(r)
	return r
}

func (e *statusExtension) recent() *report {
	r := e.latest.Load()
	if r == nil || e.now().Sub(r.Time) >= reportAge {
		return nil
	}
	return r
}
