// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/demo/agent"
	"github.com/k0rdent/kof/test/demo/truth"
)

// ledgers makes one reading a second in which every lane accepts 10 items a second; the dead region delivers none of
// them, the healthy one all but those of the last second.
func ledgers(n int) []moment {
	begin := time.Unix(1000, 0)
	var seen []moment
	for i := range n {
		m := moment{at: begin.Add(time.Duration(i) * time.Second), lanes: map[truth.Key]agent.Lane{}}
		for _, signal := range truth.Signals() {
			accepted := int64(100 + 10*i)
			m.lanes[truth.Key{Region: otherRegion, Signal: signal}] = agent.Lane{Accepted: accepted, Delivered: 100, Held: accepted - 100}
			m.lanes[truth.Key{Region: homeRegion, Signal: signal}] = agent.Lane{Accepted: accepted, Delivered: accepted - 10, Held: 10}
		}
		seen = append(seen, m)
	}
	return seen
}

func TestJudge(t *testing.T) {
	deadLogs := truth.Key{Region: otherRegion, Signal: truth.Logs}
	healthyLogs := truth.Key{Region: homeRegion, Signal: truth.Logs}
	for name, tc := range map[string]struct {
		spoil func(seen []moment)
		want  string // part of the only problem; "" for none
	}{
		"as it has to be": {func([]moment) {}, ""},
		"held does not rise": {func(seen []moment) {
			for _, m := range seen {
				m.lanes[deadLogs] = agent.Lane{Accepted: 100, Delivered: 100}
			}
		}, "us-east-1 logs: held did not rise (0, then 0)"},
		"delivered to the dead": {func(seen []moment) {
			m := seen[len(seen)-1]
			m.lanes[deadLogs] = agent.Lane{Accepted: 300, Delivered: 103, Held: 197}
		}, "us-east-1 logs: 3 items delivered to backends that were down"},
		"requests under way may still end": {func(seen []moment) {
			for _, m := range seen[1:] {
				lane := m.lanes[deadLogs]
				lane.Delivered += 5
				lane.Held -= 5
				m.lanes[deadLogs] = lane
			}
		}, ""},
		"the healthy region suffers too": {func(seen []moment) {
			for _, m := range seen {
				lane := m.lanes[healthyLogs]
				lane.Delivered, lane.Held = 100, lane.Accepted-100
				m.lanes[healthyLogs] = lane
			}
		}, "eu-west-1 logs: 90 items were held for more than 5s although its backend was up"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := ledgers(15)
			tc.spoil(seen)
			report := outageReport{held: map[truth.Key]int64{}}
			report.judge(seen)
			if tc.want == "" {
				require.Empty(t, report.problems)
				return
			}
			require.Equal(t, []string{tc.want}, report.problems)
		})
	}
}

func TestJudgeNeedsToSeeSomething(t *testing.T) {
	report := outageReport{held: map[truth.Key]int64{}}
	report.judge(ledgers(2))
	require.Len(t, report.problems, 1)
}
