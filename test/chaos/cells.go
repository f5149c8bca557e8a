// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/k0rdent/kof/test/faultproxy"
)

// cell is one thing that goes wrong.
type cell struct {
	name string
	what string
	// kofOnly says why a collector of stock components can't be put into it; "" when it can.
	kofOnly string
	// act starts a collector, sends and breaks things. What is judged comes after it. Its error is skipped where the cell can't be run.
	act func(context.Context, *run) error
}

// skipped says why a cell can't be run here.
type skipped string

func (s skipped) Error() string { return string(s) }

// longDamages is how often the long form spoils each kind of file.
const longDamages = 8

// cells returns all cells of a form in the order in which they run.
func cells(short bool) []cell {
	all := []cell{
		{name: "kill", what: "kill -9 at random moments under load", act: kill},
		{name: "undisturbed", what: "no fault: what the others are compared with", act: faulty(faultproxy.Fault{})},
	}
	all = append(all, faultCells()...)
	all = append(all,
		cell{name: "full-refuse", what: "an outage longer than the queue bound; new data is refused", act: overflow(false)},
		cell{name: "full-drop-oldest", what: "an outage longer than the queue bound; the oldest is dropped", act: overflow(true),
			kofOnly: "no stock queue drops its oldest records"},
		cell{name: "disk-full", what: "the disk fills up during an outage, with a restart on the full disk", act: diskFull},
	)
	for _, d := range []struct {
		name, what string
		damage
	}{
		{"flipped", "bits of one of the queue's files are flipped while the collector is down", damage{spoil: flip}},
		{"truncated", "one of the queue's files is cut short while the collector is down", damage{spoil: truncate}},
		{"deleted", "one of the queue's files is deleted while the collector is down", damage{spoil: remove, sparesNewest: true}},
	} {
		all = append(all, cell{name: d.name, what: d.what, act: damaged(d.damage, false)})
		for i := 2; !short && i <= longDamages; i++ {
			all = append(all, cell{name: fmt.Sprintf("%s-%d", d.name, i), what: d.what, act: damaged(d.damage, true)})
		}
	}
	return append(all,
		cell{name: "clock", what: "the collector's wall clock jumps by minutes to years, also across restarts", act: clockJumps},
		cell{name: "reload", what: "regions added, removed and renamed under load; bad directories refused", act: reload,
			kofOnly: "the routing connector's table can't change while it runs"},
		cell{name: "failover", what: "a region's backends end; another of the zone stands in until they are back", act: failover,
			kofOnly: "there is no failover connector of this version"},
	)
}

// faultCells are the fault matrix: what can go wrong between the collector and the backends of one region.
func faultCells() []cell {
	answer := func(status int, header http.Header) faultproxy.Fault {
		return faultproxy.Fault{Kind: faultproxy.Answer, Status: status, Header: header, Body: http.StatusText(status)}
	}
	retryAfter := http.Header{"Retry-After": {"2"}}
	return []cell{
		{name: "refused", what: "connections are refused", act: faulty(faultproxy.Fault{Kind: faultproxy.Refuse})},
		{name: "blackhole", what: "requests are taken and never answered", act: faulty(faultproxy.Fault{Kind: faultproxy.Blackhole})},
		{name: "reset", what: "connections are reset in the middle of the body", act: faulty(faultproxy.Fault{Kind: faultproxy.Reset, After: 1000})},
		{name: "slow", what: "one byte a second", act: faulty(faultproxy.Fault{Kind: faultproxy.Slow})},
		{name: "400", what: "400 to every request", act: faulty(answer(http.StatusBadRequest, nil))},
		{name: "400-once", what: "400 to the next request of each signal", act: faulty(faultproxy.Fault{
			Kind: faultproxy.Answer, Status: http.StatusBadRequest, Next: 1})},
		{name: "400-poison", what: "400 to requests with certain records", act: poison},
		{name: "401", what: "401 to every request", act: faulty(answer(http.StatusUnauthorized, nil))},
		{name: "413", what: "413 to every request", act: faulty(answer(http.StatusRequestEntityTooLarge, nil))},
		{name: "413-large", what: "413 to requests of more than 6,000 bytes", act: faulty(faultproxy.Fault{
			Kind: faultproxy.Answer, Status: http.StatusRequestEntityTooLarge, If: func(body []byte, _ int) bool { return len(body) > 6000 }})},
		{name: "429", what: "429 with Retry-After: 2", act: honoured(faulty(answer(http.StatusTooManyRequests, retryAfter)), 2*time.Second)},
		{name: "500", what: "500 to every request", act: faulty(answer(http.StatusInternalServerError, nil))},
		{name: "503", what: "503 to every request", act: faulty(answer(http.StatusServiceUnavailable, nil))},
		{name: "answer-lost", what: "the backend takes the request and its answer is lost", act: faulty(faultproxy.Fault{Kind: faultproxy.LoseAnswer})},
	}
}
