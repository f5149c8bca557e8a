// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"github.com/k0rdent/kof/test/load/child"
)

//go:embed configs/kof.yaml.tmpl
var kofText string

//go:embed configs/stock.yaml.tmpl
var stockText string

var (
	kofTemplate   = template.Must(template.New("kof").Option("missingkey=error").Parse(kofText))
	stockTemplate = template.Must(template.New("stock").Option("missingkey=error").Parse(stockText))
)

// region is where a collector sends logs of one region.
type region struct{ Name, Logs string }

// setup is what a collector that takes logs over OTLP is set up with.
type setup struct {
	Storage  string // type of the storage extension
	Dir      string // holds its files
	Regions  []region
	Queue    int64 // bound of each queue in bytes
	OTLP     int   // loopback ports
	Metrics  int
	Profiles int
}

// logsCollector is a running collector that takes logs over OTLP.
type logsCollector struct {
	*child.Process
	setup
}

// queueDir is where a collector's queues are.
func (s setup) queueDir() string { return filepath.Join(s.Dir, "queue") }

// QueueDir is for the template.
func (s setup) QueueDir() string { return s.queueDir() }

// Directory is the path of the region directory; for the template.
func (s setup) Directory() string { return filepath.Join(s.Dir, "regions.yaml") }

// logsURL is where it takes logs.
func (c *logsCollector) logsURL() string { return fmt.Sprintf("http://127.0.0.1:%d/v1/logs", c.OTLP) }

// figures reads the collector's own metrics.
func (c *logsCollector) figures(ctx context.Context) (figures, error) {
	return readFigures(ctx, fmt.Sprintf("http://127.0.0.1:%d/metrics", c.Metrics))
}

// startKOF starts kof-otelcol with the region exporter.
func (b *bench) startKOF(ctx context.Context, name string, queue int64, regions ...region) (*logsCollector, error) {
	s := setup{Storage: b.storage, Dir: b.join(name), Queue: queue, Regions: regions}
	var directory bytes.Buffer
	directory.WriteString("regions:\n")
	for _, r := range regions {
		fmt.Fprintf(&directory, "  %s: {zone: eu, logs: {endpoint: %q}}\n", r.Name, r.Logs)
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(s.Directory(), directory.Bytes(), 0o600); err != nil {
		return nil, err
	}
	return b.startLogsCollector(ctx, name, b.collector, kofTemplate, s)
}

// startStock starts a collector of stock components with a queue per region in file_storage.
func (b *bench) startStock(ctx context.Context, binary, name string, queue int64, regions ...region) (*logsCollector, error) {
	s := setup{Storage: fileStorage, Dir: b.join(name), Queue: queue, Regions: regions}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, err
	}
	return b.startLogsCollector(ctx, name, binary, stockTemplate, s)
}

func (b *bench) startLogsCollector(ctx context.Context, name, binary string, t *template.Template, s setup) (*logsCollector, error) {
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	s.OTLP, s.Metrics, s.Profiles = ports[0], ports[1], ports[2]
	config := filepath.Join(s.Dir, "config.yaml")
	if err := writeTemplate(config, t, s); err != nil {
		return nil, err
	}
	p, err := child.Start(ctx, child.Command{
		Name: name, Path: binary, Args: []string{"--config", config}, Log: filepath.Join(s.Dir, "log"),
		Ready: fmt.Sprintf("http://127.0.0.1:%d/metrics", s.Metrics),
	})
	if err != nil {
		return nil, err
	}
	b.atEnd(func() error { p.Kill(); return nil })
	return &logsCollector{Process: p, setup: s}, nil
}

func writeTemplate(path string, t *template.Template, data any) error {
	var text bytes.Buffer
	if err := t.Execute(&text, data); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return os.WriteFile(path, text.Bytes(), 0o600)
}

// profile writes a profile of a collector to the folder for profiles, if there is one: of the CPU over a time, or of the heap.
func (b *bench) profile(ctx context.Context, port int, name string, over time.Duration) error {
	if b.profiles == "" || port == 0 {
		return nil
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/debug/pprof/heap?gc=1", port)
	if over > 0 {
		url = fmt.Sprintf("http://127.0.0.1:%d/debug/pprof/profile?seconds=%d", port, int(over.Seconds()))
	}
	body, err := get(ctx, url)
	if err != nil {
		return fmt.Errorf("profile of %s: %w", name, err)
	}
	if err := os.MkdirAll(b.profiles, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.profiles, name+".pprof"), body, 0o644)
}
