// SPDX-License-Identifier: Apache-2.0

package faultproxy

import (
	"errors"
	"fmt"
	"net/http"
)

// Kind is what goes wrong.
type Kind int

const (
	// Pass forwards; the zero Fault does.
	Pass Kind = iota
	// Refuse closes the port: connections are refused, and those that are open are cut.
	Refuse
	// Blackhole takes connections and requests and never answers.
	Blackhole
	// Reset cuts the client's connection by a TCP reset when part of the body was read; the server doesn't see the rest either.
	Reset
	// Slow lets one byte a second through, in both directions.
	Slow
	// Answer answers in the server's place, after the whole request was read.
	Answer
	// LoseAnswer forwards, reads the server's whole answer, and cuts the client's connection by a TCP reset instead of passing it on.
	LoseAnswer
)

var kindNames = [...]string{"pass", "refuse", "blackhole", "reset", "slow", "answer", "lose_answer"}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kindNames[k]
}

// Fault says what goes wrong, and for which requests.
type Fault struct {
	Kind Kind
	// Next bounds how many requests it meets; others pass. 0: all, until another fault is set. Not for Refuse.
	Next int
	// If picks the requests it meets by their body, decoded of zstd, gzip or snappy, and by the size of the body on the wire;
	// others pass. Nil: all. Bodies over 64 MiB are never picked. Not for Refuse.
	If func(body []byte, wireSize int) bool

	// After is how many bytes of the body Reset reads, at most half of it.
	After int
	// Status, Header and Body are those of Answer.
	Status int
	Header http.Header
	Body   string
}

func (f *Fault) validate() error {
	var errs []error
	if f.Kind < Pass || f.Kind > LoseAnswer {
		errs = append(errs, fmt.Errorf("field Kind: found %s; allowed: %s to %s", f.Kind, Pass, LoseAnswer))
	}
	if f.Next < 0 || f.After < 0 {
		errs = append(errs, fmt.Errorf("fields Next, After: found %d, %d; allowed: 0 or more", f.Next, f.After))
	}
	if f.Kind == Refuse && (f.Next != 0 || f.If != nil) {
		errs = append(errs, errors.New("fields Next, If: found with refuse; allowed: a refused connection brings no request to count or look at"))
	}
	if f.Kind == Answer && (f.Status < 200 || f.Status > 599) {
		errs = append(errs, fmt.Errorf("field Status: found %d; allowed: 200 to 599", f.Status))
	}
	return errors.Join(errs...)
}

// Counts is what a proxy has seen since its start.
type Counts struct {
	// Requests began to arrive; each of them ends in one of the next four.
	Requests int64
	// Answered were passed on, and the client got the server's answer.
	Answered int64
	// Lost were passed on and answered, and the client did not get the answer: by LoseAnswer, by Refuse, or because it was gone.
	Lost int64
	// Failed were not answered by the server, for whatever reason.
	Failed int64
	// Faulted met a fault and did not get to the server as a whole.
	Faulted int64
}
