// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/kubelet"
	"github.com/k0rdent/kof/internal/cost"
)

// sample is one container of the collection at hand, beside its cost.Sample.
type sample struct {
	pod       *kubelet.Pod
	container *kubelet.Container
	last      bool // the last of its pod
}

var errNoNode = errors.New("the API server hasn't told the node yet")

func (r *nodeReceiver) failed(reason string) {
	r.telemetry.OpencostCollectionErrors.Add(context.Background(), 1, metric.WithAttributes(attribute.String("reason", reason)))
}

// collectAndSend makes one collection. What fails leaves a gap: only the success metric and the node's prices, which don't
// depend on the kubelet, are sent then.
func (r *nodeReceiver) collectAndSend(ctx context.Context) {
	begin := time.Now()
	md, err := r.collect(ctx)
	if ctx.Err() != nil {
		return // the end, not a failure
	}
	if err != nil {
		r.settings.Logger.Warn("Costs can't be collected: a gap, made up for by the next collection", zap.Error(err))
	}
	if md.DataPointCount() > 0 {
		if err := r.next.ConsumeMetrics(ctx, md); err != nil {
			r.failed("consumer")
			r.settings.Logger.Warn("Metrics were refused", zap.Error(err))
		}
	}
	r.telemetry.OpencostPriceProblems.Record(ctx, r.pricer.problems.Load()+r.overrideProblems())
	r.telemetry.OpencostCollectionDuration.Record(ctx, time.Since(begin).Seconds())
}

func (r *nodeReceiver) overrideProblems() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int64(len(r.price.Problems))
}

// collect asks the kubelet and charges the time since the last collection.
func (r *nodeReceiver) collect(ctx context.Context) (pmetric.Metrics, error) {
	if !r.hasNode() {
		r.failed("node")
		return r.emitFailure(), errNoNode
	}
	pods, err := r.kubelet.Pods(ctx)
	if err != nil {
		r.failed("kubelet_pods")
		return r.emitFailure(), err
	}
	now := r.now()
	usage, err := r.kubelet.Usage(ctx, now)
	if err != nil {
		// Requests alone would look like savings.
		r.failed("kubelet_usage")
		return r.emitFailure(), err
	}
	md, state := r.account(pods, usage, now)
	if state != nil {
		r.save(ctx, state)
	}
	return md, nil
}

func (r *nodeReceiver) account(pods []kubelet.Pod, usage map[kubelet.ContainerID]*kubelet.Usage, now time.Time) (pmetric.Metrics, []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sample(pods, usage)
	charges := r.meter.Observe(now, r.buffer)
	md := r.emit(now, charges)
	if r.store == nil {
		return md, nil
	}
	state, err := r.meter.MarshalState(r.config.Node)
	if err != nil {
		r.failed("storage")
		return md, nil
	}
	return md, state
}

// sample fills the samples of all containers that are active or have been since the last collection.
func (r *nodeReceiver) sample(pods []kubelet.Pod, usage map[kubelet.ContainerID]*kubelet.Usage) {
	clear(r.samples)
	r.samples, r.buffer = r.samples[:0], r.buffer[:0]
	resources := r.meter.Resources()
	count := 0
	clear(r.claimants)
	clear(r.uids)
	for i := range pods {
		r.uids[pods[i].Name] = pods[i].UID
		count += len(pods[i].Containers)
		if pods[i].Phase == "Running" {
			for _, name := range pods[i].Claims {
				r.claimants[claimKey{pods[i].Namespace, name}]++
			}
		}
	}
	if need := count * len(resources); cap(r.vectors) < need {
		r.vectors = make([]float64, need)
	}
	r.vectors = r.vectors[:0]
	last := r.meter.Last()
	for i := range pods {
		p := &pods[i]
		first := len(r.samples)
		for j := range p.Containers {
			c := &p.Containers[j]
			s, ok := activity(p, c)
			if !ok || !s.To.IsZero() && (last.IsZero() || s.To.Before(last)) {
				continue
			}
			s.Key = p.UID + "/" + c.Name
			at := len(r.vectors)
			r.vectors = r.vectors[:at+len(resources)]
			s.Request = r.vectors[at:]
			r.request(c, s.Request, resources)
			if u := usage[kubelet.ContainerID{Namespace: p.Namespace, Pod: p.Name, Container: c.Name}]; u != nil && c.Running {
				s.CPUSeconds, s.CPUAt, s.MemoryGiB = u.CPUSeconds, u.CPUAt, u.Memory/cost.GiB
			}
			r.samples = append(r.samples, sample{pod: p, container: c})
			r.buffer = append(r.buffer, s)
		}
		if len(r.samples) > first {
			r.samples[len(r.samples)-1].last = true
		}
	}
}

// activity says from when to when a container holds its requests. Regular containers and sidecars hold them as long as
// their pod runs, between restarts too; an init container from its start to its end.
func activity(p *kubelet.Pod, c *kubelet.Container) (cost.Sample, bool) {
	if c.Started.IsZero() {
		return cost.Sample{}, false
	}
	s := cost.Sample{From: c.Started, Run: c.Started}
	if !c.Earlier.IsZero() && c.Earlier.Before(s.From) {
		s.From = c.Earlier
	}
	holds := p.Phase == "Running" && c.Kind != kubelet.Init
	if !c.Running && !holds {
		s.To = c.Finished
		return s, !s.To.IsZero()
	}
	return s, true
}

// request fills the vector of a container's requests, in the meter's units.
func (r *nodeReceiver) request(c *kubelet.Container, to []float64, resources []string) {
	clear(to)
	for _, q := range c.Requests {
		switch q.Resource {
		case "cpu":
			to[cost.CPU] = q.Value
		case "memory":
			to[cost.RAM] = q.Value / cost.GiB
		default:
			for i := cost.GPU + 1; i < len(resources); i++ {
				if resources[i] == q.Resource {
					to[i] = q.Value
				}
			}
		}
	}
	if r.price.GPUs.Physical == 0 {
		return
	}
	to[cost.GPU] = cost.GPURequest(quantities(c.Requests), quantities(c.Limits))
	if r.config.Compat != compatOpenCost {
		to[cost.GPU] *= r.price.GPUs.PerUnit()
	}
}

// quantities reads a resource out of a container's list.
type quantities []kubelet.Quantity

// Get returns 0 for what isn't in the list.
func (q quantities) Get(resource string) float64 {
	for i := range q {
		if q[i].Resource == resource {
			return q[i].Value
		}
	}
	return 0
}
