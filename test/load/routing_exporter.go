// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension"

	"github.com/k0rdent/kof/components/exporter/regionexporter"
	"github.com/k0rdent/kof/components/extension/queuestorageextension"
	"github.com/k0rdent/kof/test/load/child"
)

// runningExporter is an exporter of one signal with its storage, as the Collector runs them.
type runningExporter struct {
	consume func(context.Context, batch) error
	signal  string
	sink    string
	parts   []component.Component // in the order of their start
}

// storageHost is a Collector with one extension.
type storageHost map[component.ID]component.Component

func (h storageHost) GetExtensions() map[component.ID]component.Component { return h }

// startTapOn starts a tap in a process of its own.
func (b *bench) startTapOn(ctx context.Context, address string) (string, error) {
	url := "http://" + address
	p, err := child.Start(ctx, child.Command{
		Name: "tap", Path: b.self, Args: []string{commandTap, address}, Log: b.join("tap.log"), Ready: url + "/records",
	})
	if err != nil {
		return "", err
	}
	b.atEnd(p.Stop)
	return url, nil
}

// startExporter starts a contender, with a folder of its own for its queue.
func (b *bench) startExporter(ctx context.Context, signal, name string, c contender, sink string) (*runningExporter, error) {
	dir := b.join(name)
	storage, storageID, err := newStorage(ctx, b.storage, filepath.Join(dir, "queue"))
	if err != nil {
		return nil, err
	}
	factory, settings, err := exporterOf(c, dir, sink, storageID)
	if err != nil {
		return nil, err
	}
	cfg := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(settings).Unmarshal(cfg); err != nil {
		return nil, err
	}
	if v, ok := cfg.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return nil, err
		}
	}
	r := &runningExporter{signal: signal, sink: sink}
	set := exporter.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: componenttest.NewNopTelemetrySettings(), BuildInfo: component.NewDefaultBuildInfo()}
	var e component.Component
	switch signal {
	case "logs":
		x, err := factory.CreateLogs(ctx, set, cfg)
		if err != nil {
			return nil, err
		}
		e, r.consume = x, func(ctx context.Context, b batch) error { return x.ConsumeLogs(ctx, b.logs) }
	case "metrics":
		x, err := factory.CreateMetrics(ctx, set, cfg)
		if err != nil {
			return nil, err
		}
		e, r.consume = x, func(ctx context.Context, b batch) error { return x.ConsumeMetrics(ctx, b.metrics) }
	default:
		x, err := factory.CreateTraces(ctx, set, cfg)
		if err != nil {
			return nil, err
		}
		e, r.consume = x, func(ctx context.Context, b batch) error { return x.ConsumeTraces(ctx, b.traces) }
	}
	host := storageHost{storageID: storage}
	for _, part := range []component.Component{storage, e} {
		if err := part.Start(ctx, host); err != nil {
			return nil, errors.Join(err, r.end(ctx))
		}
		r.parts = append(r.parts, part)
	}
	return r, nil
}

func newStorage(ctx context.Context, kind, dir string) (extension.Extension, component.ID, error) {
	factory := filestorage.NewFactory()
	if kind == queueStorage {
		factory = queuestorageextension.NewFactory()
	}
	id := component.NewID(factory.Type())
	cfg := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(map[string]any{"directory": dir, "create_directory": true}).Unmarshal(cfg); err != nil {
		return nil, id, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, id, err
	}
	e, err := factory.Create(ctx, extension.Settings{ID: id, TelemetrySettings: componenttest.NewNopTelemetrySettings(), BuildInfo: component.NewDefaultBuildInfo()}, cfg)
	return e, id, err
}

// exporterOf returns the factory and the settings of a contender. All queue in the storage, have two senders and compress with zstd; those
// that gather batches make them as large as the region exporter's.
func exporterOf(c contender, dir, sink string, storage component.ID) (exporter.Factory, map[string]any, error) {
	if c.regions == 0 {
		queue := map[string]any{"enabled": true, "storage": storage.String(), "num_consumers": 2, "sizer": "bytes", "queue_size": 1 << 30}
		if c.batches {
			queue["batch"] = map[string]any{"flush_timeout": "500ms", "min_size": 1_000_000, "max_size": 1 << 20}
		}
		return otlphttpexporter.NewFactory(), map[string]any{"endpoint": sink, "compression": "zstd", "sending_queue": queue}, nil
	}
	var directory strings.Builder
	directory.WriteString("regions:\n")
	for i := range c.regions {
		fmt.Fprintf(&directory, "  %s: {zone: eu, metrics: {endpoint: %q, protocol: otlp_http}, logs: {endpoint: %q}, traces: {endpoint: %q}}\n",
			regionName(i), sink+"/v1/metrics", sink+"/v1/logs", sink+"/v1/traces")
	}
	path := filepath.Join(dir, "regions.yaml")
	return regionexporter.NewFactory(), map[string]any{
		"directory": map[string]any{"file": path}, "home_region": regionName(0), "storage": storage.String(),
		"compression_level": "fastest", // what otlp_http's default comes to
	}, os.WriteFile(path, []byte(directory.String()), 0o600)
}

func regionName(i int) string { return fmt.Sprintf("region-%d", i) }

// round has the exporter deliver batches and returns what that cost. The batches are made before.
func (r *runningExporter) round(ctx context.Context, c contender, batches int) (cost, error) {
	made := make([]batch, batches)
	for i := range made {
		made[i] = newBatch(r.signal, i, c)
	}
	delivered, err := tapRecords(ctx, r.sink, 0)
	if err != nil {
		return cost{}, err
	}
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	allocs, cpu := memory.Mallocs, ownCPU()
	for _, one := range made {
		if err := r.consume(ctx, one); err != nil {
			return cost{}, err
		}
	}
	records := int64(batches * batchResources * batchRecords)
	if _, err := tapRecords(ctx, r.sink, delivered+records); err != nil {
		return cost{}, fmt.Errorf("not all records were delivered: %w", err)
	}
	used := ownCPU() - cpu
	runtime.ReadMemStats(&memory)
	return cost{cpu: float64(used.Nanoseconds()) / float64(records), allocs: float64(memory.Mallocs-allocs) / float64(records)}, nil
}

// end ends exporter and storage.
func (r *runningExporter) end(ctx context.Context) error {
	var err error
	for i := len(r.parts) - 1; i >= 0; i-- {
		err = errors.Join(err, r.parts[i].Shutdown(ctx))
	}
	return err
}

// tapRecords asks a tap of another process how many records it has taken, and waits until there are atLeast so many.
func tapRecords(ctx context.Context, url string, atLeast int64) (int64, error) {
	body, err := get(ctx, fmt.Sprintf("%s/records?at_least=%d", url, atLeast))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(body), 10, 64)
}

// ownCPU is the user and system time of this process, whose resolution is that of the kernel's scheduler (getrusage(2)).
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // only a bad argument fails
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
