// SPDX-License-Identifier: Apache-2.0

package k8seventsreceiver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	corev1 "k8s.io/api/core/v1"
)

// maxPages is how many pages of an interrupted list are remembered: with pageSize, 200,000 events in 1.6 MB.
const maxPages = 400

// keeper keeps values by key; a storage client is one.
type keeper interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Set(ctx context.Context, key string, value []byte) error
	Delete(ctx context.Context, key string) error
	Close(ctx context.Context) error
}

// memory is a keeper for as long as the process lives.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
}

// Get returns what was set.
func (m *memory) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[key], nil
}

// Set keeps the value.
func (m *memory) Set(_ context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = value
	return nil
}

// Delete forgets the value.
func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values, key)
	return nil
}

// Close has nothing to close.
func (m *memory) Close(context.Context) error { return nil }

// storageClient returns a client of the configured storage extension.
func storageClient(ctx context.Context, host component.Host, id, receiver component.ID) (keeper, error) {
	ext, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("storage: there is no extension %q", id)
	}
	st, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %q is no storage", id)
	}
	return st.GetClient(ctx, component.KindReceiver, receiver, "events")
}

// position is how far the events of a namespace were accepted by the pipeline.
type position struct {
	keeper    keeper
	namespace string
}

// versionPrefix begins the keys of resource versions, sentPrefix those of the pages of a list that goes on.
const (
	versionPrefix = "version/"
	sentPrefix    = "sent/"
)

// version returns 0 when there is none.
func (p position) version(ctx context.Context) (uint64, error) {
	text, err := p.keeper.Get(ctx, versionPrefix+p.namespace)
	if err != nil || len(text) == 0 {
		return 0, err
	}
	v, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		return 0, nil // not ours, or damaged: as if there were none
	}
	return v, nil
}

func (p position) setVersion(ctx context.Context, v uint64) error {
	return p.keeper.Set(ctx, versionPrefix+p.namespace, strconv.AppendUint(nil, v, 10))
}

func (p position) page(i int) string { return fmt.Sprintf("%s%s/%d", sentPrefix, p.namespace, i) }

// sent returns what an interrupted list has sent already, and the number of its pages.
func (p position) sent(ctx context.Context) (map[uint64]struct{}, int, error) {
	out := map[uint64]struct{}{}
	for i := range maxPages {
		text, err := p.keeper.Get(ctx, p.page(i))
		if err != nil {
			return nil, 0, err
		}
		if len(text) == 0 {
			return out, i, nil
		}
		for len(text) >= 8 {
			out[binary.BigEndian.Uint64(text)] = struct{}{}
			text = text[8:]
		}
	}
	return out, maxPages, nil
}

func (p position) addSent(ctx context.Context, page int, events []*corev1.Event) error {
	if page >= maxPages || len(events) == 0 {
		return nil
	}
	var text []byte
	for _, e := range events {
		text = binary.BigEndian.AppendUint64(text, fingerprint(e))
	}
	return p.keeper.Set(ctx, p.page(page), text)
}

// forgetSent is for when the list is complete.
func (p position) forgetSent(ctx context.Context, pages int) error {
	var errs []error
	for i := range min(pages, maxPages) {
		// From the last one: what remains after an interruption has no holes.
		errs = append(errs, p.keeper.Delete(ctx, p.page(min(pages, maxPages)-1-i)))
	}
	return errors.Join(errs...)
}

// fingerprint tells one state of an event from all others.
func fingerprint(e *corev1.Event) uint64 {
	h := fnv.New64a()
	h.Write([]byte(e.UID))
	h.Write([]byte{0})
	h.Write([]byte(e.ResourceVersion))
	return h.Sum64()
}

// versionOf is a resource version as a number, which grows with every change; 0 if it isn't one.
func versionOf(s string) uint64 {
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0
	}
	return v
}
