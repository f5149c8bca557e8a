// SPDX-License-Identifier: Apache-2.0

package k8seventsreceiver

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func at(second int) metav1.Time {
	return metav1.Time{Time: time.Date(2026, 11, 23, 12, 0, second, 0, time.UTC)}
}

func TestRecords(t *testing.T) {
	backOff := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: "web-1.17", Namespace: "default", UID: "event-uid", CreationTimestamp: at(1)},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: "default", Name: "web-1", UID: "pod-uid", FieldPath: "spec.containers{web}"},
		Reason:         "BackOff", Message: "Back-off restarting failed container", Type: "Warning", Count: 5,
		FirstTimestamp: at(2), LastTimestamp: at(3), Source: corev1.EventSource{Component: "kubelet", Host: "node-1"},
	}
	scheduled := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: "web-2.18", Namespace: "default", UID: "uid-2", CreationTimestamp: at(4)},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "default", Name: "web-2"},
		Reason:         "Scheduled", Action: "Binding", Message: "Successfully assigned\n default/web-2 to node-1\n", Type: "Normal",
		EventTime: metav1.MicroTime{Time: at(5).Time}, ReportingController: "default-scheduler", ReportingInstance: "s-1",
		Series: &corev1.EventSeries{Count: 3, LastObservedTime: metav1.MicroTime{Time: at(6).Time}},
	}
	node := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: "node-1.19", Namespace: "default", CreationTimestamp: at(7)},
		InvolvedObject: corev1.ObjectReference{Kind: "Node", Name: "node-1", UID: "node-1"},
		Reason:         "NodeNotReady", Type: "Normal", Source: corev1.EventSource{Component: "node-controller", Host: "master-1"},
	}
	other := backOff.DeepCopy()
	other.Count, other.LastTimestamp = 6, at(8)
	logs := logsOf([]*corev1.Event{backOff, scheduled, node, other}, at(9).Time, "1.2.3")
	require.Equal(t, 3, logs.ResourceLogs().Len())
	require.Equal(t, 4, logs.LogRecordCount())

	first := logs.ResourceLogs().At(0)
	require.Equal(t, map[string]any{
		"k8s.namespace.name": "default", "k8s.pod.name": "web-1", "k8s.pod.uid": "pod-uid", "k8s.node.name": "node-1",
	}, first.Resource().Attributes().AsRaw())
	require.Equal(t, 2, first.ScopeLogs().At(0).LogRecords().Len())
	r := first.ScopeLogs().At(0).LogRecords().At(0)
	require.Equal(t, "Pod default/web-1: BackOff: Back-off restarting failed container (x5)", r.Body().Str())
	require.Equal(t, "Pod default/web-1: BackOff: Back-off restarting failed container (x6)", first.ScopeLogs().At(0).LogRecords().At(1).Body().Str())
	require.Equal(t, plog.SeverityNumberWarn, r.SeverityNumber())
	require.Equal(t, "Warning", r.SeverityText())
	require.True(t, r.Timestamp().AsTime().Equal(at(3).Time))
	require.True(t, r.ObservedTimestamp().AsTime().Equal(at(9).Time))
	require.Equal(t, map[string]any{
		"k8s.event.name": "web-1.17", "k8s.event.uid": "event-uid", "k8s.event.reason": "BackOff", "k8s.event.count": int64(5),
		"k8s.event.first_time": "2026-11-23T12:00:02Z", "k8s.event.last_time": "2026-11-23T12:00:03Z", "k8s.event.reporting_component": "kubelet",
		"k8s.object.kind": "Pod", "k8s.object.name": "web-1", "k8s.object.uid": "pod-uid", "k8s.object.fieldpath": "spec.containers{web}",
		"k8s.object.api_version": "v1",
	}, r.Attributes().AsRaw())

	r = logs.ResourceLogs().At(1).ScopeLogs().At(0).LogRecords().At(0)
	require.Equal(t, "Pod default/web-2: Scheduled: Successfully assigned default/web-2 to node-1 (x3)", r.Body().Str())
	require.Equal(t, plog.SeverityNumberInfo, r.SeverityNumber())
	require.True(t, r.Timestamp().AsTime().Equal(at(6).Time))
	require.Equal(t, "2026-11-23T12:00:05Z", r.Attributes().AsRaw()["k8s.event.first_time"])
	require.Equal(t, "Binding", r.Attributes().AsRaw()["k8s.event.action"])

	require.Equal(t, map[string]any{"k8s.node.name": "node-1"}, logs.ResourceLogs().At(2).Resource().Attributes().AsRaw())
	r = logs.ResourceLogs().At(2).ScopeLogs().At(0).LogRecords().At(0)
	require.Equal(t, "Node node-1: NodeNotReady", r.Body().Str())
	require.True(t, r.Timestamp().AsTime().Equal(at(7).Time))
}

func TestLongMessageIsCut(t *testing.T) {
	e := &corev1.Event{InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "p"}, Message: strings.Repeat("é", maxMessage)}
	b := body(e)
	require.Less(t, len(b), maxMessage+64)
	require.True(t, strings.HasSuffix(b, "é…"))
}
