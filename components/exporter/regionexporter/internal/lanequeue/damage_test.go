// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Each byte of a stored record is flipped, and each length cut: the record is never taken for a good one.
func TestDamagedRecordIsFound(t *testing.T) {
	original := rec("payload", 3)
	buf, err := original.marshal()
	require.NoError(t, err)
	for i := range buf {
		for _, mask := range []byte{0x01, 0x80, 0xff} {
			damaged := bytes.Clone(buf)
			damaged[i] ^= mask
			_, err := unmarshalRecord(damaged)
			require.Error(t, err, "byte %d of %d, mask %x", i, len(buf), mask)
		}
	}
	for n := range len(buf) {
		_, err := unmarshalRecord(buf[:n])
		require.Error(t, err, "cut to %d bytes", n)
	}
	_, err = unmarshalRecord(append(bytes.Clone(buf), 0))
	require.Error(t, err, "one byte more")
}

func TestDamagedRecordIsDroppedAndCounted(t *testing.T) {
	for name, damage := range map[string]func(store *memStore, key string){
		"flipped": func(store *memStore, key string) { store.data[key][30] ^= 1 },
		"cut":     func(store *memStore, key string) { store.data[key] = store.data[key][:20] },
		"empty":   func(store *memStore, key string) { store.data[key] = []byte{} },
		"gone":    func(store *memStore, key string) { delete(store.data, key) },
	} {
		for _, bad := range [][]uint64{{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 2}, {0, 1, 2}} {
			t.Run(fmt.Sprintf("%s %v", name, bad), func(t *testing.T) {
				store := newMemStore()
				opts := testOptions()
				q := openT(t, store.client(), opts)
				putT(t, q, rec("a", 1), rec("b", 2), rec("c", 4))
				good := map[string]int{"a": 1, "b": 2, "c": 4}
				lost := 0
				for _, seq := range bad {
					damage(store, key(seq))
					text := string(rune('a' + seq))
					lost += good[text]
					delete(good, text)
				}
				var got []string
				for {
					recs := takeT(t, q)
					if len(recs) == 0 {
						break
					}
					got = append(got, texts(recs)...)
					deliverT(t, q, recs)
				}
				require.Len(t, got, len(good))
				total := q.Totals()
				require.EqualValues(t, lost, total.DroppedItems[ReasonDamaged])
				require.EqualValues(t, 7-lost, total.DeliveredItems)
				require.Zero(t, total.HeldItems)
				require.Zero(t, total.HeldBytes)
				require.Zero(t, total.Residual())
				require.Zero(t, opts.Budget.Used())
				putT(t, q, rec("d", 8)) // the next change deletes what is left of them
				require.Len(t, store.records(), 1)
			})
		}
	}
}

// A busy lane is never empty. What was damaged must not stay on its books as held, nor take its room, nor spoil its batches.
func TestDamagedRecordInBusyQueue(t *testing.T) {
	store := newMemStore()
	opts := testOptions()
	size := storedSize(t, rec("a", 1))
	opts.BatchBytes, opts.MaxBytes = int(size), 4*size
	q := openT(t, store.client(), opts)
	putT(t, q, rec("a", 1), rec("b", 2), rec("c", 4), rec("d", 8))
	store.data[key(1)][30] ^= 1
	deliverT(t, q, takeT(t, q))
	for range 10 {
		recs := takeT(t, q) // one is always waiting or held by a taker
		putT(t, q, rec("e", 16))
		deliverT(t, q, recs)
	}
	total := q.Totals()
	require.EqualValues(t, 2, total.DroppedItems[ReasonDamaged])
	require.Zero(t, total.Residual())
	live := int64(len(store.records()))
	require.Equal(t, live*size, total.HeldBytes)
	require.Equal(t, live*size, opts.Budget.Used())
}

func TestDropOldestMeetsDamagedRecord(t *testing.T) {
	store := newMemStore()
	opts := testOptions()
	opts.MaxBytes, opts.DropOldest = 2*storedSize(t, rec("a", 1)), true
	q := openT(t, store.client(), opts)
	putT(t, q, rec("a", 1), rec("b", 2))
	store.data[key(0)][30] ^= 1
	putT(t, q, rec("c", 4), rec("d", 8))
	deliverT(t, q, takeT(t, q))
	deliverT(t, q, takeT(t, q))
	total := q.Totals()
	require.Zero(t, total.Residual())
	require.Zero(t, total.HeldItems)
	require.EqualValues(t, 8, total.DeliveredItems+total.DroppedItems.Sum()-7)
	require.EqualValues(t, 15, total.AcceptedItems)
}

// Each byte of the state is flipped and each length cut: the queue begins anew, says so, and works.
func TestDamagedState(t *testing.T) {
	store := newMemStore()
	q := openT(t, store.client(), testOptions())
	putT(t, q, rec("a", 1), rec("b", 2))
	deliverT(t, q, takeT(t, q)[:1])
	good := store.data[metaKey]
	check := func(what string, state []byte) {
		store := store.clone()
		store.data[metaKey] = state
		opts := testOptions()
		q, damaged, err := Open(t.Context(), store.client(), opts)
		if err != nil {
			require.ErrorContains(t, err, "newer version", what)
			return
		}
		require.True(t, damaged, what)
		require.Equal(t, Totals{}, q.Totals(), what)
		require.Zero(t, opts.Budget.Used())
		require.Empty(t, takeT(t, q), what)
		putT(t, q, rec("c", 4))
		recs := takeT(t, q)
		require.Equal(t, []string{"c"}, texts(recs), what)
		deliverT(t, q, recs)
		require.Zero(t, q.Totals().HeldItems)
		require.NoError(t, q.Close(t.Context()))
	}
	for i := range good {
		for _, mask := range []byte{0x01, 0x10, 0x80, 0xff} {
			state := bytes.Clone(good)
			state[i] ^= mask
			check(fmt.Sprintf("byte %d of %d, mask %x", i, len(good), mask), state)
		}
	}
	for n := range len(good) {
		check(fmt.Sprintf("cut to %d bytes", n), good[:n])
	}
	check("one byte more", append(bytes.Clone(good), 0))
}

func TestNewerVersionIsRefused(t *testing.T) {
	t.Run("state", func(t *testing.T) {
		store := newMemStore()
		putT(t, openT(t, store.client(), testOptions()), rec("a", 1))
		store.data[metaKey][0] = metaVersion + 1
		before := store.clone()
		_, _, err := Open(t.Context(), store.client(), testOptions())
		require.ErrorContains(t, err, "newer version (format 2, this version reads up to 1)")
		require.Equal(t, before.data, store.data, "left as it was")
	})
	t.Run("reasons", func(t *testing.T) {
		_, err := unmarshalState(stateWithReasons(state{}, int(reasonCount)+1))
		require.ErrorContains(t, err, "newer version (6 drop reasons, this version knows 5)")
	})
}

// A queue of an older version that knew fewer reasons is read.
func TestFewerReasons(t *testing.T) {
	s := state{head: 3, tail: 5, totals: Totals{AcceptedItems: 7, HeldItems: 7}}
	got, err := unmarshalState(stateWithReasons(s, 2))
	require.NoError(t, err)
	require.Equal(t, s, got)
}

// stateWithReasons is the state as a version with n drop reasons stores it, all of them 0.
func stateWithReasons(s state, n int) []byte {
	s.totals.DroppedItems = Dropped{}
	buf := s.marshal()
	buf = buf[:len(buf)-int(reasonCount)]
	buf[len(buf)-1] = byte(n)
	buf = append(buf, make([]byte, n)...)
	binary.LittleEndian.PutUint32(buf[1:], metaChecksum(buf))
	return buf
}

// The names that metrics and metadata.yaml have.
func TestReasons(t *testing.T) {
	var names []string
	for _, r := range Reasons() {
		names = append(names, r.String())
	}
	require.Equal(t, []string{"rejected", "too_large", "queue_full", "damaged", "unsupported"}, names)
	require.Equal(t, "unknown", Reason(200).String())
}

func TestStateRoundTrip(t *testing.T) {
	s := state{head: 1 << 60, tail: 1<<60 + 1, totals: Totals{
		AcceptedItems: 1 << 62, AcceptedBytes: 2, DeliveredItems: 3, ReleasedItems: 4, HeldItems: 5, HeldBytes: 6,
		DroppedItems: Dropped{7, 8, 9, 10, 11},
	}}
	got, err := unmarshalState(s.marshal())
	require.NoError(t, err)
	require.Equal(t, s, got)
	s.head, s.tail = 2, 1
	_, err = unmarshalState(s.marshal())
	require.ErrorIs(t, err, errMetaDamaged)
}

func TestRecordRoundTrip(t *testing.T) {
	for _, r := range []Record{
		{Format: FormatRemoteWrite, Accepted: time.UnixMilli(0)},
		{Format: FormatOTLP, Accepted: time.UnixMilli(-5), Items: 1<<32 - 1, Payload: []byte{0, 1, 2}},
		rec("x", 1),
	} {
		buf, err := r.marshal()
		require.NoError(t, err)
		got, err := unmarshalRecord(buf)
		require.NoError(t, err)
		require.Equal(t, len(buf), got.stored)
		got.stored = 0
		if len(r.Payload) == 0 {
			require.Empty(t, got.Payload)
			got.Payload = nil
		}
		require.Equal(t, r, got)
	}
}
