// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	claimAge     = 10 * time.Minute // a claim is asked for again after that: it may have grown
	claimRetry   = time.Minute      // one that isn't bound, or couldn't be read
	maxClaims    = 4096             // of one node
	claimBacklog = 256
)

// claim is what pod_pvc_allocation needs of a PersistentVolumeClaim.
type claim struct {
	bytes  float64 // requested
	volume string  // "" while it isn't bound
	shared bool    // may be mounted on several nodes: the cluster's replica sees all of its pods and reports it
}

type claimKey struct{ namespace, name string }

// claimCache knows the claims of the node's pods. Collections never wait for the API server: a claim that isn't known is
// asked for in the background and reported by a later collection.
type claimCache struct {
	client  kubernetes.Interface
	timeout time.Duration
	ask     chan claimKey

	mu      sync.Mutex
	entries map[claimKey]*claimEntry
}

type claimEntry struct {
	claim
	known bool
	due   time.Time // when it is asked for next
}

func newClaimCache(client kubernetes.Interface, timeout time.Duration) *claimCache {
	return &claimCache{client: client, timeout: timeout, ask: make(chan claimKey, claimBacklog), entries: map[claimKey]*claimEntry{}}
}

// get returns the claim if it is known and bound.
func (c *claimCache) get(k claimKey, now time.Time) (claim, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[k]
	if e == nil {
		if len(c.entries) >= maxClaims {
			clear(c.entries)
		}
		e = &claimEntry{}
		c.entries[k] = e
	}
	if !now.Before(e.due) {
		select {
		case c.ask <- k:
			e.due = now.Add(claimRetry)
		default: // many at once: the next collection asks for the rest
		}
	}
	return e.claim, e.known && e.volume != ""
}

func (c *claimCache) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case k := <-c.ask:
			c.fetch(ctx, k)
		}
	}
}

func (c *claimCache) fetch(ctx context.Context, k claimKey) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	pvc, err := c.client.CoreV1().PersistentVolumeClaims(k.namespace).Get(ctx, k.name, metav1.GetOptions{})
	if err != nil {
		return // asked for again when it is due
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[k]; e != nil {
		e.claim, e.known = costClaim(pvc), true
		if e.volume != "" {
			e.due = e.due.Add(claimAge - claimRetry)
		}
	}
}

func costClaim(pvc *corev1.PersistentVolumeClaim) claim {
	out := claim{volume: pvc.Spec.VolumeName, bytes: pvc.Spec.Resources.Requests.Storage().AsApproximateFloat64()}
	for _, m := range pvc.Spec.AccessModes {
		out.shared = out.shared || m == corev1.ReadWriteMany || m == corev1.ReadOnlyMany
	}
	return out
}
