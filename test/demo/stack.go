// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/demo/agent"
	"github.com/k0rdent/kof/test/demo/found"
	"github.com/k0rdent/kof/test/demo/podlogs"
	"github.com/k0rdent/kof/test/demo/samples"
	"github.com/k0rdent/kof/test/demo/shop"
	"github.com/k0rdent/kof/test/demo/truth"
)

// stopSourcesIn bounds how long the sources may take to send what they have left.
const stopSourcesIn = 30 * time.Second

// stack is everything that runs: the backends of all regions, one agent and the sources.
type stack struct {
	root, binary string
	dir          *runDir
	begin        time.Time
	truth        *truth.Set
	samples      *samples.Recorder
	pending      map[string]*found.Pending // spans, by region

	regions  map[string]*backends.Region
	agent    *agent.Process
	ports    endpoints
	agentLog *os.File
	writer   *podlogs.Writer
	shops    map[string]*shop.Shop // by region
	configs  []shop.Config
}

// startStack starts all; what it prints while programs are built goes to progress. On an error nothing is left running.
func startStack(ctx context.Context, root, binary string, dir *runDir, set *truth.Set, progress io.Writer) (_ *stack, err error) {
	s := &stack{
		root: root, binary: binary, dir: dir, begin: time.Now(), truth: set, samples: samples.NewRecorder(set),
		pending: map[string]*found.Pending{}, regions: map[string]*backends.Region{}, shops: map[string]*shop.Shop{},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stopSources(), s.stop())
		}
	}()
	for _, r := range regions {
		s.pending[r.name] = found.NewPending()
	}
	set.Follow(truth.Traces, func(r truth.Record) { s.pending[r.Source.Region].Sent(r.Item) })
	if err := s.startRegions(ctx, progress); err != nil {
		return nil, err
	}
	listeners, err := s.listen()
	if err != nil {
		return nil, err
	}
	if err := s.startAgent(ctx, listeners); err != nil {
		return nil, errors.Join(err, closeAll(listeners))
	}
	return s, s.startSources(ctx, listeners)
}

func (s *stack) startRegions(ctx context.Context, progress io.Writer) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, r := range regions {
		wg.Go(func() {
			region, err := backends.StartRegion(ctx, r.name, backends.Options{Dir: s.dir.join(r.name), Progress: progress})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				return
			}
			s.regions[r.name] = region
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return writeDirectory(s.directory(), s.regions)
}

func (s *stack) directory() string { return s.dir.join("regions.yaml") }

// listen opens the ports of the shops, which the agent is told to scrape before they run.
func (s *stack) listen() ([]net.Listener, error) {
	var listeners []net.Listener
	for range services {
		l, err := shop.Listen()
		if err != nil {
			return nil, errors.Join(err, closeAll(listeners))
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) error {
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

func (s *stack) startAgent(ctx context.Context, listeners []net.Listener) error {
	state := s.dir.join("agent")
	if err := os.Mkdir(state, 0o700); err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	var err error
	if s.agentLog, err = os.Create(s.dir.join("agent.log")); err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	if s.ports, err = freePorts(); err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	cfg := agentConfig(s.root, s.binary, s.directory(), state, s.ports, s.agentLog, filepath.Join(s.root, demoConfig))
	cfg.Env = append(cfg.Env, "KOF_DEMO_PODS="+s.podLogs(), "KOF_SCRAPE_INTERVAL="+hostInterval.String())
	for i, service := range services {
		cfg.Env = append(cfg.Env, service.addrEnv+"="+listeners[i].Addr().String())
	}
	if s.agent, err = agent.Start(ctx, cfg); err != nil {
		return fmt.Errorf("%w; its log ends with:\n%s", err, s.agentLogTail())
	}
	return nil
}

func (s *stack) podLogs() string { return s.dir.join("pods") }

func (s *stack) startSources(ctx context.Context, listeners []net.Listener) (err error) {
	for i, service := range services {
		cfg := shop.Config{
			Service: service.name, Region: service.region, Resource: []attribute.KeyValue{service.resource},
			OTLP:            fmt.Sprintf("127.0.0.1:%d", s.ports.otlpHTTP),
			RequestInterval: 200 * time.Millisecond, MetricsInterval: 2 * time.Second,
			Truth: s.truth, Samples: s.samples,
		}
		running, err := shop.Start(ctx, cfg, listeners[i])
		if err != nil {
			return errors.Join(err, closeAll(listeners[i+1:]))
		}
		s.shops[service.region] = running
		s.configs = append(s.configs, cfg)
	}
	s.writer, err = podlogs.Start(ctx, podlogs.Config{
		Root: s.podLogs(), Pods: pods, Interval: lineInterval, RotateBytes: rotateBytes, Truth: s.truth,
	})
	return err
}

// stopSources ends the sources after they have sent what they had.
func (s *stack) stopSources() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopSourcesIn)
	defer cancel()
	var errs []error
	for region, running := range s.shops {
		errs = append(errs, running.Stop(ctx))
		delete(s.shops, region)
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Stop())
		s.writer = nil
	}
	return errors.Join(errs...)
}

// stop ends the agent and the backends.
func (s *stack) stop() error {
	var errs []error
	if s.agent != nil {
		errs = append(errs, s.agent.Stop())
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	for _, region := range s.regions {
		wg.Go(func() {
			err := region.Stop()
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
	}
	wg.Wait()
	if s.agentLog != nil {
		errs = append(errs, s.agentLog.Close())
		s.agentLog = nil
	}
	return errors.Join(errs...)
}

// metricSources returns the sources of samples that belong to the region, by their instance.
func (s *stack) metricSources(region string) []string {
	var names []string
	for _, cfg := range s.configs {
		if cfg.Region == region {
			names = append(names, cfg.PushedSource().Name, cfg.ScrapedSource().Name)
		}
	}
	return names
}

// allMetricSources returns the sources of samples of all regions, by their instance.
func (s *stack) allMetricSources() []string {
	var names []string
	for _, r := range regions {
		names = slices.Concat(names, s.metricSources(r.name))
	}
	return names
}

// agentLogTail returns the last lines of what the agent has printed.
func (s *stack) agentLogTail() string { return fileTail(s.dir.join("agent.log")) }
