// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/k8sleaderelector"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"k8s.io/client-go/kubernetes"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/metadata"
)

// clusterReceiver prices what exists once per cluster, while it leads.
type clusterReceiver struct {
	settings  receiver.Settings
	config    *Config
	next      consumer.Metrics
	telemetry *metadata.TelemetryBuilder
	pricer    *pricer
	client    kubernetes.Interface
	now       func() time.Time

	stop context.CancelFunc // ends everything
	wg   sync.WaitGroup

	mu      sync.Mutex
	leading *term // nil while another replica leads
}

// term is the time from winning to losing the lead.
type term struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func newClusterReceiver(set receiver.Settings, c *Config, next consumer.Metrics) (*clusterReceiver, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &clusterReceiver{settings: set, config: c, next: next, telemetry: telemetry, now: time.Now}, nil
}

// Start joins the election, or begins at once where none is configured.
func (r *clusterReceiver) Start(_ context.Context, host component.Host) (err error) {
	if r.client, err = newKubernetesClient(r.config.Kubernetes); err != nil {
		return err
	}
	if r.pricer, err = newPricer(r.config, r.settings.Logger); err != nil {
		return err
	}
	var election k8sleaderelector.LeaderElection
	if id := r.config.LeaderElector; id != nil {
		ext, ok := host.GetExtensions()[*id]
		if !ok {
			return fmt.Errorf("k8s_leader_elector: there is no extension %q", id)
		}
		if election, ok = ext.(k8sleaderelector.LeaderElection); !ok {
			return fmt.Errorf("k8s_leader_elector: extension %q is no leader election", id)
		}
	}
	run, cancel := context.WithCancel(context.Background()) // Start's own context ends when it returns
	r.stop = cancel
	r.wg.Go(func() { r.pricer.watch(run, func() {}) }) // every cycle takes the prices in force
	if election == nil {
		r.lead(run)
		return nil
	}
	election.SetCallBackFuncs(func(context.Context) { r.lead(run) }, r.follow)
	return nil
}

// lead begins a term. The extension calls it again after every lost and won election.
func (r *clusterReceiver) lead(run context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leading != nil || run.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(run)
	t := &term{cancel: cancel, done: make(chan struct{})}
	r.leading = t
	go func() {
		defer close(t.done)
		r.run(ctx)
	}()
}

// follow ends the term and returns when nothing is sent any more: the next leader may begin.
func (r *clusterReceiver) follow() {
	r.mu.Lock()
	t := r.leading
	r.leading = nil
	r.mu.Unlock()
	if t != nil {
		t.cancel()
		<-t.done
	}
}

// Shutdown ends all goroutines.
func (r *clusterReceiver) Shutdown(context.Context) error {
	if r.stop != nil {
		r.stop()
	}
	r.follow()
	r.wg.Wait()
	return nil
}

// run watches and collects for one term. Counters begin anew with every term: the leader between has charged its own time.
func (r *clusterReceiver) run(ctx context.Context) {
	objects := newObjects(r.client, r.config)
	objects.start(ctx)
	defer objects.wg.Wait()
	c := newCollection(r.config, r.pricer, objects)
	wait := time.NewTimer(0)
	defer wait.Stop()
	deadline := time.Now().Add(r.config.Kubernetes.Timeout)
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		synced := objects.synced()
		if !synced && time.Now().Before(deadline) {
			wait.Reset(min(firstTry, r.config.CollectionInterval))
			continue
		}
		wait.Reset(r.config.CollectionInterval)
		if !synced {
			r.unsynced(ctx)
			continue
		}
		r.collect(ctx, c)
	}
}

// unsynced reports that there is nothing to report yet: half of the objects would look like savings.
func (r *clusterReceiver) unsynced(ctx context.Context) {
	r.telemetry.OpencostCollectionErrors.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", "api")))
	r.settings.Logger.Warn("The API server hasn't told all objects yet: a gap. Is it reachable, and may the ServiceAccount list and watch them?")
	b := &batcher{now: r.now(), cluster: r.config.Cluster, send: func(md pmetric.Metrics) { _ = r.next.ConsumeMetrics(ctx, md) }}
	b.gauge(collectionOK, 0, 0)
	b.flush()
}

func (r *clusterReceiver) collect(ctx context.Context, c *collection) {
	begin := time.Now()
	c.emit(r.now(), func(md pmetric.Metrics) {
		if err := r.next.ConsumeMetrics(ctx, md); err != nil && ctx.Err() == nil {
			r.telemetry.OpencostCollectionErrors.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", "consumer")))
			r.settings.Logger.Warn("Metrics were refused", zap.Error(err))
		}
	})
	r.telemetry.OpencostPriceProblems.Record(ctx, r.pricer.problems.Load())
	r.telemetry.OpencostCollectionDuration.Record(ctx, time.Since(begin).Seconds())
}
