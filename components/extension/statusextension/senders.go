// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"cmp"
	"slices"
	"time"

	"github.com/k0rdent/kof/internal/status"
)

const (
	// sendersFor is how long after its last refusal a sender is shown.
	sendersFor = 5 * time.Minute
	// maxSenders bounds the senders that are shown; the summary counts all.
	maxSenders = 100
)

// addSenders adds those that were refused of late.
func (r *report) addSenders(senders []status.Sender) {
	senders = slices.DeleteFunc(senders, func(s status.Sender) bool { return r.Time.Sub(s.LastRefused) > sendersFor })
	if len(senders) == 0 {
		return
	}
	slices.SortFunc(senders, func(a, b status.Sender) int {
		return cmp.Or(b.LastRefused.Compare(a.LastRefused), cmp.Compare(a.Address, b.Address), cmp.Compare(a.Signal, b.Signal))
	})
	r.Summary.RefusedSenders = len(senders)
	if levelWarning.rank() < r.Summary.Level.rank() {
		r.Summary.Level = levelWarning
	}
	r.RefusedSenders = senders[:min(len(senders), maxSenders)]
}

// SendersText says what is wrong with the senders, for the page.
func (p *page) SendersText() string {
	if p.Summary.RefusedSenders == 0 {
		return ""
	}
	what := "senders are"
	if p.Summary.RefusedSenders == 1 {
		what = "sender is"
	}
	return count(int64(p.Summary.RefusedSenders)) + " " + what + " refused: no pod of this node has the address, so it isn't known whose telemetry it is."
}

// SenderAge says how long ago a sender was refused last, for the page.
func (p *page) SenderAge(s status.Sender) string { return ago(p.Time, s.LastRefused) }
