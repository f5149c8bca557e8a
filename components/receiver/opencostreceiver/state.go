// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// stateKey is the key of the counters' state in the storage extension.
const stateKey = "meter"

// storageClient returns the client of the configured storage extension, nil if none is configured.
func storageClient(ctx context.Context, host component.Host, id *component.ID, owner component.ID) (storage.Client, error) {
	if id == nil {
		return nil, nil
	}
	ext, ok := host.GetExtensions()[*id]
	if !ok {
		return nil, fmt.Errorf("storage: there is no extension %q", id)
	}
	store, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %q is no storage", id)
	}
	return store.GetClient(ctx, component.KindReceiver, owner, "")
}

// restore continues the counters where the run before left them. State that can't be used is left aside: the counters
// then start from zero, which increase() takes for the reset that it is.
func (r *nodeReceiver) restore(ctx context.Context) {
	if r.store == nil {
		return
	}
	raw, err := r.store.Get(ctx, stateKey)
	if err == nil && raw != nil {
		err = r.meter.UnmarshalState(raw, r.config.Node, r.now())
	}
	if err != nil {
		r.failed("storage")
		r.settings.Logger.Warn("Cost counters start from zero", zap.Error(err))
	}
}

// save stores the counters as of the collection that was just made.
func (r *nodeReceiver) save(ctx context.Context, raw []byte) {
	if r.store == nil {
		return
	}
	err := r.store.Set(ctx, stateKey, raw)
	if err != nil {
		r.failed("storage")
	}
	if err != nil && !r.saveFailed {
		r.settings.Logger.Error("Cost counters can't be stored: after a restart they start from an older state", zap.Error(err))
	}
	r.saveFailed = err != nil
}
