// SPDX-License-Identifier: Apache-2.0

// Package tap is an HTTP server in front of a store that takes OTLP, or in its place: it counts the records that were taken and how
// old log records were then.
package tap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxBody bounds a request, in bytes before and after decompression.
const maxBody = 64 << 20

// Tap is a running tap. Its methods may be called from several goroutines.
type Tap struct {
	target   string // base URL of the store; "" answers itself
	listener net.Listener
	server   http.Server
	ended    chan struct{}
	client   http.Client
	decoder  *zstd.Decoder

	requests, records, raw, wire atomic.Int64
	broken                       atomic.Int64 // requests that couldn't be counted
	mu                           sync.Mutex
	ages                         *Ages // nil: not measured
}

// Start starts a tap in front of the store at a base URL; with "" the tap takes everything itself.
func Start(target string) (*Tap, error) { return Listen("127.0.0.1:0", target) }

// Listen is Start on a given address.
func Listen(address, target string) (*Tap, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("tap: %w", err)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxBody))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tap: %w", err), listener.Close())
	}
	t := &Tap{target: target, listener: listener, ended: make(chan struct{}), decoder: decoder}
	t.client.Transport = &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	t.server = http.Server{Handler: t, ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(t.ended)
		_ = t.server.Serve(listener) // ends by Close, with an error that says so
	}()
	return t, nil
}

// URL is the tap's base URL.
func (t *Tap) URL() string { return "http://" + t.listener.Addr().String() }

// Close ends the tap and its connections.
func (t *Tap) Close() error {
	err := t.server.Close()
	<-t.ended
	t.client.CloseIdleConnections()
	t.decoder.Close()
	return err
}

// Totals is what was taken since the start.
type Totals struct {
	Requests, Records int64
	RawBytes          int64 // of bodies, decompressed
	WireBytes         int64 // of bodies, as they came
	Broken            int64 // requests that were not OTLP as it is expected; they are in none of the above
}

// Totals returns what was taken so far.
func (t *Tap) Totals() Totals {
	return Totals{
		Requests: t.requests.Load(), Records: t.records.Load(), RawBytes: t.raw.Load(), WireBytes: t.wire.Load(), Broken: t.broken.Load(),
	}
}

// Measure begins a new measurement of how old log records are when the store has taken them, and returns the one before; nil at first.
func (t *Tap) Measure() *Ages {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.ages
	t.ages = &Ages{}
	return before
}

// recordsPath answers how many records were taken, for who runs the tap in another process: as soon as there are at_least so many.
const recordsPath = "/records"

// ServeHTTP takes one export request. The last element of its path is the signal.
func (t *Tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Path == recordsPath {
		t.tell(w, r)
		return
	}
	wire, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return // the client has gone
	}
	if t.target != "" && !t.pass(w, r, wire) {
		return
	}
	raw, err := t.decode(r.Header.Get("Content-Encoding"), wire)
	if err == nil {
		err = t.count(path.Base(r.URL.Path), raw, time.Now())
	}
	if err != nil {
		t.broken.Add(1)
		return
	}
	t.requests.Add(1)
	t.raw.Add(int64(len(raw)))
	t.wire.Add(int64(len(wire)))
}

func (t *Tap) tell(w http.ResponseWriter, r *http.Request) {
	atLeast, err := strconv.ParseInt(r.FormValue("at_least"), 10, 64)
	if err != nil && r.FormValue("at_least") != "" {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for t.records.Load() < atLeast {
		select {
		case <-poll.C:
		case <-r.Context().Done():
			return
		}
	}
	fmt.Fprint(w, t.records.Load())
}

func (t *Tap) count(signal string, raw []byte, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var age func(time.Time)
	if t.ages != nil {
		age = func(at time.Time) { t.ages.add(now.Sub(at)) }
	}
	n, err := countRecords(signal, raw, age)
	t.records.Add(int64(n))
	return err
}

// pass gives a request to the store, passes its answer on, and says whether the store took it.
func (t *Tap) pass(w http.ResponseWriter, r *http.Request, body []byte) bool {
	// Not with the client's context: a request that has arrived is measured whether the client waits or not.
	req, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, t.target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return false
	}
	req.Header = r.Header.Clone()
	resp, err := t.client.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return false
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body) // a client that has gone needs no answer
	return resp.StatusCode/100 == 2
}

func (t *Tap) decode(encoding string, wire []byte) ([]byte, error) {
	switch encoding {
	case "zstd":
		return t.decoder.DecodeAll(wire, nil)
	case "gzip":
		r, err := gzip.NewReader(bytes.NewReader(wire))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(io.LimitReader(r, maxBody))
	case "":
		return wire, nil
	default:
		return nil, fmt.Errorf("unknown content encoding %q", encoding)
	}
}
