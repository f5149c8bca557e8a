// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/k0rdent/kof/test/toolcache"
)

const (
	// What pod_logs has to reach, beside a collector of stock components.
	minLinesOfStock = 6.0
	maxWireOfStock  = 0.5
	maxBytesPerLine = 40
	maxResident     = 150 // MiB at steadyRate
	steadyRate      = 10_000
	logContainers   = 10

	kofName, fastestName = "kof", "kof-fastest"
)

// logs has three collectors read the same lines of container logs, one after the other, each into a VictoriaLogs of its own: kof-otelcol with
// pod_logs (also with the fastest compression), stock components, and vlagent, which gets the lines as JSON. What no format could go below is
// printed beside. Then kof-otelcol reads lines as they are written at a steady
// rate, with its store there and gone.
func logs(ctx context.Context, b *bench) error {
	lines := 1_000_000
	if b.short {
		lines = 200_000
	}
	vlagent, err := toolcache.Binary(ctx, "vlagent", b.out)
	if err != nil {
		return err
	}
	floors := [][]string{{"floor", "of what", "zstd as kof's: bytes/line", "CPU s/M lines", "zstd's best: bytes/line", "CPU s/M lines"}}
	rows := [][]string{{"lines", "collector", "CPU s/M lines", "lines/CPU s", "of stock's", "lines/s", "wire bytes/line", "of stock's", "peak RSS MiB", "delivered", "distinct"}}
	var met []func()
	for _, kind := range []string{"plain", "json"} {
		source, err := writeLogs(b.join("lines-"+kind), kind, lines)
		if err != nil {
			return err
		}
		results := map[string]logsResult{}
		for _, r := range []*logsReader{
			{name: "stock", binary: b.self, args: stockArgs},
			{name: "vlagent", binary: vlagent, args: vlagentLogArgs, json: true},
			{name: kofName, binary: b.collector, args: collectorArgs},
			{name: fastestName, template: kofName, level: "fastest", binary: b.collector, args: collectorArgs},
		} {
			if r.binary != b.collector && !b.stock {
				continue
			}
			b.note("%s reads %d %s lines", r.name, lines, kind)
			result, err := r.read(ctx, b, kind, source)
			if err != nil {
				return err
			}
			results[r.name] = result
		}
		stock := results["stock"]
		for _, name := range []string{"stock", "vlagent", kofName, fastestName} {
			r, ok := results[name]
			if !ok {
				continue
			}
			rows = append(rows, []string{
				kind, name, fmt.Sprintf("%.2f", r.cpu*1e6), fmt.Sprintf("%.0f", 1/r.cpu), ratio(stock.cpu, r.cpu), fmt.Sprintf("%.0f", r.rate),
				fmt.Sprintf("%.1f", r.wire), ratio(r.wire, stock.wire), mib(r.peak), strconv.Itoa(r.delivered), strconv.Itoa(r.distinct),
			})
			if r.distinct != lines {
				err = errors.Join(err, fmt.Errorf("%s delivered %d different lines of %d", name, r.distinct, lines))
			}
		}
		floor, floorErr := floorOf(kind, source)
		err = errors.Join(err, floorErr)
		floors = append(floors, floor...)
		kof, fastest := results[kofName], results[fastestName]
		met = append(met, func() {
			b.target(kind+": wire", kof.wire, maxBytesPerLine, "bytes per line")
			if !b.stock {
				return
			}
			b.targetAtLeast(kind+": lines per CPU second, of stock's", stock.cpu/kof.cpu, minLinesOfStock, "times")
			b.targetAtLeast(kind+": lines per CPU second, of vlagent's", results["vlagent"].cpu/kof.cpu, 1, "times")
			b.targetAtLeast(kind+": the same with compression_level fastest", results["vlagent"].cpu/fastest.cpu, 1, "times")
			b.target(kind+": its wire", fastest.wire, maxBytesPerLine, "bytes per line")
			b.target(kind+": wire, of stock's", kof.wire/stock.wire, maxWireOfStock, "times")
		})
		if err := errors.Join(err, os.RemoveAll(source.dir)); err != nil {
			return err
		}
	}
	if err := errors.Join(printTable(b.out, rows), printTable(b.out, floors)); err != nil {
		return err
	}
	for _, judge := range met {
		judge()
	}
	return b.steadyLogs(ctx)
}

func vlagentLogArgs(s *scraperSetup) []string {
	return []string{
		"-fileCollector.glob=" + filepath.Join(s.Dir, "pods", "*", "*", "*.log"), "-fileCollector.checkpointsPath=" + filepath.Join(s.Dir, "checkpoints"),
		"-fileCollector.refreshInterval=1s", "-fileCollector.msgField=_msg", "-fileCollector.timeField=_time",
		"-fileCollector.streamFields=file", "-remoteWrite.url=" + s.Store + "/insert/jsonline", "-remoteWrite.format=jsonline",
		"-remoteWrite.tmpDataPath=" + filepath.Join(s.Dir, "queue"), fmt.Sprintf("-httpListenAddr=127.0.0.1:%d", s.Metrics),
	}
}

// steadyLogs has kof-otelcol read lines as they are written, first with a store, then without.
func (b *bench) steadyLogs(ctx context.Context) error {
	r := &logsReader{name: "steady", binary: b.collector, args: collectorArgs, template: "kof"}
	if err := r.start(ctx, b); err != nil {
		return err
	}
	defer r.end()
	length := b.either(20*time.Second, 2*time.Minute)
	var dirs []string
	for i := range logContainers {
		dirs = append(dirs, filepath.Join(r.pods, podDirOf(i), "checkout"))
	}
	rows := [][]string{{"10,000 lines/s", "cores", "peak RSS MiB", "anonymous MiB"}}
	write := func(what string) (int64, error) {
		b.note("%s: %s at %d lines/s", what, length, steadyRate)
		r.peak, r.peakAnonymous = 0, 0
		before, err := r.process.CPU()
		if err != nil {
			return 0, err
		}
		if _, err := writeSteadily(ctx, dirs, length, r.watch); err != nil {
			return 0, err
		}
		after, err := r.process.CPU()
		rows = append(rows, []string{what, fmt.Sprintf("%.3f", (after-before).Seconds()/length.Seconds()), mib(r.peak), mib(r.peakAnonymous)})
		return r.peak, err
	}
	with, err := write("store there")
	if err != nil {
		return err
	}
	r.store.Kill()
	without, err := write("store gone")
	if err != nil {
		return err
	}
	if err := printTable(b.out, rows); err != nil {
		return err
	}
	b.target("resident memory at 10,000 lines/s", float64(with)/(1<<20), maxResident, "MiB")
	b.target("the same without a store", float64(without)/(1<<20), maxResident, "MiB")
	return nil
}
