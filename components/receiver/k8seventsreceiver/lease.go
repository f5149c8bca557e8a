// SPDX-License-Identifier: Apache-2.0

package k8seventsreceiver

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// positionAnnotation of the Lease holds resource versions by key, as JSON.
const positionAnnotation = "kof.k0rdent.mirantis.com/k8s-events-position"

// leaseInterval is how often the Lease is written at most.
const leaseInterval = 5 * time.Second

// leaseKeeper keeps the positions in an annotation of a Lease, where the next leader finds them on any node. Pages of a list
// that goes on are not kept.
type leaseKeeper struct {
	client  kubernetes.Interface
	config  PositionLeaseConfig
	timeout time.Duration

	mu      sync.Mutex
	waiting map[string]uint64 // not written yet
	lower   map[string]bool   // keys whose value may become lower
	written time.Time
}

func newLeaseKeeper(client kubernetes.Interface, c *Config) *leaseKeeper {
	return &leaseKeeper{client: client, config: c.PositionLease, timeout: c.Timeout, waiting: map[string]uint64{}, lower: map[string]bool{}}
}

// Get asks the API server.
func (k *leaseKeeper) Get(ctx context.Context, key string) ([]byte, error) {
	if !strings.HasPrefix(key, versionPrefix) {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	lease, err := k.client.CoordinationV1().Leases(k.config.Namespace).Get(ctx, k.config.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("position_lease: %w", err)
	}
	if v := versionsOf(lease)[key]; v > 0 {
		return fmt.Append(nil, v), nil
	}
	return nil, nil
}

// Set writes when the interval has passed; flush writes the rest.
func (k *leaseKeeper) Set(ctx context.Context, key string, value []byte) error {
	if !strings.HasPrefix(key, versionPrefix) {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.waiting[key] = versionOf(string(value))
	if time.Since(k.written) < leaseInterval {
		return nil
	}
	return k.write(ctx)
}

// Delete lets the next value be lower than the one before.
func (k *leaseKeeper) Delete(_ context.Context, key string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lower[key] = true
	return nil
}

// Close does nothing: a term's end has flushed.
func (k *leaseKeeper) Close(context.Context) error { return nil }

func (k *leaseKeeper) flush(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.waiting) == 0 {
		return nil
	}
	return k.write(ctx)
}

func (k *leaseKeeper) write(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	k.written = time.Now() // also after a failure: the interval bounds the tries
	leases := k.client.CoordinationV1().Leases(k.config.Namespace)
	// The leader before may still write: what is there is only raised.
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		lease, err := leases.Get(ctx, k.config.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: k.config.Name, Namespace: k.config.Namespace}}
			k.merge(lease)
			_, err = leases.Create(ctx, lease, metav1.CreateOptions{})
			return err
		}
		if err != nil || !k.merge(lease) {
			return err
		}
		_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("position_lease: %w", err)
	}
	clear(k.waiting)
	clear(k.lower)
	return nil
}

// merge puts what waits into the annotation and tells whether that changed it.
func (k *leaseKeeper) merge(lease *coordinationv1.Lease) bool {
	versions := versionsOf(lease)
	changed := false
	for key, v := range k.waiting {
		if v > versions[key] || v < versions[key] && k.lower[key] {
			versions[key], changed = v, true
		}
	}
	text, err := json.Marshal(versions)
	if err != nil {
		return false // numbers by name always marshal
	}
	if lease.Annotations == nil {
		lease.Annotations = map[string]string{}
	}
	lease.Annotations[positionAnnotation] = string(text)
	return changed
}

func versionsOf(lease *coordinationv1.Lease) map[string]uint64 {
	out := map[string]uint64{}
	if json.Unmarshal([]byte(lease.Annotations[positionAnnotation]), &out) != nil || out == nil {
		return map[string]uint64{}
	}
	return out
}
