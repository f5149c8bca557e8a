// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	_ "embed"
	"fmt"
	"text/template"
	"time"

	"github.com/k0rdent/kof/test/chaos/load"
)

// Bounds that all configurations share.
const (
	// BatchBytes bounds a request to a backend before compression.
	BatchBytes = 64 << 10
	// Senders is how many requests of one lane may be under way at once.
	Senders = 2
	// Timeout ends an attempt to send.
	Timeout = 2 * time.Second
	// MaxRetryInterval bounds the wait between two attempts.
	MaxRetryInterval = 3 * time.Second
)

// Settings is what differs between the cells.
type Settings struct {
	// Storage is the type of the storage extension of kof-otelcol: file_storage or queue_storage.
	Storage string
	// QueueDir holds the queues.
	QueueDir string
	// Directory is the path of the region directory, for kof-otelcol.
	Directory string
	// Regions are the names and endpoints, for the stock collector; the first is the home region.
	Regions []Region
	// QueueBytes bounds each lane's queue.
	QueueBytes int64
	// DropOldest drops the oldest records at the bound instead of refusing new ones; kof-otelcol only.
	DropOldest bool
	// OTLPPort and MetricsPort are loopback ports.
	OTLPPort, MetricsPort int
}

// Region is the base URLs of a region's backends.
type Region struct {
	Name                  string
	Metrics, Logs, Traces string
}

//go:embed kof.yaml.tmpl
var kofText string

//go:embed stock.yaml.tmpl
var stockText string

var (
	functions = template.FuncMap{
		"batchBytes":       func() int { return BatchBytes },
		"senders":          func() int { return Senders },
		"timeout":          func() string { return Timeout.String() },
		"maxRetryInterval": func() string { return MaxRetryInterval.String() },
		"signals":          load.Signals,
	}
	kofTemplate   = template.Must(template.New("kof").Funcs(functions).Option("missingkey=error").Parse(kofText))
	stockTemplate = template.Must(template.New("stock").Funcs(functions).Option("missingkey=error").Parse(stockText))
)

// Config returns the collector's configuration in YAML.
func (k Kind) Config(s Settings) ([]byte, error) {
	t := kofTemplate
	if k == Stock {
		t = stockTemplate
	}
	var b bytes.Buffer
	if err := t.Execute(&b, s); err != nil {
		return nil, fmt.Errorf("configuration of %s: %w", k, err)
	}
	return b.Bytes(), nil
}

// Kind says which collector.
type Kind string

const (
	// KOF is kof-otelcol with the region exporter.
	KOF Kind = "kof"
	// Stock is the routing connector, stock exporters and their queues in file_storage.
	Stock Kind = "stock"
)
