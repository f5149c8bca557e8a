// SPDX-License-Identifier: Apache-2.0

package k8seventsreceiver

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/k8sleaderelector"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/k0rdent/kof/components/receiver/k8seventsreceiver/internal/metadata"
)

// eventsReceiver sends events while it leads.
type eventsReceiver struct {
	settings receiver.Settings
	config   *Config
	sender   *sender

	client kubernetes.Interface
	http   *http.Client
	keeper keeper
	stop   context.CancelFunc

	mu      sync.Mutex
	leading *term // nil while another replica leads
}

// term is the time from winning to losing the lead.
type term struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func newEventsReceiver(set receiver.Settings, c *Config, next consumer.Logs) (*eventsReceiver, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	s := &sender{next: next, telemetry: telemetry, settings: set, minPause: minPause}
	return &eventsReceiver{settings: set, config: c, sender: s}, nil
}

// Start joins the election, or begins at once where none is configured. It doesn't wait for the API server.
func (r *eventsReceiver) Start(ctx context.Context, host component.Host) (err error) {
	if r.client, r.http, err = newClient(r.config); err != nil {
		return err
	}
	if r.keeper, err = r.newKeeper(ctx, host); err != nil {
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
	if election == nil {
		r.lead(run)
		return nil
	}
	election.SetCallBackFuncs(func(context.Context) { r.lead(run) }, r.follow)
	return nil
}

func (r *eventsReceiver) newKeeper(ctx context.Context, host component.Host) (keeper, error) {
	switch {
	case r.config.Storage != nil:
		return storageClient(ctx, host, *r.config.Storage, r.settings.ID)
	case r.config.PositionLease.Name != "":
		return newLeaseKeeper(r.client, r.config), nil
	default:
		return &memory{values: map[string][]byte{}}, nil
	}
}

// lead begins a term. The extension calls it again after every lost and won election.
func (r *eventsReceiver) lead(run context.Context) {
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

// follow ends the term and returns when nothing is sent any more and the position is kept: the next leader may begin.
func (r *eventsReceiver) follow() {
	r.mu.Lock()
	t := r.leading
	r.leading = nil
	r.mu.Unlock()
	if t != nil {
		t.cancel()
		<-t.done
	}
}

// flushTime is how long the end of a term may take because of an API server that doesn't answer.
const flushTime = 5 * time.Second

// run watches all namespaces for one term.
func (r *eventsReceiver) run(ctx context.Context) {
	namespaces := r.config.Namespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	var wg sync.WaitGroup
	for _, ns := range namespaces {
		s := &stream{
			sender: r.sender, client: r.client.CoreV1().Events(ns), position: position{r.keeper, ns}, maxAge: r.config.MaxAge,
			timeout: r.config.Timeout, logger: r.settings.Logger.With(zap.String("namespace", ns)),
		}
		wg.Go(func() { s.run(ctx) })
	}
	wg.Wait()
	if k, ok := r.keeper.(*leaseKeeper); ok {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
		defer cancel()
		if err := k.flush(ctx); err != nil {
			r.settings.Logger.Warn("The position couldn't be kept: the next leader may send some events again", zap.Error(err))
		}
	}
}

// Shutdown ends all goroutines.
func (r *eventsReceiver) Shutdown(ctx context.Context) error {
	if r.stop != nil {
		r.stop()
	}
	r.follow()
	if r.http != nil {
		r.http.CloseIdleConnections()
	}
	if r.keeper != nil {
		keeper := r.keeper
		r.keeper = nil
		return keeper.Close(ctx)
	}
	return nil
}
