// SPDX-License-Identifier: Apache-2.0

package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	// attemptTimeout ends one attempt of a sender.
	attemptTimeout = 10 * time.Second
	// retryWait is the time from an attempt that failed to the next.
	retryWait = 100 * time.Millisecond
)

// Sender sends the requests of one stream, one after the other, at most one every interval.
type Sender struct {
	Stream
	url      string
	interval time.Duration
	client   *http.Client
	cancel   context.CancelFunc
	ended    chan struct{}

	mu     sync.Mutex // guards report
	report Report
}

// Report is what a sender has done.
type Report struct {
	// Requests were begun; only the last of them may be unacknowledged.
	Requests int
	// Acks has one element for each acknowledged request, in order.
	Acks []Ack
	// Unanswered attempts may or may not have been taken.
	Unanswered int
	// Refused attempts were answered by another status than 2xx; LastRefusal is such an answer.
	Refused     int
	LastRefusal string
}

// Ack is the acknowledgement of one request.
type Ack struct {
	At time.Time
	// Took is the time from the first attempt.
	Took time.Duration
}

// Acknowledged is how many records were acknowledged: those from 0 on.
func (s *Sender) Acknowledged() int { return len(s.Report().Acks) * s.PerRequest }

// Start begins to send to a collector's OTLP/HTTP receiver; url is its base.
func Start(url string, s Stream, interval time.Duration) *Sender {
	ctx, cancel := context.WithCancel(context.Background())
	sender := &Sender{
		Stream: s, url: url + "/v1/" + string(s.Signal), interval: interval, cancel: cancel, ended: make(chan struct{}),
		client: &http.Client{Timeout: attemptTimeout, Transport: &http.Transport{}},
	}
	go sender.run(ctx)
	return sender
}

// Stop ends the sender. A request under way is given up.
func (s *Sender) Stop() {
	s.cancel()
	<-s.ended
}

// Report returns what the sender has done up to now. The caller may keep it.
func (s *Sender) Report() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.report
	r.Acks = r.Acks[:len(r.Acks):len(r.Acks)]
	return r
}

func (s *Sender) note(f func(*Report)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.report)
}

func (s *Sender) run(ctx context.Context) {
	defer close(s.ended)
	defer s.client.CloseIdleConnections()
	ticker := time.NewTicker(s.interval)
	defer ticker.Stop()
	for k := 0; ; k++ {
		body, err := s.Request(k)
		if err != nil {
			panic(err) // made by this package of its own data
		}
		s.note(func(r *Report) { r.Requests++ })
		began := time.Now()
		for !s.attempt(ctx, body) {
			if !wait(ctx, time.After(retryWait)) {
				return
			}
		}
		now := time.Now()
		s.note(func(r *Report) { r.Acks = append(r.Acks, Ack{At: now, Took: now.Sub(began)}) })
		if !wait(ctx, ticker.C) {
			return
		}
	}
}

// wait says false when ctx has ended.
func wait(ctx context.Context, until <-chan time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-until:
		return ctx.Err() == nil
	}
}

// attempt sends once, and says whether it was acknowledged.
func (s *Sender) attempt(ctx context.Context, body []byte) bool {
	// The answer is waited for also when the sender is to stop, so that less is left uncertain.
	req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		panic(err) // the URL is this program's
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := s.client.Do(req)
	if err != nil {
		s.note(func(r *Report) { r.Unanswered++ })
		return false
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // the status says enough
	if resp.StatusCode/100 == 2 {
		return true
	}
	s.note(func(r *Report) {
		r.Refused++
		r.LastRefusal = fmt.Sprintf("%s: %q", resp.Status, answer)
	})
	return false
}
