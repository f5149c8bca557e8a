// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/demo/agent"
	"github.com/k0rdent/kof/test/demo/compare"
	"github.com/k0rdent/kof/test/demo/truth"
)

// perfect is the verdict of a run in which everything was as it has to be.
func perfect() verdict {
	v := verdict{
		comparison: comparison{rows: map[truth.Key]compare.Row{}, host: hostComparison{received: 500, stored: 500}},
		lanes:      map[truth.Key]agent.Lane{},
		sources:    map[truth.Source]uint64{{Name: "s", Region: homeRegion, Signal: truth.Logs}: 10},
		idleRSS:    90e6,
	}
	for _, r := range regions {
		for _, signal := range truth.Signals() {
			key := truth.Key{Region: r.name, Signal: signal}
			v.comparison.rows[key] = compare.Row{Sent: 10, Found: 10}
			v.lanes[key] = agent.Lane{Accepted: 10, Delivered: 10}
		}
	}
	return v
}

func TestVerdict(t *testing.T) {
	logs := truth.Key{Region: otherRegion, Signal: truth.Logs}
	one := compare.Difference{Count: 1, Examples: []string{"id-1"}}
	for name, tc := range map[string]struct {
		spoil func(*verdict)
		want  string // part of the output; "" when the check passes
	}{
		"perfect":         {func(*verdict) {}, ""},
		"duplicated":      {func(v *verdict) { v.comparison.rows[logs] = compare.Row{Sent: 10, Found: 10, Duplicated: one} }, ""},
		"missing":         {func(v *verdict) { v.comparison.rows[logs] = compare.Row{Sent: 10, Found: 9, Missing: one} }, "- us-east-1 logs: 1 missing:\n    id-1"},
		"wrong region":    {func(v *verdict) { v.comparison.rows[logs] = compare.Row{Sent: 10, Found: 10, WrongRegion: one} }, "- us-east-1 logs: 1 in the wrong region:\n    id-1"},
		"never sent":      {func(v *verdict) { v.comparison.rows[logs] = compare.Row{Sent: 10, Found: 10, Unsent: one} }, "never sent like that:\n    id-1"},
		"nothing sent":    {func(v *verdict) { v.comparison.rows[logs] = compare.Row{} }, "us-east-1 logs: nothing was sent"},
		"host missing":    {func(v *verdict) { v.comparison.host.stored-- }, "500 received by the agent, 499 stored"},
		"host misplaced":  {func(v *verdict) { v.comparison.host.misplaced = 2 }, "2 in the wrong region"},
		"no host metrics": {func(v *verdict) { v.comparison.host = hostComparison{} }, "0 received by the agent"},
		"residual":        {func(v *verdict) { v.lanes[logs] = agent.Lane{Accepted: 10, Delivered: 11} }, "does not account for 1 items"},
		"forgotten":       {func(v *verdict) { v.refused = 7 }, "7 records were not remembered"},
		"outage":          {func(v *verdict) { v.outage = &outageReport{problems: []string{"held did not rise"}} }, "- held did not rise"},
		"memory":          {func(v *verdict) { v.idleRSS = 121e6 }, "the idle agent takes 121 MB, more than 120 MB"},
		"sources":         {func(v *verdict) { v.sourceErr = errors.New("disk full") }, "sources: disk full"},
	} {
		t.Run(name, func(t *testing.T) {
			v := perfect()
			tc.spoil(&v)
			var out bytes.Buffer
			passed := v.print(&out, 3*time.Second, time.Minute)
			require.Equal(t, tc.want == "", passed)
			if passed {
				require.Contains(t, out.String(), "\nPASS: 560 records compared, 0 missing, 0 in the wrong region")
			} else {
				require.Contains(t, out.String(), tc.want)
				require.Contains(t, out.String(), "\nFAIL: ")
			}
		})
	}
}
