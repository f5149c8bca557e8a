// SPDX-License-Identifier: Apache-2.0

// Package status lets exporters show what their lanes do, to whatever extension presents it, without either knowing the other.
package status

import (
	"context"
	"encoding/json"
	"time"
)

// Lane is what one lane of an exporter does at a moment. Items are data points, log records or spans.
type Lane struct {
	Exporter string `json:"exporter"` // the exporter's ID
	Region   string `json:"region"`
	Signal   string `json:"signal"`         // metrics, logs or traces
	Zone     string `json:"zone,omitempty"` // residency zone; empty while the directory doesn't know the region
	State    State  `json:"state"`
	// Via is the region whose endpoint takes the records now: another one than Region during a failover.
	Via      string `json:"via,omitempty"`
	Endpoint string `json:"endpoint,omitempty"` // URL without credentials

	AcceptedItems  int64            `json:"accepted_items"`
	DeliveredItems int64            `json:"delivered_items"`
	ReleasedItems  int64            `json:"released_items"`
	DroppedItems   map[string]int64 `json:"dropped_items"` // by reason
	HeldItems      int64            `json:"held_items"`
	HeldBytes      int64            `json:"held_bytes"`
	ResidualItems  int64            `json:"residual_items"` // 0, or there is a defect

	OldestHeld    time.Time `json:"oldest_held,omitzero"`    // when the oldest held record was accepted; zero when none is
	LastDelivered time.Time `json:"last_delivered,omitzero"` // zero: not since the start
	LastError     string    `json:"last_error,omitempty"`    // in the server's words, bounded
	LastErrorAt   time.Time `json:"last_error_at,omitzero"`

	// RefusedKept is how many units that the server refused for good are kept for a person to look at.
	RefusedKept int `json:"refused_kept"`
	// Refused reads them, the oldest first. They are users' data, and of some size: only whoever is asked for them calls it. It is safe for
	// concurrent use, also after the exporter has ended; then it returns an error. Nil where the exporter keeps none.
	Refused func(context.Context) ([]Refused, error) `json:"-"`
}

// Refused is a unit of telemetry that a server refused for good, and that was dropped.
type Refused struct {
	Time    time.Time `json:"time"`
	Reason  string    `json:"reason"`  // as in DroppedItems
	Message string    `json:"message"` // in the server's words, bounded
	Items   int64     `json:"items"`   // 0 for what only accompanies items
	Format  string    `json:"format"`  // otlp or remote_write
	Bytes   int       `json:"bytes"`   // size of the payload
	// Record is the payload as JSON: OTLP's, or a list of series with labels and samples. Absent where the payload was too large to be kept,
	// where the server didn't say which records it refused, or where no one can decode it; then Undecoded has its bytes.
	Record    json.RawMessage `json:"record,omitempty"`
	Undecoded []byte          `json:"undecoded,omitempty"`
}

// State says in a word what a lane does.
type State string

const (
	// StateDelivering: the last attempt delivered, or there was none yet.
	StateDelivering State = "delivering"
	// StateRetrying: the last attempt failed; records are held and tried again.
	StateRetrying State = "retrying"
	// StateFailover: records go to another region of the same zone.
	StateFailover State = "failover"
	// StateDraining: the directory no longer has the region; what was accepted before is still delivered, for a set time.
	StateDraining State = "draining"
	// StateHolding: there is nowhere to deliver to.
	StateHolding State = "holding"
)

// LaneSource returns the lanes as they are now. It is safe for concurrent use and returns soon.
type LaneSource func() []Lane

// LaneRegistry is what an extension implements to be told of lanes. Exporters look for it among the extensions when they start.
type LaneRegistry interface {
	// AddLanes adds a source until remove is called.
	AddLanes(source LaneSource) (remove func())
}

// Sender is who sent telemetry over the network that was refused, as it isn't known whose it is.
type Sender struct {
	Processor    string    `json:"processor"`     // the processor's ID
	Signal       string    `json:"signal"`        // metrics, logs or traces
	Address      string    `json:"address"`       // IP address
	RefusedItems int64     `json:"refused_items"` // data points, log records or spans since the start, those sent again included
	LastRefused  time.Time `json:"last_refused"`
}

// SenderSource returns the senders as they are now. It is safe for concurrent use and returns soon.
type SenderSource func() []Sender

// SenderRegistry is what an extension implements to be told of refused senders. Processors look for it among the extensions when they start.
type SenderRegistry interface {
	// AddSenders adds a source until remove is called.
	AddSenders(source SenderSource) (remove func())
}
