// SPDX-License-Identifier: Apache-2.0

package found

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/demo/podlogs"
	"github.com/k0rdent/kof/test/demo/truth"
)

func TestPending(t *testing.T) {
	p := NewPending()
	_, ok := p.Oldest()
	require.False(t, ok)
	begin := time.UnixMilli(1000)
	for i := range 5 {
		p.Sent(truth.Item{ID: fmt.Sprint(i), At: begin.Add(time.Duration(i) * time.Second)})
	}
	p.Found(map[string]int{"0": 1, "3": 2, "never sent": 1})
	p.Found(map[string]int{"0": 1})
	found, waiting := p.Count()
	require.EqualValues(t, 2, found, "each span once")
	require.Equal(t, 3, waiting)
	oldest, ok := p.Oldest()
	require.True(t, ok)
	require.Equal(t, begin.Add(time.Second), oldest)
}

func TestPendingIsBounded(t *testing.T) {
	p := NewPending()
	for i := range maxPending + 10 {
		p.Sent(truth.Item{ID: fmt.Sprint(i)})
	}
	_, waiting := p.Count()
	require.Equal(t, maxPending, waiting)
}

func TestLineID(t *testing.T) {
	whole := podlogs.Message("acme-shop.a", 249) // one that a runtime splits
	require.Equal(t, podlogs.LineID("acme-shop.a", 249), lineID(whole))
	require.Contains(t, lineID(whole[:16<<10]), "not as it was written")
	require.Contains(t, lineID("kofdemo and nothing else"), "not as it was written")
}
