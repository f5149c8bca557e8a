// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/status"
)

func TestRefusedSenders(t *testing.T) {
	c := newClock()
	e := newT(t, c)
	t.Cleanup(e.AddLanes(lanesOf("a")))
	old := c.now().Add(-sendersFor - time.Second)
	senders := []status.Sender{
		{Processor: "identity", Signal: "logs", Address: "10.244.0.1", RefusedItems: 1234, LastRefused: c.now().Add(-time.Minute)},
		{Processor: "identity", Signal: "traces", Address: "10.0.0.9", RefusedItems: 5, LastRefused: c.now()},
		{Processor: "identity", Signal: "traces", Address: "10.0.0.8", RefusedItems: 5, LastRefused: old},
	}
	remove := e.AddSenders(func() []status.Sender { return append([]status.Sender(nil), senders...) })

	elements := parse(t, serve(t, e, "/"))
	require.Equal(t, "Senders are refused", text(elements("strong")[0]))
	require.Equal(t, "warning", attr(elements("section")[0], "class"))
	require.Equal(t, []string{"10.0.0.9 traces 5 0 s ago", "10.244.0.1 logs 1,234 1 min ago"}, texts(elements("tr"), "sender"), "the last one first, none of long ago")
	var got report
	require.NoError(t, json.Unmarshal([]byte(serve(t, e, "/api/v1/lanes")), &got))
	require.Equal(t, []status.Sender{senders[1], senders[0]}, got.RefusedSenders)
	require.Equal(t, 2, got.Summary.RefusedSenders)
	require.Equal(t, levelWarning, got.Summary.Level)

	remove()
	require.Equal(t, "All is well", text(parse(t, serve(t, e, "/"))("strong")[0]))

	t.Cleanup(e.AddSenders(func() []status.Sender {
		many := make([]status.Sender, maxSenders+3)
		for i := range many {
			many[i] = status.Sender{Signal: "logs", Address: fmt.Sprint(i), LastRefused: c.now()}
		}
		return many
	}))
	got = report{}
	require.NoError(t, json.Unmarshal([]byte(serve(t, e, "/api/v1/lanes")), &got))
	require.Len(t, got.RefusedSenders, maxSenders)
	require.Equal(t, maxSenders+3, got.Summary.RefusedSenders)
}
