// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSetCountsAndKeeps(t *testing.T) {
	eu := Source{Name: "a", Region: "eu", Signal: Logs}
	eu2 := Source{Name: "b", Region: "eu", Signal: Logs}
	us := Source{Name: "c", Region: "us", Signal: Traces}
	s := New(10)
	s.Sent(eu, Item{ID: "a/1"})
	s.Sent(eu2, Item{ID: "b/1"})
	s.Sent(us, Item{ID: "c/1"})

	require.Equal(t, map[Key]uint64{{"eu", Logs}: 2, {"us", Traces}: 1}, s.Counts())
	require.Equal(t, uint64(1), s.Sources()[eu2])
	require.Equal(t, map[string]Record{"c/1": {Item: Item{ID: "c/1"}, Source: us}}, s.Records(Traces))
	require.Len(t, s.Records(Logs), 2)
	require.Zero(t, s.Refused())
}

func TestSetIsBounded(t *testing.T) {
	s := New(1)
	source := Source{Name: "a", Region: "eu", Signal: Logs}
	s.Sent(source, Item{ID: "1"})
	s.Sent(source, Item{ID: "2"})
	require.Equal(t, uint64(2), s.Counts()[source.Key()])
	require.Len(t, s.Records(Logs), 1)
	require.Equal(t, uint64(1), s.Refused())
}

func TestCountsOnly(t *testing.T) {
	s := New(0)
	source := Source{Name: "a", Region: "eu", Signal: Logs}
	s.Sent(source, Item{ID: "1"})
	require.Equal(t, uint64(1), s.Counts()[source.Key()])
	require.Empty(t, s.Records(Logs))
	require.Zero(t, s.Refused(), "counting only is not a shortage")
}

func TestFollow(t *testing.T) {
	s := New(0)
	var ids []string
	s.Follow(Traces, func(r Record) { ids = append(ids, r.Source.Name+"/"+r.ID) })
	s.Sent(Source{Name: "a", Region: "eu", Signal: Traces}, Item{ID: "1"})
	s.Sent(Source{Name: "b", Region: "eu", Signal: Logs}, Item{ID: "2"})
	require.Equal(t, []string{"a/1"}, ids)
}
