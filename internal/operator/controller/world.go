// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/regions"
)

// world remembers which Regions count: to check a directory of hundreds for each cluster would cost too much.
type world struct {
	mu   sync.Mutex
	key  string // of the Regions that last was made of
	last *regions.Set
}

func (w *world) load(ctx context.Context, reader client.Reader) (*regions.Set, error) {
	var list v1beta1.RegionList
	if err := reader.List(ctx, &list); err != nil {
		return nil, err
	}
	items := regions.InOrder(list.Items)
	var key strings.Builder
	for _, r := range items {
		fmt.Fprintf(&key, "%s/%d ", r.UID, r.Generation)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil || w.key != key.String() {
		w.last, w.key = regions.Accept(items), key.String()
	}
	return w.last, nil
}
