// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func refusedUnit(text string) Refused {
	return Refused{
		Time: time.UnixMilli(1_700_000_000_123), Reason: ReasonRejected, Message: "400: no " + text, Items: 1,
		Format: FormatOTLP, Size: len(text), Payload: []byte(text),
	}
}

// refuseT puts a record, takes it, and settles it as refused.
func refuseT(t testing.TB, q *Queue, units ...Refused) {
	t.Helper()
	putT(t, q, rec("x", len(units)))
	require.NoError(t, q.Settle(t.Context(), takeT(t, q), Outcome{Dropped: Dropped{ReasonRejected: int64(len(units))}, Refused: units}))
}

func refusedT(t testing.TB, q *Queue) (texts []string) {
	t.Helper()
	all, err := q.Refused(t.Context())
	require.NoError(t, err)
	require.Equal(t, q.RefusedKept(), len(all))
	for _, r := range all {
		texts = append(texts, string(r.Payload))
	}
	return texts
}

func TestRefusedAreKept(t *testing.T) {
	for name, client := range clients(t) {
		t.Run(name, func(t *testing.T) {
			q := openT(t, client, testOptions())
			require.Empty(t, refusedT(t, q))
			first, second := refusedUnit("a"), refusedUnit("b")
			second.Reason, second.Format, second.Items = ReasonTooLarge, FormatRemoteWrite, 0
			refuseT(t, q, first, second)
			all, err := q.Refused(t.Context())
			require.NoError(t, err)
			second.ordinal = 1
			require.Equal(t, []Refused{first, second}, all)
			require.Zero(t, q.Totals().Residual())
			require.EqualValues(t, 2, q.Totals().DroppedItems.Sum())
			require.Zero(t, q.Totals().HeldBytes, "what is kept is not held")
		})
	}
}

// They survive a restart and a crash, with the ledger of the same change, and the oldest make room for the newest.
func TestRefusedSurviveACrash(t *testing.T) {
	store := newMemStore()
	var want []string
	for i := range 7 {
		q := openT(t, store.client(), testOptions()) // the one before is as dead as after kill -9
		require.Equal(t, want, refusedT(t, q))
		require.EqualValues(t, 5*i, q.Totals().DroppedItems[ReasonRejected])
		var units []Refused
		for j := range 5 {
			text := fmt.Sprintf("%d-%d", i, j)
			units, want = append(units, refusedUnit(text)), append(want, text)
		}
		refuseT(t, q, units...)
		want = want[max(0, len(want)-MaxRefused):]
		require.Equal(t, want, refusedT(t, q))
	}
	require.Len(t, store.clone().data, 1+MaxRefused)

	many := make([]Refused, 100)
	for i := range many {
		many[i] = refusedUnit(fmt.Sprint(i))
	}
	q := openT(t, store.client(), testOptions())
	refuseT(t, q, many...)
	got := refusedT(t, q)
	require.Len(t, got, MaxRefused)
	require.Equal(t, "84", got[0])
	require.Equal(t, "99", got[15])
}

func TestRefusedAreBounded(t *testing.T) {
	store := newMemStore()
	q := openT(t, store.client(), testOptions())
	for range 2 * MaxRefused {
		u := refusedUnit(strings.Repeat("x", MaxRefusedPayload))
		u.Message = strings.Repeat("é", 3000)
		refuseT(t, q, u)
	}
	size := 0
	for _, value := range store.clone().data {
		size += len(value)
	}
	require.Less(t, size, 1<<20+MaxRefused*(MaxRefusedMessage+200))
	all, err := q.Refused(t.Context())
	require.NoError(t, err)
	require.Len(t, all[0].Payload, MaxRefusedPayload)
	require.LessOrEqual(t, len(all[0].Message), MaxRefusedMessage)
	require.True(t, utf8.ValidString(all[0].Message))

	refuseT(t, q, refusedUnit(strings.Repeat("x", MaxRefusedPayload+1)))
	all, err = q.Refused(t.Context())
	require.NoError(t, err)
	last := all[MaxRefused-1]
	require.Nil(t, last.Payload)
	require.Equal(t, MaxRefusedPayload+1, last.Size)
}

// On a full disk the books go before what is kept for a look; and what can't be kept isn't counted as kept.
func TestRefusedOnFullDisk(t *testing.T) {
	store := newMemStore()
	q := openT(t, store.client(), testOptions())
	refuseT(t, q, refusedUnit("a"))
	putT(t, q, rec("x", 1))
	recs := takeT(t, q)
	store.noLarge = true // as where a last reserve only takes what frees room
	require.NoError(t, q.Settle(t.Context(), recs, Outcome{Dropped: Dropped{ReasonRejected: 1}, Refused: []Refused{refusedUnit("b")}}))
	require.Empty(t, store.records())
	require.EqualValues(t, 2, q.Totals().DroppedItems.Sum())
	require.Equal(t, []string{"a"}, refusedT(t, q))
	store.noLarge = false
	refuseT(t, q, refusedUnit("c"))
	require.Equal(t, []string{"a", "c"}, refusedT(t, q))
}

// A queue of before there was anything to keep has none; and a slot that is damaged costs no more than itself.
func TestRefusedOfOldAndDamagedQueues(t *testing.T) {
	store := newMemStore()
	q := openT(t, store.client(), testOptions())
	putT(t, q, rec("x", 3))
	require.NoError(t, q.Settle(t.Context(), takeT(t, q), Outcome{Dropped: Dropped{ReasonRejected: 3}}))
	q = openT(t, store.client(), testOptions())
	require.Empty(t, refusedT(t, q))
	refuseT(t, q, refusedUnit("a"), refusedUnit("b"), refusedUnit("c"))
	store.data["refused-1"][9] ^= 1
	store.data["refused-2"][0] = refusedVersion + 1
	q = openT(t, store.client(), testOptions())
	require.Equal(t, []string{"a"}, refusedT(t, q))
	refuseT(t, q, refusedUnit("d"))
	require.Equal(t, []string{"a", "d"}, refusedT(t, q))
	require.NoError(t, q.Close(t.Context()))
	_, err := q.Refused(t.Context())
	require.ErrorIs(t, err, errClosed)
}

func FuzzUnmarshalRefused(f *testing.F) {
	u := refusedUnit("a")
	f.Add(u.marshal())
	f.Add([]byte{refusedVersion})
	f.Fuzz(func(t *testing.T, buf []byte) {
		if len(buf) >= refusedHeaderSize { // let it past the checksum
			sum := refusedChecksum(buf)
			buf = append([]byte{buf[0], byte(sum), byte(sum >> 8), byte(sum >> 16), byte(sum >> 24)}, buf[refusedHeaderSize:]...)
		}
		if r, err := unmarshalRefused(buf); err == nil {
			require.LessOrEqual(t, len(r.Payload)+len(r.Message), len(buf))
		}
	})
}
