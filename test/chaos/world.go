// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"sync"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/chaos/collector"
	"github.com/k0rdent/kof/test/chaos/load"
	"github.com/k0rdent/kof/test/faultproxy"
)

// The regions. The first is the one that things happen to, and the home region; the second has to go on meanwhile; the third can stand
// in for the first.
const (
	first   = "eu-1"
	other   = "us-1"
	standIn = "eu-2"
)

var zones = map[string]string{first: "eu", other: "us", standIn: "eu"}

// place is the backends of one region, each behind a fault proxy.
type place struct {
	name    string
	servers *backends.Region
	proxies map[load.Signal]*faultproxy.Proxy
}

// world is everything that all cells share.
type world struct {
	places map[string]*place
}

// startWorld starts the backends of all regions below dir; on an error nothing is left running.
func startWorld(ctx context.Context, dir string, progress io.Writer) (_ *world, err error) {
	w := &world{places: map[string]*place{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.stop())
		}
	}()
	var mu sync.Mutex
	var starting sync.WaitGroup
	var errs []error
	for name := range zones {
		starting.Go(func() {
			p, err := startPlace(ctx, name, filepath.Join(dir, name), progress)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
			if p != nil {
				w.places[name] = p
			}
		})
	}
	starting.Wait()
	return w, errors.Join(errs...)
}

func startPlace(ctx context.Context, name, dir string, progress io.Writer) (*place, error) {
	servers, err := backends.StartRegion(ctx, name, backends.Options{Dir: dir, Progress: progress})
	if err != nil {
		return nil, err
	}
	p := &place{name: name, servers: servers, proxies: map[load.Signal]*faultproxy.Proxy{}}
	for signal, url := range map[load.Signal]string{
		load.Metrics: servers.Metrics.URL, load.Logs: servers.Logs.URL, load.Traces: servers.Traces.OTLPURL,
	} {
		proxy, err := faultproxy.Start(url)
		if err != nil {
			return p, err // the caller stops what there is
		}
		p.proxies[signal] = proxy
	}
	return p, nil
}

func (w *world) stop() error {
	var stopping sync.WaitGroup
	errs := make(chan error, 4*len(w.places))
	for _, p := range w.places {
		stopping.Go(func() {
			for _, proxy := range p.proxies {
				errs <- proxy.Close()
			}
			errs <- p.servers.Stop()
		})
	}
	stopping.Wait()
	close(errs)
	var all error
	for err := range errs {
		all = errors.Join(all, err)
	}
	return all
}

// set puts a fault in force at all backends of a region.
func (p *place) set(f faultproxy.Fault) error {
	var errs []error
	for _, proxy := range p.proxies {
		errs = append(errs, proxy.Set(f))
	}
	return errors.Join(errs...)
}

// heal ends all faults.
func (w *world) heal() error {
	var errs []error
	for _, p := range w.places {
		errs = append(errs, p.set(faultproxy.Fault{}))
	}
	return errors.Join(errs...)
}

// endpoints returns the base URLs that a collector is given: those of the proxies.
func (p *place) endpoints() collector.Region {
	return collector.Region{
		Name: p.name, Metrics: p.proxies[load.Metrics].URL(), Logs: p.proxies[load.Logs].URL(), Traces: p.proxies[load.Traces].URL(),
	}
}
