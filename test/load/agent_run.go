// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/load/child"
	"github.com/k0rdent/kof/test/load/countproxy"
	"github.com/k0rdent/kof/test/load/feed"
	"github.com/k0rdent/kof/test/simnode"
)

const (
	memoryPoll = 250 * time.Millisecond
	// agentDeliver is how long what was sent may be under way after the load's end.
	agentDeliver = time.Minute
)

// agentRun is one collector with stores of its own.
type agentRun struct {
	*agentWorld
	name    string // kof or stock
	title   string // with the round
	dir     string
	stores  map[string]*backends.Server // by signal
	proxies []*countproxy.Proxy
	process *child.Process
	node    simnode.Node
	feeds   []*feed.Feed
}

// run starts a collector, leaves it idle, puts it under load, and looks for all that was sent.
func (w *agentWorld) run(ctx context.Context, name, title string) (res agentResult, err error) {
	r := &agentRun{agentWorld: w, name: name, title: title, dir: w.join(title), stores: map[string]*backends.Server{}}
	defer func() { err = errors.Join(err, r.end()) }()
	if err := r.start(ctx); err != nil {
		return res, err
	}
	w.note("%s: idle for %s, then under load for %s", title, w.interval, w.interval+r.window())
	cpu, err := r.process.CPU()
	if err != nil {
		return res, err
	}
	if err := r.watch(ctx, w.interval, &res.idle, nil); err != nil {
		return res, err
	}
	after, err := r.process.CPU()
	if err != nil {
		return res, err
	}
	res.idleCores = (after - cpu).Seconds() / w.interval.Seconds()
	if err := r.load(ctx, &res); err != nil {
		return res, err
	}
	for _, p := range r.proxies {
		res.wire += p.Sent()
	}
	return res, r.count(ctx, &res)
}

// window is how long the load is measured, after the first scrapes: whole intervals, so that each target is scraped as often.
func (r *agentRun) window() time.Duration { return r.either(2*r.interval, 2*r.interval) }

func (r *agentRun) start(ctx context.Context) error {
	stores, err := r.startStores(ctx)
	if err != nil {
		return err
	}
	ports, err := freePorts(5)
	if err != nil {
		return err
	}
	at := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", ports[i]) }
	r.node = simnode.Node{
		Name: agentNode, Kubeconfig: r.kubeconfig, Kubelet: r.kubelet.Address(), Dir: filepath.Join(r.dir, "state"), Logs: filepath.Join(r.dir, "pods"),
		OTLP: at(0), OTLPGRPC: at(1), Health: at(2), Profiles: at(3), Metrics: ports[4],
	}
	root, err := repository(ctx)
	if err != nil {
		return err
	}
	chart, err := simnode.FromChart(root) // a fresh one, to change
	if err := errors.Join(err, os.MkdirAll(r.node.Dir, 0o700), os.MkdirAll(r.node.Logs, 0o700)); err != nil {
		return err
	}
	if err := chart.Config.Fit(r.node); err != nil {
		return err
	}
	command := child.Command{
		Name: r.name, Path: r.collector, Args: []string{"--config", filepath.Join(r.dir, "config.yaml")}, Log: filepath.Join(r.dir, "log"),
		Ready: fmt.Sprintf("http://127.0.0.1:%d/metrics", r.node.Metrics),
		Env: append(append(r.node.Env(), chart.Env...), "KOF_REGION=home", "KOF_DIRECTORY="+filepath.Join(r.dir, "regions.yaml"),
			fmt.Sprintf("KOF_SCRAPE_INTERVAL=%s", r.interval)),
	}
	if r.name == "stock" {
		if err := stockAgentConfig(chart.Config, r.node, stores); err != nil {
			return err
		}
		// Its heap may be as large as the agent's, and Go's default is what it runs with.
		command.Env = append(command.Env, "GOGC=100")
		command.Path, command.Args = r.self, []string{commandStock, filepath.Join(r.dir, "config.yaml")}
	}
	if err := errors.Join(chart.Config.Write(filepath.Join(r.dir, "config.yaml")), os.WriteFile(filepath.Join(r.dir, "regions.yaml"), []byte(stores.directory()), 0o600)); err != nil {
		return err
	}
	r.process, err = child.Start(ctx, command)
	return err
}

// startStores starts a store for each signal, behind a proxy that counts bytes.
func (r *agentRun) startStores(ctx context.Context) (s agentStores, err error) {
	for signal, start := range map[string]func(context.Context, backends.Options) (*backends.Server, error){
		"metrics": backends.StartVictoriaMetrics, "logs": backends.StartVictoriaLogs, "traces": backends.StartJaeger,
	} {
		dir := filepath.Join(r.dir, signal)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return s, err
		}
		server, err := start(ctx, backends.Options{Name: signal + " of " + r.title, Dir: dir})
		if err != nil {
			return s, err
		}
		r.stores[signal] = server
		url := server.URL
		if signal == "traces" {
			url = server.OTLPURL
		}
		proxy, err := countproxy.Start(strings.TrimPrefix(url, "http://"))
		if err != nil {
			return s, err
		}
		r.proxies = append(r.proxies, proxy)
		*map[string]*string{"metrics": &s.metrics, "logs": &s.logs, "traces": &s.traces}[signal] = "http://" + proxy.Address()
	}
	return s, nil
}

// watch notes the most that the collector holds over a time.
func (r *agentRun) watch(ctx context.Context, length time.Duration, resident, anonymous *int64) error {
	for began := time.Now(); time.Since(began) < length; {
		m, err := r.process.Memory()
		if err := errors.Join(err, r.process.Alive(), sleep(ctx, memoryPoll)); err != nil {
			return err
		}
		*resident = max(*resident, m.Resident)
		if anonymous != nil {
			*anonymous = max(*anonymous, m.Anonymous)
		}
	}
	return nil
}

// load sends for an interval, in which all caches fill, and measures the CPU of the time after it.
func (r *agentRun) load(ctx context.Context, res *agentResult) (err error) {
	var dirs []string
	for _, pod := range r.pods[:agentLogPods] {
		dirs = append(dirs, filepath.Join(r.node.Logs, pod.namespace+"_"+pod.name+"_"+pod.uid, "checkout"))
	}
	served := r.served.Load()
	r.loaded.Store(true)
	defer r.loaded.Store(false)
	type written struct {
		lines int
		err   error
	}
	writer := make(chan written, 1)
	go func() {
		lines, err := writeSteadily(ctx, dirs, r.interval+r.window(), func() error { return nil })
		writer <- written{lines, err}
	}()
	for i, pod := range r.pods[:agentSpanSenders] {
		spans := feed.NewSpans(serviceOf(i), uint64(i+1))
		r.feeds = append(r.feeds, feed.StartFrom(pod.ip, "http://"+r.node.OTLP+"/v1/traces", time.Second, func(at time.Time) ([]byte, error) {
			return spans.Request(agentSpanRate/agentSpanSenders, at)
		}))
	}
	err = r.watch(ctx, r.interval, &res.peak, &res.peakAnonymous)
	profiled := make(chan error, 1)
	go func() { profiled <- r.profile(ctx, r.profilesPort(), "agent-"+r.title, r.window()) }()
	before, errBefore := r.process.CPU()
	began := time.Now()
	err = errors.Join(err, errBefore, r.watch(ctx, r.window(), &res.peak, &res.peakAnonymous))
	after, errAfter := r.process.CPU()
	res.cores = (after - before).Seconds() / time.Since(began).Seconds()
	logs := <-writer
	res.sent.lines = logs.lines
	err = errors.Join(err, errAfter, logs.err, <-profiled, r.stopFeeds(&res.sent.spans))
	if err == nil {
		err = r.profile(ctx, r.profilesPort(), "agent-heap-"+r.title, 0)
	}
	r.loaded.Store(false)
	// A scrape that has begun is served to its end.
	err = errors.Join(err, sleep(ctx, time.Second))
	res.sent.samples = int(r.served.Load() - served)
	return err
}

func serviceOf(i int) string { return fmt.Sprintf("shop-%d", i) }

func (r *agentRun) profilesPort() (port int) {
	_, _ = fmt.Sscanf(r.node.Profiles, "127.0.0.1:%d", &port)
	return port
}

func (r *agentRun) stopFeeds(spans *int) error {
	var err error
	for _, f := range r.feeds {
		err = errors.Join(err, f.Stop())
		report := f.Report()
		*spans += int(report.Requests) * agentSpanRate / agentSpanSenders
		if report.Refused > 0 {
			r.note("%s: %d requests of spans were refused, and sent again: %v", r.title, report.Refused, report.LastRefusal)
		}
	}
	r.feeds = nil
	return err
}

// end ends the collector and its stores, and removes what it read and wrote, unless it is to be kept.
func (r *agentRun) end() error {
	err := r.stopFeeds(new(int))
	if r.process != nil {
		r.process.Kill()
	}
	for _, p := range r.proxies {
		err = errors.Join(err, p.Close())
	}
	for _, s := range r.stores {
		err = errors.Join(err, s.Stop())
	}
	if !r.keep {
		err = errors.Join(err, os.RemoveAll(r.dir))
	}
	return err
}
