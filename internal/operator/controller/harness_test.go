// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/controller"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/test/management"
)

const (
	system = "kcm-system"
	wait   = 60 * time.Second
	tick   = 50 * time.Millisecond
)

// namespaces of the tests.
var namespaces = management.Namespaces

// api is a control plane with every CRD.
type api struct{ *management.Cluster }

func newAPI(t *testing.T) *api {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	ctrl.SetLogger(logr.Discard())
	return &api{management.StartT(t)}
}

// operator is a running one with a clock that can be set on.
type operator struct {
	*api
	ahead  atomic.Int64
	writes atomic.Int64 // requests that aren't reads
	stop   func()
}

// counted counts an operator's writes.
type counted struct {
	http.RoundTripper
	writes *atomic.Int64
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		c.writes.Add(1)
	}
	return c.RoundTripper.RoundTrip(r)
}

func (a *api) options() controller.Options {
	o := controller.Default()
	o.SystemNamespace, o.CollectorsTemplate, o.StorageTemplate = system, "kof-collectors-1-0-0", "kof-storage-1-0-0"
	return o
}

// start runs an operator until the end of the test, or of stop.
func (a *api) start(t *testing.T) *operator {
	t.Helper()
	return a.startServing(t, controller.Serving{})
}

func (a *api) startServing(t *testing.T, s controller.Serving) *operator {
	t.Helper()
	op := &operator{api: a}
	o := a.options()
	o.Now = func() time.Time { return time.Now().Add(time.Duration(op.ahead.Load())) }
	config := rest.CopyConfig(a.OperatorUser)
	config.QPS = -1
	config.Wrap(func(rt http.RoundTripper) http.RoundTripper { return counted{rt, &op.writes} })
	s.MetricsAddress, s.HealthAddress, s.SeveralInProcess, s.Namespaces = "0", "0", true, namespaces
	mgr, err := controller.NewManager(config, o, s)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	require.NoError(t, controller.Setup(ctx, mgr, o))
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	stopped := false
	op.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-done)
			mgr.GetHTTPClient().CloseIdleConnections()
		}
	}
	t.Cleanup(op.stop)
	return op
}

// later sets the operator's clock on and has it look at a cluster and at all regions again.
func (op *operator) later(t *testing.T, d time.Duration, cds ...client.ObjectKey) {
	t.Helper()
	op.ahead.Add(int64(d))
	for _, key := range cds {
		op.annotate(t, &kcm.ClusterDeployment{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}, "test/poke", time.Now().String())
	}
	var list v1beta1.RegionList
	require.NoError(t, op.List(t.Context(), &list))
	for i := range list.Items {
		op.annotate(t, &list.Items[i], "test/poke", time.Now().String())
	}
}

func (a *api) annotate(t *testing.T, o client.Object, key, value string) {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{key: value}}})
	require.NoError(t, err)
	require.NoError(t, a.Patch(t.Context(), o, client.RawPatch("application/merge-patch+json", patch)))
}
