// SPDX-License-Identifier: Apache-2.0

package k8seventsreceiver

import (
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	corev1 "k8s.io/api/core/v1"

	"github.com/k0rdent/kof/components/receiver/k8seventsreceiver/internal/metadata"
)

// maxMessage bounds what one record may take; the API server's own bound of an event's note is 1,024 bytes.
const maxMessage = 16 << 10

// resourceKey is what records of one resource have in common.
type resourceKey struct{ namespace, pod, podUID, node string }

// logsOf makes the records of events, in their order within each resource.
func logsOf(events []*corev1.Event, now time.Time, version string) plog.Logs {
	logs := plog.NewLogs()
	byResource := map[resourceKey]plog.LogRecordSlice{}
	for _, e := range events {
		key := resourceOf(e)
		records, ok := byResource[key]
		if !ok {
			rl := logs.ResourceLogs().AppendEmpty()
			attrs := rl.Resource().Attributes()
			putStr(attrs, "k8s.namespace.name", key.namespace)
			putStr(attrs, "k8s.pod.name", key.pod)
			putStr(attrs, "k8s.pod.uid", key.podUID)
			putStr(attrs, "k8s.node.name", key.node)
			sl := rl.ScopeLogs().AppendEmpty()
			sl.Scope().SetName(metadata.ScopeName)
			sl.Scope().SetVersion(version)
			records = sl.LogRecords()
			byResource[key] = records
		}
		fill(records.AppendEmpty(), e, now)
	}
	return logs
}

func resourceOf(e *corev1.Event) resourceKey {
	o := &e.InvolvedObject
	key := resourceKey{namespace: o.Namespace}
	switch {
	case o.Kind == "Pod":
		key.pod, key.podUID = o.Name, string(o.UID)
	case o.Kind == "Node":
		key.node = o.Name
		return key
	}
	switch {
	case e.Source.Host != "":
		key.node = e.Source.Host
	case e.ReportingController == "kubelet":
		key.node = e.ReportingInstance
	}
	return key
}

func fill(r plog.LogRecord, e *corev1.Event, now time.Time) {
	last := lastTime(e)
	r.SetTimestamp(pcommon.NewTimestampFromTime(last))
	r.SetObservedTimestamp(pcommon.NewTimestampFromTime(now))
	r.SetSeverityText(e.Type)
	r.SetSeverityNumber(plog.SeverityNumberInfo)
	if e.Type == corev1.EventTypeWarning {
		r.SetSeverityNumber(plog.SeverityNumberWarn)
	}
	r.Body().SetStr(body(e))

	a := r.Attributes()
	putStr(a, "k8s.event.name", e.Name)
	putStr(a, "k8s.event.uid", string(e.UID))
	putStr(a, "k8s.event.reason", e.Reason)
	putStr(a, "k8s.event.action", e.Action)
	a.PutInt("k8s.event.count", count(e))
	putStr(a, "k8s.event.first_time", timeText(firstTime(e)))
	putStr(a, "k8s.event.last_time", timeText(last))
	component := e.ReportingController
	if component == "" {
		component = e.Source.Component
	}
	putStr(a, "k8s.event.reporting_component", component)
	putStr(a, "k8s.event.reporting_instance", e.ReportingInstance)
	o := &e.InvolvedObject
	putStr(a, "k8s.object.kind", o.Kind)
	putStr(a, "k8s.object.name", o.Name)
	putStr(a, "k8s.object.uid", string(o.UID))
	putStr(a, "k8s.object.fieldpath", o.FieldPath)
	putStr(a, "k8s.object.api_version", o.APIVersion)
}

func putStr(m pcommon.Map, key, value string) {
	if value != "" {
		m.PutStr(key, value)
	}
}

// body is one line, for instance "Pod default/web-1: BackOff: Back-off restarting failed container (x5)".
func body(e *corev1.Event) string {
	var b strings.Builder
	o := &e.InvolvedObject
	b.WriteString(o.Kind)
	b.WriteByte(' ')
	if o.Namespace != "" {
		b.WriteString(o.Namespace)
		b.WriteByte('/')
	}
	b.WriteString(o.Name)
	message := e.Message
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	for _, part := range []string{e.Reason, strings.Join(strings.Fields(message), " ")} {
		if part != "" {
			b.WriteString(": ")
			b.WriteString(part)
		}
	}
	if n := count(e); n > 1 {
		b.WriteString(" (x" + strconv.FormatInt(n, 10) + ")")
	}
	return b.String()
}

// count is how often it has happened: in the field of the older writers or of the newer.
func count(e *corev1.Event) int64 {
	n := max(int64(e.Count), 1)
	if e.Series != nil {
		n = max(n, int64(e.Series.Count))
	}
	return n
}

func firstTime(e *corev1.Event) time.Time {
	return firstSet(e.FirstTimestamp.Time, e.EventTime.Time, e.CreationTimestamp.Time)
}

func lastTime(e *corev1.Event) time.Time {
	var series time.Time
	if e.Series != nil {
		series = e.Series.LastObservedTime.Time
	}
	return firstSet(series, e.LastTimestamp.Time, e.EventTime.Time, e.FirstTimestamp.Time, e.CreationTimestamp.Time)
}

func firstSet(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Unix(0, 0)
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
