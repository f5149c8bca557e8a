// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/logline"
)

// batch is what the pipeline gets at once: records of several containers.
type batch struct {
	logs    plog.Logs
	number  uint64
	began   time.Time
	bytes   int // of files
	records int
}

func (b *batch) empty() bool { return b.bytes == 0 && b.records == 0 }

func (b *batch) add(bytes int, now time.Time) {
	if b.bytes == 0 {
		b.began = now
	}
	b.bytes += bytes
}

func (b *batch) due(cfg BatchConfig, now time.Time) bool {
	return !b.empty() && (b.bytes >= cfg.MaxBytes || now.Sub(b.began) >= cfg.MaxDelay)
}

func (b *batch) reset() {
	*b = batch{logs: plog.NewLogs(), number: b.number + 1}
}

// Attributes, after the semantic conventions.
const (
	attrNamespace = "k8s.namespace.name"
	attrPod       = "k8s.pod.name"
	attrUID       = "k8s.pod.uid"
	attrContainer = "k8s.container.name"
	attrRestart   = "k8s.container.restart_count"
	attrStream    = "log.iostream"
	attrPath      = "log.file.path"
	attrTruncated = "log.truncated"
	attrPartial   = "log.partial"
)

// resourceAttributes leaves room for what processors add.
const resourceAttributes = 20

// recordsOf returns where the container's records of a stream go. The stream is an attribute of the resource, so that no record needs
// attributes.
func (w *worker) recordsOf(c *container, f *file, s logline.Stream) plog.LogRecordSlice {
	to := &c.slots[s]
	if to.batch == w.batch.number && to.restart == f.name.restart {
		return to.records
	}
	r := w.batch.logs.ResourceLogs().AppendEmpty()
	attrs := r.Resource().Attributes()
	attrs.EnsureCapacity(resourceAttributes)
	attrs.PutStr(attrNamespace, c.id.namespace)
	attrs.PutStr(attrPod, c.id.pod)
	attrs.PutStr(attrUID, c.id.uid)
	attrs.PutStr(attrContainer, c.id.container)
	attrs.PutInt(attrRestart, int64(f.name.restart))
	attrs.PutStr(attrStream, s.String())
	if w.cfg.IncludeFilePath {
		attrs.PutStr(attrPath, f.path)
	}
	*to = slot{batch: w.batch.number, restart: f.name.restart, records: r.ScopeLogs().AppendEmpty().LogRecords()}
	return to.records
}

// records moves this turn's entries into the batch. The chunk becomes one string that all their bodies are parts of.
func (w *worker) records(c *container, f *file, chunk []byte, now time.Time) {
	if len(w.entries) == 0 {
		return
	}
	if w.batch.records == 0 && w.batch.bytes == 0 {
		w.batch.began = now
	}
	text := string(chunk)
	valid := utf8.Valid(chunk)
	observed := pcommon.NewTimestampFromTime(now)
	parseJSON := c.rule != nil && c.rule.ParseJSON
	var counts [logline.Streams]int
	for i := range w.entries {
		counts[w.entries[i].stream]++
	}
	for s, n := range counts {
		if n > 0 {
			to := w.recordsOf(c, f, logline.Stream(s))
			to.EnsureCapacity(grown(to.Len(), n))
		}
	}
	for i := range w.entries {
		e := &w.entries[i]
		body := e.text
		if body == "" {
			body = text[e.start:e.end]
		}
		if !valid || e.text != "" {
			body = strings.ToValidUTF8(body, "\uFFFD")
		}
		r := c.slots[e.stream].records.AppendEmpty()
		r.SetTimestamp(pcommon.Timestamp(e.time))
		r.SetObservedTimestamp(observed)
		if e.truncated {
			r.Attributes().PutBool(attrTruncated, true)
		}
		if e.piece {
			r.Attributes().PutBool(attrPartial, true)
		}
		if parseJSON && w.parseJSON(r, body) {
			continue
		}
		r.Body().SetStr(body)
		if w.cfg.Severity {
			// The name of the level is in the body.
			if e.text == "" {
				r.SetSeverityNumber(plog.SeverityNumber(logline.FindSeverity(chunk[e.start:e.end])))
			} else {
				r.SetSeverityNumber(plog.SeverityNumber(logline.FindSeverity([]byte(body[:min(len(body), severityWithin)]))))
			}
		}
	}
	w.batch.records += len(w.entries)
	clear(w.entries)
	w.entries = w.entries[:0]
}

// severityWithin is at least as far as a severity is looked for.
const severityWithin = 512

// grown is the capacity for n more, at least twice the old one, so that many small turns don't copy each time.
func grown(length, n int) int { return max(length+n, min(2*length, length+4096)) }
