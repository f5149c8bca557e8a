// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
	"k8s.io/client-go/kubernetes"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/kubelet"
	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/metadata"
	"github.com/k0rdent/kof/internal/cost"
)

// nodeReceiver prices one node and its pods.
type nodeReceiver struct {
	settings  receiver.Settings
	config    *Config
	next      consumer.Metrics
	telemetry *metadata.TelemetryBuilder
	pricer    *pricer
	now       func() time.Time // replaced by tests that run a day in a second

	kubelet *kubelet.Client
	claims  *claimCache
	store   storage.Client

	mu        sync.Mutex // guards what follows
	node      *cost.Node // nil until the API server told
	price     cost.NodePrice
	meter     *cost.Meter
	guard     cost.OutlierGuard
	samples   []sample
	buffer    []cost.Sample
	vectors   []float64
	claimants map[claimKey]int  // running pods of the node by claim
	uids      map[string]string // pods of the node by name, for compat

	saveFailed bool
	cancel     context.CancelFunc
	wg         sync.WaitGroup
}

func newNodeReceiver(set receiver.Settings, c *Config, next consumer.Metrics) (*nodeReceiver, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &nodeReceiver{settings: set, config: c, next: next, telemetry: telemetry, now: time.Now}, nil
}

// Start begins to watch the node and to collect. It waits for nothing that is far away.
func (r *nodeReceiver) Start(ctx context.Context, host component.Host) error {
	client, err := newKubernetesClient(r.config.Kubernetes)
	if err != nil {
		return err
	}
	if r.store, err = storageClient(ctx, host, r.config.Storage, r.settings.ID); err != nil {
		return err
	}
	if err := r.prepare(ctx, client); err != nil {
		return err
	}
	run, cancel := context.WithCancel(context.Background()) // Start's own context ends when it returns
	r.cancel = cancel
	r.wg.Go(func() { watchNode(run, client, r.config.Node, r.setNode, r.settings.Logger) })
	r.wg.Go(func() { r.pricer.watch(run, r.reprice) })
	r.wg.Go(func() { r.claims.run(run) })
	r.wg.Go(func() { r.loop(run) })
	return nil
}

// prepare makes everything that runs, without starting it.
func (r *nodeReceiver) prepare(ctx context.Context, client kubernetes.Interface) (err error) {
	if r.pricer, err = newPricer(r.config, r.settings.Logger); err != nil {
		return err
	}
	k := r.config.Kubelet
	r.kubelet, err = kubelet.NewClient(kubelet.Options{
		Endpoint: k.Endpoint, CAFile: k.CAFile, InsecureSkipVerify: k.InsecureSkipVerify, TokenFile: k.TokenFile,
		CertFile: k.CertFile, KeyFile: k.KeyFile, Timeout: k.Timeout,
	})
	if err != nil {
		return err
	}
	r.claims = newClaimCache(client, r.config.Kubernetes.Timeout)
	r.claimants, r.uids = map[claimKey]int{}, map[string]string{}
	r.meter = cost.NewMeter(r.config.MaxGap)
	r.meter.Unscaled = r.config.Compat == compatOpenCost
	r.restore(ctx)
	return nil
}

// Shutdown ends all goroutines. The state is saved at every collection, so there is nothing left to save.
func (r *nodeReceiver) Shutdown(ctx context.Context) error {
	if r.cancel != nil {
		r.cancel()
	}
	r.wg.Wait()
	if r.kubelet != nil {
		r.kubelet.Close()
	}
	if r.store != nil {
		return r.store.Close(ctx)
	}
	return nil
}

// firstTry is how soon the first collection is tried again while the API server hasn't told the node yet.
const firstTry = 200 * time.Millisecond

func (r *nodeReceiver) loop(ctx context.Context) {
	wait := time.NewTimer(0)
	defer wait.Stop()
	deadline := r.now().Add(r.config.Kubernetes.Timeout)
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		if !r.hasNode() && r.now().Before(deadline) {
			wait.Reset(min(firstTry, r.config.CollectionInterval))
			continue
		}
		wait.Reset(r.config.CollectionInterval)
		r.collectAndSend(ctx)
	}
}

func (r *nodeReceiver) hasNode() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.node != nil
}

// setNode takes what the API server says about the node; its prices count from now on.
func (r *nodeReceiver) setNode(n *cost.Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.node = n
	r.repriceLocked(r.now())
}

// reprice is called when the price files have changed.
func (r *nodeReceiver) reprice() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.repriceLocked(r.now())
}

func (r *nodeReceiver) repriceLocked(now time.Time) {
	if r.node == nil {
		return
	}
	old := r.price.Problems
	r.price = r.pricer.resolver.Load().Node(r.node, now)
	r.meter.SetRates(now, r.price.Rates(r.config.Prices.currency()))
	for i, p := range r.price.Problems {
		if i >= len(old) || old[i] != p {
			r.settings.Logger.Warn("Override on the node can't be used", zap.String("problem", p))
		}
	}
}
