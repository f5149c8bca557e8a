// SPDX-License-Identifier: Apache-2.0

package regions

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
)

// Cache remembers which Regions count: to check a directory of hundreds for each cluster would cost too much.
type Cache struct {
	mu   sync.Mutex
	key  string // of the Regions that last was made of
	last *Set
}

// Load returns which of the Regions count that a reader has.
func (c *Cache) Load(ctx context.Context, reader client.Reader) (*Set, error) {
	var list v1beta1.RegionList
	if err := reader.List(ctx, &list); err != nil {
		return nil, err
	}
	items := InOrder(list.Items)
	var key strings.Builder
	for _, r := range items {
		fmt.Fprintf(&key, "%s/%d ", r.UID, r.Generation)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil || c.key != key.String() {
		c.last, c.key = Accept(items), key.String()
	}
	return c.last, nil
}
