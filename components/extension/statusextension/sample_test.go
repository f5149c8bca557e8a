// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/k0rdent/kof/internal/status"
)

// hostile is an error in the words of a server that means no good, with a URL that has secrets.
const hostile = `500: <script>document.title="owned"</script><img src=x onerror=alert(1)>"'</td></table> from https://bob:hunter2@vmauth.eu-west-1.example/write?token=s3cret`

// clock is a clock that tests turn.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// world has one lane of every kind. It moves on with each sample.
type world struct {
	clock     *clock
	base      time.Time
	lastError string // of the dead region
}

// refusedSpans are two of the spans that the dropping lane's server refused.
func refusedSpans(context.Context) ([]status.Refused, error) {
	first := status.Refused{
		Time: time.Date(2026, 5, 4, 9, 35, 0, 0, time.UTC), Reason: "rejected", Message: hostile, Items: 1, Format: "otlp", Bytes: 32,
		Record: []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"pay"}]}]}]}`),
	}
	second := first
	second.Reason, second.Bytes, second.Record = "too_large", 100_000, nil
	return []status.Refused{first, second}, nil
}

// lane returns a lane after seconds at so many items accepted and delivered a second.
func (w *world) lane(region, signal, zone string, accepted, delivered int64) status.Lane {
	host := "https://vmauth." + region + ".example"
	endpoint := map[string]string{
		"metrics": host + "/vm/insert/0/prometheus/api/v1/write",
		"logs":    host + "/vli/insert/opentelemetry/v1/logs",
		"traces":  "https://jaeger." + region + ".example:4318/v1/traces",
	}[signal]
	now := w.clock.now()
	seconds := int64(now.Sub(w.base) / time.Second)
	l := status.Lane{
		Exporter: "region", Region: region, Signal: signal, Zone: zone, State: status.StateDelivering, Via: region, Endpoint: endpoint,
		AcceptedItems: 100_000 + accepted*seconds, DeliveredItems: 100_000 + delivered*seconds, DroppedItems: map[string]int64{},
		LastDelivered: now.Add(-time.Second),
	}
	if accepted > 0 && accepted == delivered {
		l.AcceptedItems += accepted // what was accepted in the last second is held
		l.OldestHeld = now.Add(-time.Second)
	}
	l.HeldItems = l.AcceptedItems - l.DeliveredItems
	l.HeldBytes = l.HeldItems * 34
	return l
}

func (w *world) lanes() []status.Lane {
	now := w.clock.now()
	dead := w.lane("ap-south-1", "metrics", "ap", 1200, 0)
	dead.State, dead.LastDelivered, dead.OldestHeld = status.StateRetrying, now.Add(-12*time.Minute), now.Add(-12*time.Minute)
	dead.LastError, dead.LastErrorAt = w.lastError, now.Add(-4*time.Second)

	moved := w.lane("eu-west-1", "logs", "eu", 850, 850)
	moved.State, moved.Via = status.StateFailover, "eu-central-1"
	moved.Endpoint = "https://kof:pass@vmauth.eu-central-1.example/vli/insert/opentelemetry/v1/logs?key=s3cret"
	moved.LastError, moved.LastErrorAt = "dial tcp 192.0.2.7:443: connect: connection refused", now.Add(-3*time.Minute)

	dropping := w.lane("eu-west-1", "traces", "eu", 40, 40)
	seconds := int64(now.Sub(w.base) / time.Second)
	dropping.DroppedItems = map[string]int64{"rejected": 3 * seconds, "too_large": 2}
	dropping.RefusedKept, dropping.Refused = 2, refusedSpans
	dropping.LastError, dropping.LastErrorAt = "HTTP 400: span without a trace ID", now.Add(-9*time.Second)

	catching := w.lane("us-east-1", "metrics", "us", 1000, 1400)
	catching.HeldItems = 2_000_000 - 400*seconds
	catching.HeldBytes, catching.OldestHeld = catching.HeldItems*31, now.Add(-40*time.Minute)

	leaving := w.lane("us-west-2", "logs", "us", 0, 0)
	leaving.State = status.StateDraining
	unknown := status.Lane{
		Exporter: "region", Region: "_unknown", Signal: "logs", State: status.StateHolding, AcceptedItems: 1521, ReleasedItems: 1200, HeldItems: 321,
		HeldBytes: 40_000, OldestHeld: now.Add(-26 * time.Hour),
	}
	idle := status.Lane{Exporter: "region", Region: "_unknown", Signal: "metrics", State: status.StateHolding}
	return []status.Lane{
		dead, w.lane("ap-south-1", "logs", "ap", 300, 300), w.lane("eu-central-1", "metrics", "eu", 2400, 2400), moved, dropping,
		w.lane("eu-west-1", "metrics", "eu", 1900, 1900), catching, leaving, unknown, idle,
	}
}

func sampled(t testing.TB) *statusExtension { return sampledWith(t, hostile) }

// sampledWith returns an extension that has seen the world for six minutes. It isn't started.
func sampledWith(t testing.TB, lastError string) *statusExtension {
	t.Setenv("KOF_NODE_NAME", "node-1")
	c := newClock()
	e := newT(t, c)
	w := &world{clock: c, base: c.now(), lastError: lastError}
	t.Cleanup(e.AddLanes(w.lanes))
	for range 6 * 12 {
		c.advance(sampleInterval)
		e.sample()
	}
	return e
}

func newT(t testing.TB, c *clock) *statusExtension {
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = "127.0.0.1:0"
	set := extensiontest.NewNopSettings(typ)
	set.BuildInfo = component.BuildInfo{Command: "kof-otelcol", Version: "0.1.0"}
	e, err := newStatusExtension(set, cfg, c.now)
	require.NoError(t, err)
	return e
}

// startT starts an extension until the end of the test and returns its URL.
func startT(t testing.TB, e *statusExtension) string {
	require.NoError(t, e.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
	return fmt.Sprintf("http://%s", e.address)
}

// get returns an answer without following redirects or keeping the connection.
func get(t testing.TB, method, url, host, body string) (*http.Response, string) {
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Host, req.Close = host, true
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(text)
}
