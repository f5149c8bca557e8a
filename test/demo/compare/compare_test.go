// SPDX-License-Identifier: Apache-2.0

package compare

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/demo/truth"
)

// sentTo makes records that belong to the regions named by the ids.
func sentTo(regions map[string]string) map[string]truth.Record {
	sent := map[string]truth.Record{}
	for id, region := range regions {
		sent[id] = truth.Record{Item: truth.Item{ID: id}, Source: truth.Source{Name: "s", Region: region, Signal: truth.Logs}}
	}
	return sent
}

type ids = map[string]int

func TestSignal(t *testing.T) {
	sent := sentTo(map[string]string{"e1": "eu", "e2": "eu", "u1": "us", "x1": "unknown"})
	one := func(id string) Difference { return Difference{Count: 1, Examples: []string{id}} }
	for name, tc := range map[string]struct {
		eu, us         ids
		wantEU, wantUS Row
		ok             bool
	}{
		"all in place": {
			eu: ids{"e1": 1, "e2": 1}, us: ids{"u1": 1},
			wantEU: Row{Sent: 2, Found: 2}, wantUS: Row{Sent: 1, Found: 1}, ok: true,
		},
		"one missing": {
			eu: ids{"e2": 1}, us: ids{"u1": 1},
			wantEU: Row{Sent: 2, Found: 1, Missing: one("e1")}, wantUS: Row{Sent: 1, Found: 1},
		},
		"nothing there": {
			eu: ids{}, us: ids{"u1": 1},
			wantEU: Row{Sent: 2, Missing: Difference{Count: 2, Examples: []string{"e1", "e2"}}}, wantUS: Row{Sent: 1, Found: 1},
		},
		"three copies": {
			eu: ids{"e1": 3, "e2": 1}, us: ids{"u1": 1},
			wantEU: Row{Sent: 2, Found: 2, Duplicated: Difference{Count: 2, Examples: []string{"e1", "e1"}}},
			wantUS: Row{Sent: 1, Found: 1}, ok: true,
		},
		"in the wrong region too": {
			eu: ids{"e1": 1, "e2": 1}, us: ids{"u1": 1, "e1": 1},
			wantEU: Row{Sent: 2, Found: 2}, wantUS: Row{Sent: 1, Found: 1, WrongRegion: one("e1")},
		},
		"in the wrong region instead": {
			eu: ids{"e2": 1}, us: ids{"u1": 1, "e1": 1},
			wantEU: Row{Sent: 2, Found: 1, Missing: one("e1")}, wantUS: Row{Sent: 1, Found: 1, WrongRegion: one("e1")},
		},
		"of an unknown region, sent on": {
			eu: ids{"e1": 1, "e2": 1, "x1": 1}, us: ids{"u1": 1},
			wantEU: Row{Sent: 2, Found: 2, WrongRegion: one("x1")}, wantUS: Row{Sent: 1, Found: 1},
		},
		"never sent": {
			eu: ids{"e1": 1, "e2": 1}, us: ids{"u1": 1, "z": 2},
			wantEU: Row{Sent: 2, Found: 2}, wantUS: Row{Sent: 1, Found: 1, Unsent: one("z")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			rows := Signal(sent, map[string]map[string]int{"eu": tc.eu, "us": tc.us})
			require.Len(t, rows, 2)
			requireRow(t, tc.wantEU, rows["eu"])
			requireRow(t, tc.wantUS, rows["us"])
			require.Equal(t, tc.ok, rows["eu"].OK() && rows["us"].OK())
		})
	}
}

func requireRow(t *testing.T, want, got Row) {
	t.Helper()
	for _, d := range []*Difference{&want.Missing, &want.Duplicated, &want.WrongRegion, &want.Unsent} {
		if d.Examples == nil {
			d.Examples = []string{}
		}
	}
	for _, d := range []*Difference{&got.Missing, &got.Duplicated, &got.WrongRegion, &got.Unsent} {
		if d.Examples == nil {
			d.Examples = []string{}
		}
	}
	require.Equal(t, want, got)
}

func TestExamplesAreFewAndSorted(t *testing.T) {
	regions := map[string]string{}
	for i := range 100 {
		regions[fmt.Sprintf("%03d", i)] = "eu"
	}
	rows := Signal(sentTo(regions), map[string]map[string]int{"eu": {}})
	require.Equal(t, 100, rows["eu"].Missing.Count)
	require.Equal(t, []string{"000", "001", "002", "003", "004"}, rows["eu"].Missing.Examples)
}
