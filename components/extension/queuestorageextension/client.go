// SPDX-License-Identifier: Apache-2.0

package queuestorageextension

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/internal/segmentlog"
)

// client is the storage of one component. Contexts are not looked at: an operation doesn't wait for anything but the
// disk, and one that a caller gave up on could be stored all the same.
type client struct {
	name    string
	log     *segmentlog.Log
	owner   *queueStorage
	logger  *zap.Logger
	failing bool // only used by maintain
}

var _ storage.Client = (*client)(nil)

// Get returns the value of the key, nil if it isn't there.
func (c *client) Get(_ context.Context, key string) ([]byte, error) {
	value, err := c.log.Get(key)
	return value, c.named(err)
}

// Set stores the value.
func (c *client) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

// Delete removes the key if it is there.
func (c *client) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

// Batch carries out the operations in order and as one; see segmentlog.Log.Batch.
func (c *client) Batch(_ context.Context, ops ...*storage.Operation) error {
	return c.named(c.log.Batch(ops...))
}

func (c *client) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("queue_storage client %s: %w", c.name, err)
}

// Close syncs and closes the storage. Closing again does nothing.
func (c *client) Close(context.Context) error { return c.close() }

func (c *client) close() error {
	c.owner.mu.Lock()
	current := c.owner.clients[c.name] == c
	if current {
		c.owner.clients[c.name] = nil // nobody else may open the folder meanwhile
	}
	c.owner.mu.Unlock()
	if !current {
		return nil
	}
	disk := c.log.Stats().DiskBytes
	err := c.log.Close()
	c.owner.mu.Lock()
	defer c.owner.mu.Unlock()
	delete(c.owner.clients, c.name)
	c.owner.setUnclaimed(c.name, disk)
	return c.named(err)
}

// maintain tells of a failure once, and once when it is over.
func (c *client) maintain() {
	err := c.log.Maintain()
	switch {
	case err != nil && !c.failing:
		c.logger.Error("Could not sync the storage; a loss of power would take what was written since, and disk is not given back", zap.Error(err))
	case err == nil && c.failing:
		c.logger.Info("Syncing the storage works again")
	}
	c.failing = err != nil
}
