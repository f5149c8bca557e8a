// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// MaxBatchBytes bounds one Batch: its keys and values together.
const MaxBatchBytes = maxRecordBytes / 2

// request is a Batch on its way.
type request struct {
	ops    []*storage.Operation
	keys   []key // of ops
	head   *[]byte
	values [][]byte
	sums   []uint32 // checksum of every value that is set
	info   recordHead
	writes bool

	maintenance bool   // may use what is kept back for draining
	pins        uint32 // as in segment, of deletes that are copied
	claimed     int64  // of the Budget
	offset      int64
	reads       []pendingRead
	done        bool // guarded by Log.commitMu
	err         error
}

// pendingRead is a Get whose place is known and whose segment is held.
type pendingRead struct {
	op      *storage.Operation
	segment *segment
	loc     location
}

// heads are reused: they are small and every Batch needs one.
var heads = sync.Pool{New: func() any { b := make([]byte, 0, 512); return &b }}

// newRequest checks and encodes the operations, which is what can be done before the place in the log is known.
func newRequest(ops []*storage.Operation) (*request, error) {
	r := &request{ops: ops, keys: make([]key, len(ops)), head: heads.Get().(*[]byte)}
	b := append((*r.head)[:0], make([]byte, recordHeader)...)
	var total int64
	for i := 0; i < len(ops); i++ {
		k, err := newKey(ops[i].Key)
		if err != nil {
			return nil, err
		}
		r.keys[i] = k
		switch ops[i].Type {
		case storage.Get:
			continue
		case storage.Set:
			total += int64(len(ops[i].Value))
			if total+int64(len(b)) > MaxBatchBytes {
				return nil, fmt.Errorf("%w: batch has more than %d bytes", ErrInvalid, MaxBatchBytes)
			}
			sum := checksum(ops[i].Value)
			r.sums = append(r.sums, sum)
			b = appendSet(b, k, uint32(len(ops[i].Value)), sum)
			if len(ops[i].Value) > 0 {
				r.values = append(r.values, ops[i].Value)
			}
		case storage.Delete:
			if k.name != "" {
				b = appendDeleteName(b, k.name)
				break
			}
			// Deletes of neighbours, as a queue has them, become one entry.
			span := keyRange{k.num, k.num}
			for i+1 < len(ops) && ops[i+1].Type == storage.Delete {
				next, ok := parseNumber(ops[i+1].Key)
				if !ok || next == 0 || next-1 != span.last {
					break
				}
				i++
				r.keys[i], span.last = key{num: next}, next
			}
			b = appendDeleteRange(b, span)
		default:
			return nil, fmt.Errorf("%w: unknown type %d", ErrInvalid, ops[i].Type)
		}
		r.info.entries++
	}
	if len(b) > MaxBatchBytes {
		return nil, fmt.Errorf("%w: batch has more than %d bytes", ErrInvalid, MaxBatchBytes)
	}
	r.writes = r.info.entries > 0
	r.seal(b, total)
	return r, nil
}

func (r *request) seal(b []byte, values int64) {
	*r.head = b
	r.info.magic = recordMagic
	r.info.meta = uint32(len(b) - recordHeader)
	r.info.values = uint32(values)
	r.info.metaCRC = checksum(b[recordHeader:])
}

func (r *request) free() {
	if cap(*r.head) <= windowBytes {
		heads.Put(r.head)
	}
	r.head, r.values = nil, nil
}

// Batch carries out the operations in order and as one: other batches see all of it or nothing, and so does the log
// when it is opened after a crash. Gets are answered in place, nil for a key that isn't there. When it returns nil, the
// sets and deletes are stored as Options.Sync says; what the caller passed may then be changed. After an error of a
// sync, or of a Get in a batch that also writes, the sets and deletes may or may not be stored.
//
// The error matches ErrQuotaExceeded, ErrDiskFull, ErrInvalid, ErrCorrupt or ErrClosed, or is one of the file system.
func (l *Log) Batch(ops ...*storage.Operation) error {
	r, err := newRequest(ops)
	if err != nil {
		return err
	}
	defer r.free()
	if !r.writes || l.changesNothing(r) {
		if err := l.locate(r); err != nil {
			return err
		}
		return l.read(r)
	}
	l.queueMu.Lock()
	l.queue = append(l.queue, r)
	l.queueMu.Unlock()

	// Whoever comes first commits for all who queued meanwhile.
	l.commitMu.Lock()
	if !r.done {
		l.queueMu.Lock()
		queued := l.queue
		l.queue = nil
		l.queueMu.Unlock()
		l.commit(queued)
	}
	l.commitMu.Unlock()
	return l.read(r)
}

// Get returns the value of the key, nil if it isn't there.
func (l *Log) Get(k string) ([]byte, error) {
	op := storage.Operation{Key: k, Type: storage.Get}
	err := l.Batch(&op)
	return op.Value, err
}

// changesNothing tells batches that only delete keys that aren't there: nothing needs to be written for them.
func (l *Log) changesNothing(r *request) bool {
	if len(r.values) > 0 {
		return false
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	for i, op := range r.ops {
		if op.Type == storage.Get {
			continue
		}
		if _, ok := l.keys.get(r.keys[i]); ok || op.Type == storage.Set {
			return false
		}
	}
	return true
}

// locate finds the places of a batch that only reads.
func (l *Log) locate(r *request) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return ErrClosed
	}
	for i, op := range r.ops {
		if op.Type == storage.Get {
			l.hold(r, op, r.keys[i])
		}
	}
	return nil
}

// hold notes a Get with the place of its value as of now. The caller holds mu.
func (l *Log) hold(r *request, op *storage.Operation, k key) {
	op.Value = nil
	loc, ok := l.keys.get(k)
	if !ok {
		return
	}
	s := l.byID[loc.segment]
	if err := l.files.acquire(s); err != nil {
		r.err = errors.Join(r.err, err)
		return
	}
	r.reads = append(r.reads, pendingRead{op, s, loc})
}

// read answers the Gets that hold has noted.
func (l *Log) read(r *request) error {
	err := r.err
	r.err = nil
	for _, p := range r.reads {
		value, readErr := readValue(p.segment, p.loc)
		if readErr != nil {
			l.counters.corrupt.Add(int64(p.loc.length))
			err = errors.Join(err, fmt.Errorf("key %q: %w", p.op.Key, readErr))
		}
		p.op.Value = value
		err = errors.Join(err, l.files.release(p.segment))
	}
	return err
}
