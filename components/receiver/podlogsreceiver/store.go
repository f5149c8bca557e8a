// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"strconv"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// The storage can't list its keys. Containers are spread over a fixed number of them, so that all can be found at the start, and
// an update writes few containers beside those that changed.
const buckets = 256

// startedKey is there after the first start.
const startedKey = "started"

// store holds the checkpoints of all containers. It is safe for concurrent use.
type store struct {
	client storage.Client
	logger *zap.Logger

	mu      sync.Mutex
	buckets [buckets]map[string][]byte // container's key to its checkpoints
	first   bool                       // nothing was stored before this start
}

func openStore(ctx context.Context, host component.Host, id, owner component.ID, logger *zap.Logger) (*store, error) {
	ext, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("storage: there is no extension %q", id)
	}
	of, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %q is no storage", id)
	}
	client, err := of.GetClient(ctx, component.KindReceiver, owner, "")
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	s := &store{client: client, logger: logger}
	if err := s.load(ctx); err != nil {
		_ = client.Close(ctx) // the first error tells more
		return nil, fmt.Errorf("storage: %w", err)
	}
	return s, nil
}

func (s *store) load(ctx context.Context) error {
	started, err := s.client.Get(ctx, startedKey)
	if err != nil {
		return err
	}
	s.first = started == nil
	for i := range s.buckets {
		s.buckets[i] = map[string][]byte{}
		value, err := s.client.Get(ctx, strconv.Itoa(i))
		if err == nil {
			err = parseBucket(value, s.buckets[i])
		}
		if err != nil {
			// The files are read from their beginning again, rather than not at all.
			s.logger.Error("Checkpoints can't be read: files are read again", zap.Int("bucket", i), zap.Error(err))
			clear(s.buckets[i])
		}
	}
	return nil
}

// started notes that the files of the first start are known.
func (s *store) started(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = false
	return s.client.Set(ctx, startedKey, []byte{checkpointVersion})
}

// of returns what is stored of a container.
func (s *store) of(key string) []checkpoint {
	s.mu.Lock()
	value, ok := s.buckets[bucketOf(key)][key]
	s.mu.Unlock()
	if !ok {
		return nil
	}
	list, err := parseCheckpoints(value)
	if err != nil {
		s.logger.Error("Checkpoints can't be read: files are read again", zap.String("container", key), zap.Error(err))
	}
	return list
}

// keys returns the containers that something is stored of.
func (s *store) keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for _, b := range s.buckets {
		for key := range b {
			keys = append(keys, key)
		}
	}
	return keys
}

// update is the new checkpoints of a container; nil removes it.
type update struct {
	key  string
	list []checkpoint
}

// save stores updates, all or none.
func (s *store) save(ctx context.Context, updates []update) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := map[int]struct{}{}
	for _, u := range updates {
		n := bucketOf(u.key)
		changed[n] = struct{}{}
		if len(u.list) == 0 {
			delete(s.buckets[n], u.key)
			continue
		}
		s.buckets[n][u.key] = appendCheckpoints(s.buckets[n][u.key][:0], u.list)
	}
	ops := make([]*storage.Operation, 0, len(changed))
	for n := range changed {
		key := strconv.Itoa(n)
		if len(s.buckets[n]) == 0 {
			ops = append(ops, storage.DeleteOperation(key))
			continue
		}
		ops = append(ops, storage.SetOperation(key, formatBucket(s.buckets[n])))
	}
	return s.client.Batch(ctx, ops...)
}

func bucketOf(key string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // never fails
	return int(h.Sum32() % buckets)
}

// A bucket is a list of keys and values, each behind its length as unsigned varint.
func formatBucket(bucket map[string][]byte) []byte {
	var b []byte
	for key, value := range bucket {
		b = binary.AppendUvarint(b, uint64(len(key)))
		b = append(b, key...)
		b = binary.AppendUvarint(b, uint64(len(value)))
		b = append(b, value...)
	}
	return b
}

func parseBucket(b []byte, bucket map[string][]byte) error {
	next := func() ([]byte, bool) {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, false
		}
		value := b[n : n+int(size)]
		b = b[n+int(size):]
		return value, true
	}
	for len(b) > 0 {
		key, ok := next()
		value, ok2 := next()
		if !ok || !ok2 {
			return errCheckpoint
		}
		bucket[string(key)] = append([]byte(nil), value...)
	}
	return nil
}
