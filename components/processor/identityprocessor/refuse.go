// SPDX-License-Identifier: Apache-2.0

package identityprocessor

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/processor"
	otelattribute "go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/processor/identityprocessor/internal/metadata"
	"github.com/k0rdent/kof/internal/status"
)

const (
	// maxSenders bounds the refused senders that are remembered for the status page; the one that came longest ago makes room.
	maxSenders = 32
	// logWindow is how often refusals are logged at most.
	logWindow = time.Minute
)

// refusal refuses telemetry of unknown senders, and remembers them.
type refusal struct {
	set       processor.Settings
	signal    string
	telemetry *metadata.TelemetryBuilder
	labels    metric.MeasurementOption
	now       func() time.Time
	remove    func() // takes the senders off the status page

	mu      sync.Mutex
	senders map[string]*status.Sender // by address, at most maxSenders
	logAt   time.Time                 // when the next refusal is logged
	items   int                       // refused since the last one that was logged
}

func newRefusal(set processor.Settings, signal pipeline.Signal) (*refusal, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	return &refusal{
		set: set, signal: signal.String(), telemetry: telemetry, now: time.Now, senders: map[string]*status.Sender{},
		labels: metric.WithAttributeSet(otelattribute.NewSet(otelattribute.String("signal", signal.String()))),
	}, err
}

// start shows the senders on whatever page there is.
func (r *refusal) start(_ context.Context, host component.Host) error {
	var removes []func()
	for _, ext := range host.GetExtensions() {
		if registry, ok := ext.(status.SenderRegistry); ok {
			removes = append(removes, registry.AddSenders(r.status))
		}
	}
	r.remove = func() {
		for _, remove := range removes {
			remove()
		}
	}
	return nil
}

func (r *refusal) shutdown(context.Context) error {
	if r.remove != nil {
		r.remove()
	}
	return nil
}

// sender returns the address that telemetry came from over the network, "" if it didn't, or if no one is refused.
func (r *refusal) sender(ctx context.Context) string {
	if r == nil {
		return ""
	}
	address := client.FromContext(ctx).Addr
	if address == nil {
		return ""
	}
	text := address.String()
	if host, _, err := net.SplitHostPort(text); err == nil {
		return host
	}
	return text
}

// attributed tells whether it is known whose a resource is, before anything is set for those of which it isn't.
func attributed(resource pcommon.Resource) bool {
	for _, key := range [...]string{attrNamespace, attrTenant, attrRegion} {
		if v, ok := resource.Attributes().Get(key); ok && !isEmpty(v) {
			return true
		}
	}
	return false
}

// refuse counts what is refused and returns the error for the sender. It isn't permanent: the pod of a sender that has just started may be
// known when it tries again.
func (r *refusal) refuse(ctx context.Context, sender string, items int) error {
	r.telemetry.KofIdentityRefusedItems.Add(ctx, int64(items), r.labels)
	if refused, log := r.note(sender, items); log {
		r.set.Logger.Warn("Refused telemetry of a sender that is no pod of this node, as it could be any tenant's. Its address may be translated on the way, or it is in the host's network.",
			zap.String("sender", sender), zap.Int("items_since_last_logged", refused))
	}
	return fmt.Errorf("sender %s: no pod of this node has this address, so it isn't known whose telemetry this is; it is refused", sender)
}

// note remembers a refusal, and tells whether it is to be logged, with all that was refused since the last one.
func (r *refusal) note(sender string, items int) (refused int, log bool) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.senders[sender]
	if s == nil {
		if len(r.senders) >= maxSenders {
			oldest := slices.MinFunc(r.sorted(), func(a, b status.Sender) int { return a.LastRefused.Compare(b.LastRefused) })
			delete(r.senders, oldest.Address)
		}
		s = &status.Sender{Processor: r.set.ID.String(), Signal: r.signal, Address: sender}
		r.senders[sender] = s
	}
	s.RefusedItems += int64(items)
	s.LastRefused = now
	r.items += items
	if now.Before(r.logAt) {
		return 0, false
	}
	refused, r.items, r.logAt = r.items, 0, now.Add(logWindow)
	return refused, true
}

// status returns the senders as they are now, by address.
func (r *refusal) status() []status.Sender {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sorted()
}

func (r *refusal) sorted() []status.Sender {
	out := make([]status.Sender, 0, len(r.senders))
	for _, s := range r.senders {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b status.Sender) int { return cmp.Compare(a.Address, b.Address) })
	return out
}
