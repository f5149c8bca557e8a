// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/load/child"
	"github.com/k0rdent/kof/test/load/countproxy"
)

//go:embed configs/logs.yaml.tmpl
var logsText string

var logsTemplates = template.Must(template.New("logs").Option("missingkey=error").Parse(logsText))

// logsReader is a collector that reads container logs into a VictoriaLogs of its own, through a proxy that counts.
type logsReader struct {
	name, binary string
	args         func(s *scraperSetup) []string
	template     string // of its configuration; its name by default
	level        string // of compression; the default by default
	json         bool   // it reads lines as JSON

	process             *child.Process
	store               *backends.Server
	proxy               *countproxy.Proxy
	pods                string
	profiles            int
	peak, peakAnonymous int64 // bytes
}

// logsResult is per line, but for the peak in bytes and the numbers of lines.
type logsResult struct {
	cpu, wire           float64
	rate                float64 // lines per second
	peak                int64
	delivered, distinct int
}

// logsSetup is what its configuration is made of.
type logsSetup struct {
	scraperSetup
	Pods, Level string
}

func (r *logsReader) start(ctx context.Context, b *bench) (err error) {
	defer func() {
		if err != nil {
			r.end()
		}
	}()
	setup := &logsSetup{scraperSetup: scraperSetup{Storage: b.storage, Dir: b.join("logs-" + r.name)}}
	setup.Pods = filepath.Join(setup.Dir, "pods")
	setup.Level, r.pods = r.level, setup.Pods
	if err := os.RemoveAll(setup.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(setup.Pods, 0o700); err != nil {
		return err
	}
	if r.store, err = backends.StartVictoriaLogs(ctx, backends.Options{Name: "store of " + r.name, Dir: filepath.Join(setup.Dir, "store")}); err != nil {
		return err
	}
	if r.proxy, err = countproxy.Start(strings.TrimPrefix(r.store.URL, "http://")); err != nil {
		return err
	}
	setup.Store = "http://" + r.proxy.Address()
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	setup.Metrics, setup.Profiles = ports[0], ports[1]
	if !r.json {
		r.profiles = setup.Profiles
		if r.template == "" {
			r.template = r.name
		}
		for path, name := range map[string]string{setup.config(): r.template, filepath.Join(setup.Dir, "regions.yaml"): "regions"} {
			var text bytes.Buffer
			if err := logsTemplates.ExecuteTemplate(&text, name, setup); err != nil {
				return fmt.Errorf("configuration: %w", err)
			}
			if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
				return err
			}
		}
	}
	r.process, err = child.Start(ctx, child.Command{
		Name: r.name, Path: r.binary, Args: r.args(&setup.scraperSetup), Log: filepath.Join(setup.Dir, "log"),
		Ready: fmt.Sprintf("http://127.0.0.1:%d/metrics", setup.Metrics),
		// What k8s_attributes asks for, where no one listens.
		Env: []string{"KUBERNETES_SERVICE_HOST=127.0.0.1", "KUBERNETES_SERVICE_PORT=1", "KOF_CLUSTER_NAME=eu-prod-7"},
	})
	return err
}

func (r *logsReader) end() {
	if r.process != nil {
		r.process.Kill()
	}
	if r.proxy != nil {
		_ = r.proxy.Close()
	}
	if r.store != nil {
		_ = r.store.Stop()
	}
}

// watch notes the memory, and fails when the collector has ended.
func (r *logsReader) watch() error {
	m, err := r.process.Memory()
	r.peak, r.peakAnonymous = max(r.peak, m.Resident), max(r.peakAnonymous, m.Anonymous)
	return errors.Join(err, r.process.Alive())
}

const (
	// logsTimeout bounds the reading of a million lines.
	logsTimeout = 10 * time.Minute
	// logsSettle is how long a collector is left alone after its start.
	logsSettle = 3 * time.Second
)

// read measures from when the lines are there to when the store has them.
func (r *logsReader) read(ctx context.Context, b *bench, kind string, source *logSource) (res logsResult, err error) {
	if err := r.start(ctx, b); err != nil {
		return res, err
	}
	defer r.end()
	if err := sleep(ctx, logsSettle); err != nil {
		return res, err
	}
	cpu, err := r.process.CPU()
	if err != nil {
		return res, err
	}
	profiled := make(chan error, 1)
	go func() {
		profiled <- b.profile(ctx, r.profiles, "logs-"+kind+"-"+r.name, b.either(3*time.Second, 5*time.Second))
	}()
	began := time.Now()
	if err := source.putInto(r.pods, r.json); err != nil {
		return res, err
	}
	for stored := 0.0; stored < float64(source.lines); {
		if time.Since(began) > logsTimeout {
			return res, fmt.Errorf("%s: %.0f of %d lines after %s; its log ends with:\n%s", r.name, stored, source.lines, logsTimeout, r.process.LogTail())
		}
		if err := errors.Join(sleep(ctx, 50*time.Millisecond), r.watch()); err != nil {
			return res, err
		}
		f, err := readFigures(ctx, r.store.URL+"/metrics")
		if err != nil {
			return res, err
		}
		stored = f.sum("vl_rows_ingested_total")
	}
	took := time.Since(began)
	after, err := r.process.CPU()
	if err != nil {
		return res, err
	}
	n := float64(source.lines)
	res = logsResult{cpu: (after - cpu).Seconds() / n, wire: float64(r.proxy.Sent()) / n, rate: n / took.Seconds(), peak: r.peak}
	if err := errors.Join(<-profiled, sleep(ctx, 2*time.Second)); err != nil { // for what is sent twice
		return res, err
	}
	if err := r.store.Flush(ctx); err != nil {
		return res, err
	}
	rows, err := r.store.LogsQuery(ctx, "* | stats count() as delivered, count_uniq_hash(_msg) as distinct", 0)
	if err != nil || len(rows) != 1 {
		return res, errors.Join(err, fmt.Errorf("%s: %d rows of counts", r.name, len(rows)))
	}
	res.delivered, err = strconv.Atoi(rows[0]["delivered"])
	if err == nil {
		res.distinct, err = strconv.Atoi(rows[0]["distinct"])
	}
	return res, err
}
