// SPDX-License-Identifier: Apache-2.0

package k8seventsreceiver

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/k0rdent/kof/components/receiver/k8seventsreceiver/internal/metadata"
)

// flaky fails once on the second page of a list and once on the third.
type flaky struct {
	typedv1.EventInterface
	goesOn int
}

func (f *flaky) List(ctx context.Context, o metav1.ListOptions) (*corev1.EventList, error) {
	if o.Continue != "" {
		if f.goesOn++; f.goesOn == 1 || f.goesOn == 3 {
			return nil, errors.New("connection lost")
		}
	}
	return f.EventInterface.List(ctx, o)
}

// keepsNothing is a keeper that fails.
type keepsNothing struct{}

func (keepsNothing) Get(context.Context, string) ([]byte, error) { return nil, nil }
func (keepsNothing) Set(context.Context, string, []byte) error   { return errors.New("disk full") }
func (keepsNothing) Delete(context.Context, string) error        { return errors.New("disk full") }
func (keepsNothing) Close(context.Context) error                 { return nil }

// failedPage: a list that fails in the middle doesn't begin again with what was sent, also where pages can't be kept.
func failedPage(t *testing.T, c cluster, _ func(string) *Config) {
	ns, p := c.namespace(t, "failed-page"), new(pipeline)
	want := c.happens(t, ns, many("e", 2*pageSize+10)...)
	telemetry, err := metadata.NewTelemetryBuilder(receivertest.NewNopSettings(metadata.Type).TelemetrySettings)
	require.NoError(t, err)
	s := &stream{
		sender:   &sender{next: p, telemetry: telemetry, settings: receivertest.NewNopSettings(metadata.Type), minPause: time.Millisecond},
		client:   &flaky{EventInterface: c.CoreV1().Events(ns)},
		position: position{keepsNothing{}, ns}, maxAge: time.Hour, timeout: time.Minute, logger: zap.NewNop(),
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.run(ctx)
	}()
	defer func() { cancel(); <-done }()
	p.wants(t, want...)
	p.wants(t, append(want, c.happens(t, ns, "after")...)...)
}

func TestNextBatch(t *testing.T) {
	event := func(kind watch.EventType, version string) watch.Event {
		return watch.Event{Type: kind, Object: &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: version, ResourceVersion: version}}}
	}
	names := func(events []*corev1.Event) (out []string) {
		for _, e := range events {
			out = append(out, e.Name)
		}
		return out
	}
	ch := make(chan watch.Event, 300)
	for _, w := range []watch.Event{event(watch.Added, "3"), event(watch.Modified, "4"), event(watch.Deleted, "5"), event(watch.Bookmark, "9")} {
		ch <- w
	}
	events, version, more, err := nextBatch(t.Context(), ch)
	require.NoError(t, err)
	require.True(t, more)
	require.Equal(t, []string{"3", "4"}, names(events))
	require.Equal(t, uint64(9), version)

	for range maxBatch + 1 {
		ch <- event(watch.Added, "10")
	}
	events, _, more, err = nextBatch(t.Context(), ch)
	require.NoError(t, err)
	require.True(t, more)
	require.Len(t, events, maxBatch)

	ch <- watch.Event{Type: watch.Error, Object: &metav1.Status{Status: "Failure", Reason: metav1.StatusReasonExpired, Code: 410}}
	events, version, more, err = nextBatch(t.Context(), ch)
	require.ErrorIs(t, gone(err), errGone)
	require.False(t, more)
	require.Len(t, events, 1, "what came before the error counts")
	require.Equal(t, uint64(10), version)

	ch <- event(watch.Added, "11")
	close(ch)
	events, _, more, err = nextBatch(t.Context(), ch)
	require.NoError(t, err)
	require.False(t, more)
	require.Len(t, events, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, _, err = nextBatch(ctx, make(chan watch.Event))
	require.ErrorIs(t, err, context.Canceled)
}

func TestUnsent(t *testing.T) {
	s := &stream{maxAge: time.Hour}
	now := time.Now()
	item := func(name, version string, age time.Duration) corev1.Event {
		return corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: name, UID: "1", ResourceVersion: version}, LastTimestamp: metav1.NewTime(now.Add(-age))}
	}
	items := []corev1.Event{item("new", "30", time.Minute), item("old", "20", 2*time.Hour), item("older", "10", 3*time.Hour)}
	names := func(after uint64, sent ...uint64) (out []string) {
		seen := map[uint64]struct{}{}
		for _, f := range sent {
			seen[f] = struct{}{}
		}
		for _, e := range s.unsent(items, after, seen) {
			out = append(out, e.Name)
		}
		return out
	}
	require.Equal(t, []string{"new"}, names(0), "young enough")
	require.Equal(t, []string{"old", "new"}, names(15), "after the position, however old; the oldest first")
	require.Empty(t, names(30))
	require.Equal(t, []string{"old"}, names(15, fingerprint(&items[0])))
	require.True(t, slices.IsSorted([]uint64{versionOf("x"), versionOf("1")}))
}
