// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

const (
	cpuMetric    = "container_cpu_usage_seconds_total"
	memoryMetric = "container_memory_working_set_bytes"
)

// UsageDecoder reads the kubelet's /metrics/resource.
type UsageDecoder struct {
	series  map[string]series // by the text of the series
	symbols *labels.SymbolTable
	gen     uint64
	usage   map[ContainerID]*Usage
	seen    map[ContainerID]uint64
}

type series struct {
	id  ContainerID
	cpu bool
	ok  bool // one of ours
}

// NewUsageDecoder returns a decoder to be used again and again.
func NewUsageDecoder() *UsageDecoder {
	return &UsageDecoder{series: map[string]series{}, symbols: labels.NewSymbolTable(), usage: map[ContainerID]*Usage{}, seen: map[ContainerID]uint64{}}
}

// Decode reads the text format. now is the time of samples without a timestamp. The result is valid until the next call.
func (d *UsageDecoder) Decode(body []byte, now time.Time) (map[ContainerID]*Usage, error) {
	d.gen++
	p := textparse.NewPromParser(body, d.symbols, false)
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("resource metrics: %w", err)
		}
		if entry != textparse.EntrySeries {
			continue
		}
		text, ts, value := p.Series()
		s, ok := d.series[string(text)]
		if !ok {
			if len(d.series) >= maxInterned {
				clear(d.series)
				d.symbols = labels.NewSymbolTable()
			}
			s = identify(p)
			d.series[string(text)] = s
		}
		if !s.ok || value != value || value < 0 {
			continue
		}
		u := d.usage[s.id]
		if u == nil {
			u = &Usage{}
			d.usage[s.id] = u
		}
		if d.seen[s.id] != d.gen {
			d.seen[s.id] = d.gen
			*u = Usage{}
		}
		if !s.cpu {
			u.Memory = value
			continue
		}
		u.CPUSeconds, u.CPUAt = value, now
		if ts != nil {
			u.CPUAt = time.UnixMilli(*ts)
		}
	}
	for id := range d.usage {
		if d.seen[id] != d.gen {
			delete(d.usage, id)
			delete(d.seen, id)
		}
	}
	return d.usage, nil
}

func identify(p textparse.Parser) series {
	var l labels.Labels
	p.Labels(&l)
	name := l.Get(model.MetricNameLabel)
	if name != cpuMetric && name != memoryMetric {
		return series{}
	}
	return series{id: ContainerID{l.Get("namespace"), l.Get("pod"), l.Get("container")}, cpu: name == cpuMetric, ok: true}
}

// sizeHint reads a Content-Length so that the body is read into memory of the right size at once.
func sizeHint(header string) int {
	n, err := strconv.Atoi(header)
	if err != nil || n < 0 || n > MaxBody {
		return 0
	}
	return n
}
