// SPDX-License-Identifier: Apache-2.0

// Package feed sends log records and spans to a collector's OTLP/HTTP receiver: at a set rate, or as fast as it takes them.
package feed

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

var words = strings.Fields(`cache miss refreshed from primary order accepted payment authorised retry scheduled upstream answered slowly
	connection reset by peer pool exhausted waiting for idle worker session renewed token expired user signed in item added to basket
	stock reserved shipment created invoice rendered mail queued index rebuilt segment merged snapshot taken replica caught up`)

// line is a line of a service's log: about 300 bytes, with the words, numbers and ids that such lines have.
func line(rng *rand.Rand) string {
	var b strings.Builder
	fmt.Fprintf(&b, "level=%s logger=com.example.shop.%s trace=%016x%016x user=%d took=%dms status=%d msg=\"",
		[]string{"INFO", "INFO", "INFO", "WARN", "DEBUG"}[rng.IntN(5)], words[rng.IntN(len(words))],
		rng.Uint64(), rng.Uint64(), rng.IntN(1_000_000), rng.IntN(2000), []int{200, 200, 200, 404, 503}[rng.IntN(5)])
	for b.Len() < 290 {
		b.WriteString(words[rng.IntN(len(words))])
		b.WriteByte(' ')
	}
	b.WriteByte('"')
	return b.String()
}

// Lines is a stock of log lines to make requests of.
type Lines struct {
	lines []string
	at    int
}

// NewLines returns so many different lines.
func NewLines(n int) *Lines {
	rng := rand.New(rand.NewPCG(7, 7))
	l := &Lines{lines: make([]string, n)}
	for i := range l.lines {
		l.lines[i] = line(rng)
	}
	return l
}

// Next returns the next line, and the first one after the last.
func (l *Lines) Next() string {
	next := l.lines[l.at]
	l.at = (l.at + 1) % len(l.lines)
	return next
}

// Fill adds the records of ten pods of one region to logs.
func (l *Lines) Fill(logs plog.Logs, region string, records int, at time.Time) {
	const pods = 10
	for pod := range min(pods, records) {
		r := logs.ResourceLogs().AppendEmpty()
		attrs := r.Resource().Attributes()
		attrs.PutStr("kof.region", region)
		attrs.PutStr("k8s.cluster.name", "eu-prod-7")
		attrs.PutStr("k8s.namespace.name", fmt.Sprintf("team-%d", pod%4))
		attrs.PutStr("k8s.pod.name", fmt.Sprintf("checkout-5d9f7c6b8-%05d", pod*7919))
		attrs.PutStr("k8s.container.name", "checkout")
		attrs.PutStr("k8s.node.name", "ip-10-42-3-17.eu-west-1.compute.internal")
		to := r.ScopeLogs().AppendEmpty().LogRecords()
		share := records / pods
		if pod < records%pods {
			share++
		}
		to.EnsureCapacity(share)
		for range share {
			record := to.AppendEmpty()
			record.SetTimestamp(pcommon.NewTimestampFromTime(at))
			record.SetSeverityNumber(plog.SeverityNumberInfo)
			record.Body().SetStr(l.Next())
			record.Attributes().PutStr("log.iostream", "stdout")
		}
	}
}

// Request returns the protobuf of an export request with so many records for each of the regions.
func (l *Lines) Request(regions []string, records int, at time.Time) ([]byte, error) {
	logs := plog.NewLogs()
	for _, region := range regions {
		l.Fill(logs, region, records, at)
	}
	return plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
}
