// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// attemptTimeout ends one attempt.
	attemptTimeout = 30 * time.Second
	// retryWait is the time from a refusal to the next attempt.
	retryWait = 20 * time.Millisecond
)

// Request makes the next request of a sender; at is when its records happen.
type Request func(at time.Time) ([]byte, error)

// Feed is running senders.
type Feed struct {
	url    string
	client *http.Client
	cancel context.CancelFunc
	ended  sync.WaitGroup

	requests, bytes, refused atomic.Int64
	mu                       sync.Mutex
	refusal                  error
	failed                   error
}

// Start begins to send, with one connection for each of the makers of requests, to the URL at which an OTLP/HTTP receiver takes a signal.
// With an interval each sends a request every interval, and gives records the time at which they should have been sent; with 0 it sends as
// fast as requests are taken. A request that is refused is sent again until it is taken.
func Start(url string, interval time.Duration, makers ...Request) *Feed {
	return start(url, interval, &http.Transport{MaxIdleConnsPerHost: len(makers)}, makers)
}

// StartFrom is Start from a local IP address: a pod's, by which a collector knows it.
func StartFrom(ip, url string, interval time.Duration, makers ...Request) *Feed {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	return start(url, interval, &http.Transport{MaxIdleConnsPerHost: len(makers), DialContext: dialer.DialContext}, makers)
}

func start(url string, interval time.Duration, transport *http.Transport, makers []Request) *Feed {
	ctx, cancel := context.WithCancel(context.Background())
	f := &Feed{url: url, cancel: cancel, client: &http.Client{Timeout: attemptTimeout, Transport: transport}}
	for _, next := range makers {
		f.ended.Go(func() { f.run(ctx, interval, next) })
	}
	return f
}

func (f *Feed) run(ctx context.Context, interval time.Duration, next Request) {
	due := time.Now()
	for ctx.Err() == nil {
		at := time.Now()
		if interval > 0 {
			sleep(ctx, time.Until(due))
			at = due
			due = due.Add(interval)
		}
		body, err := next(at)
		if err != nil {
			f.mu.Lock()
			f.failed = err
			f.mu.Unlock()
			return
		}
		for ctx.Err() == nil {
			if err := f.post(ctx, body); err == nil {
				f.requests.Add(1)
				f.bytes.Add(int64(len(body)))
				break
			} else if ctx.Err() == nil {
				f.refused.Add(1)
				f.mu.Lock()
				f.refusal = err
				f.mu.Unlock()
				sleep(ctx, retryWait)
			}
		}
	}
}

// post also ends when ctx has ended: whether a request that is given up was taken would not be known.
func (f *Feed) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, f.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := f.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resp.Status, answer)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Report is what was taken so far.
type Report struct {
	Requests, Bytes int64
	// Refused attempts were answered by another status than 200, or not at all; LastRefusal is one of them.
	Refused     int64
	LastRefusal error
}

// Report returns what was taken so far.
func (f *Feed) Report() Report {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Report{Requests: f.requests.Load(), Bytes: f.bytes.Load(), Refused: f.refused.Load(), LastRefusal: f.refusal}
}

// Stop ends all senders after the requests under way. It returns an error when a request could not be made.
func (f *Feed) Stop() error {
	f.cancel()
	f.ended.Wait()
	f.client.CloseIdleConnections()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}
