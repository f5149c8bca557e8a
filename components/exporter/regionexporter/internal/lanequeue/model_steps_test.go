// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
)

func (m *model) put() {
	id := fmt.Sprintf("%06d", len(m.accepted))
	r := rec(id+strings.Repeat(".", m.rng.IntN(400)), 1+m.rng.IntN(9))
	var dropped Dropped
	dropped[ReasonUnsupported] = m.rng.Int64N(3)
	before := m.q.Totals()
	err := m.q.Put(m.t.Context(), r, dropped)
	if err != nil {
		bound := min(m.opts.MaxBytes, m.opts.Budget.max)
		fits := m.opts.DropOldest && m.q.inFlightBytes+storedSize(m.t, r) <= bound
		require.True(m.t, m.full || m.broken || !fits, err)
		if !m.broken {
			require.Equal(m.t, before, m.q.Totals(), "refused, so nothing changed")
		}
		return
	}
	require.False(m.t, m.full)
	m.accepted[string(r.Payload)] = r.Items
	m.now.live = append(m.now.live, string(r.Payload))
	m.now.total.accept(r.Items, dropped)
	m.dropOldest(m.q.Totals().DroppedItems[ReasonQueueFull] - before.DroppedItems[ReasonQueueFull])
}

// dropOldest removes waiting records of that many items from the front, and fails if they don't add up.
func (m *model) dropOldest(items int64) {
	taken := texts(m.taken)
	var out Outcome
	m.now.live = slices.DeleteFunc(m.now.live, func(text string) bool {
		if items <= 0 || slices.Contains(taken, text) || m.bad[text] {
			return false
		}
		items -= int64(m.accepted[text])
		out.Dropped[ReasonQueueFull] += int64(m.accepted[text])
		return true
	})
	require.Zero(m.t, items, "dropped what is not the oldest")
	m.now.total.apply(out)
}

func (m *model) take() {
	recs, err := m.q.TakeWaiting(m.t.Context())
	if err != nil { // to book what was damaged is a change
		require.ErrorIs(m.t, err, errDiskFull)
		require.True(m.t, m.full && m.broken)
		return
	}
	var want []string
	for _, text := range m.now.live {
		if !slices.Contains(texts(m.taken), text) && !m.bad[text] {
			want = append(want, text)
		}
	}
	require.LessOrEqual(m.t, len(recs), len(want))
	require.True(m.t, slices.Equal(want[:len(recs)], texts(recs)), "want %q, got %q", want, texts(recs))
	if len(want) > 0 {
		require.NotEmpty(m.t, recs)
	}
	bytes := 0
	for _, r := range recs {
		require.Greater(m.t, int64(r.seq), m.lastSeq, "out of order")
		require.Equal(m.t, m.accepted[string(r.Payload)], r.Items)
		m.lastSeq = int64(r.seq)
		bytes += r.stored
	}
	require.True(m.t, len(recs) <= 1 || bytes <= m.opts.BatchBytes)
	m.taken = append(m.taken, recs...)
}

func (m *model) settle() {
	if len(m.taken) == 0 {
		return
	}
	m.rng.Shuffle(len(m.taken), func(i, j int) { m.taken[i], m.taken[j] = m.taken[j], m.taken[i] })
	n := 1 + m.rng.IntN(len(m.taken))
	recs := m.taken[:n]
	m.taken = m.taken[n:]
	out := Outcome{Delivered: itemsOf(recs)}
	out.Dropped[ReasonRejected] = m.rng.Int64N(out.Delivered + 1)
	out.Delivered -= out.Dropped[ReasonRejected]
	err := m.q.Settle(m.t.Context(), recs, out)
	require.Equal(m.t, m.full, err != nil)
	m.gone(recs)
	m.now.total.apply(out)
}

func (m *model) gone(recs []Record) {
	for _, text := range texts(recs) {
		m.delivered[text] = true
		m.now.live = slices.DeleteFunc(m.now.live, func(l string) bool { return l == text })
	}
}

// crash opens the store again, with or without an orderly end before.
func (m *model) crash(orderly bool) {
	m.crashes++
	if orderly {
		require.NoError(m.t, m.q.Close(m.t.Context()))
		require.Zero(m.t, m.opts.Budget.Used())
	}
	m.now = m.durable.clone()
	m.open()
}

// damage spoils one stored record that no taker holds.
func (m *model) damage() {
	taken := texts(m.taken)
	for k, buf := range m.store.records() {
		if r, err := unmarshalRecord(buf); err != nil || slices.Contains(taken, string(r.Payload)) {
			continue
		}
		r, _ := unmarshalRecord(buf)
		m.bad[string(r.Payload)] = true
		if m.rng.IntN(2) == 0 {
			delete(m.store.data, k)
		} else {
			m.store.data[k] = slices.Clone(buf)
			m.store.data[k][m.rng.IntN(len(buf))] ^= byte(1 + m.rng.IntN(255))
		}
		return
	}
}
