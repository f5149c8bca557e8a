// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
)

// Region is the three storage servers of one region.
type Region struct {
	Name    string
	Metrics *Server // VictoriaMetrics
	Logs    *Server // VictoriaLogs
	Traces  *Server // Jaeger
}

// StartRegion starts the three servers of a region at once and waits until all
// are ready; when one fails, none is left running. Of the options, Name, Port
// and ExtraArgs can't be set, as they'd mean nothing for three servers; with a
// Dir, the servers' data is in its folders metrics, logs and traces. ctx bounds
// the start, not the servers' life.
func StartRegion(ctx context.Context, name string, options Options) (*Region, error) {
	if options.Name != "" || options.Port != 0 || len(options.ExtraArgs) > 0 {
		return nil, fmt.Errorf("region %s: Name, Port and ExtraArgs can't be set for a whole region", name)
	}
	if options.Log != nil {
		options.Log = &syncWriter{w: options.Log}
	}
	if options.Progress != nil {
		options.Progress = &syncWriter{w: options.Progress}
	}
	r := &Region{Name: name}
	startOne := func(folder string, start func(context.Context, Options) (*Server, error), s **Server) error {
		o := options
		o.Name = name + " " + folder
		if o.Dir != "" {
			o.Dir = filepath.Join(o.Dir, folder)
		}
		var err error
		*s, err = start(ctx, o)
		return err
	}
	err := together(
		func() error { return startOne("metrics", StartVictoriaMetrics, &r.Metrics) },
		func() error { return startOne("logs", StartVictoriaLogs, &r.Logs) },
		func() error { return startOne("traces", StartJaeger, &r.Traces) },
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("region %w", err), r.Stop())
	}
	return r, nil
}

// Stop stops all three servers; see Server.Stop.
func (r *Region) Stop() error { return r.each((*Server).Stop) }

// Shutdown shuts down all three servers; see Server.Shutdown.
func (r *Region) Shutdown() error { return r.each((*Server).Shutdown) }

// Kill kills all three servers; see Server.Kill.
func (r *Region) Kill() error { return r.each((*Server).Kill) }

// Restart restarts all three servers; see Server.Restart.
func (r *Region) Restart(ctx context.Context) error {
	return r.each(func(s *Server) error { return s.Restart(ctx) })
}

// Servers returns the three servers.
func (r *Region) Servers() []*Server { return []*Server{r.Metrics, r.Logs, r.Traces} }

func (r *Region) each(f func(*Server) error) error {
	var all []func() error
	for _, s := range r.Servers() {
		if s != nil { // not started
			all = append(all, func() error { return f(s) })
		}
	}
	return together(all...)
}

// together calls all functions at once and returns their errors joined.
func together(all ...func() error) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, f := range all {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
