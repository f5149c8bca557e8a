// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// idAttr is the attribute or label by which the tests know a record. Spans have it as their name, log records as their body.
const idAttr = "id"

// backend is an HTTP server of a region that the test controls. It reads what it is sent as the real ones do.
type backend struct {
	*httptest.Server
	t testing.TB

	mu       sync.Mutex
	requests []request
	stored   map[string]int                                   // ids of the records of all requests that were answered by 2xx
	answer   func(w http.ResponseWriter, r request) (ok bool) // answers a request, unless it is nil
}

// request is one that arrived, decoded.
type request struct {
	path     string
	header   http.Header
	encoding string
	ids      []string
	size     int // of the body as sent
}

// newBackend starts a backend whose answers are those of answer, or 200. ok says whether the records count as stored.
func newBackend(t testing.TB, answer func(http.ResponseWriter, request) (ok bool)) *backend {
	b := &backend{t: t, stored: map[string]int{}, answer: answer}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

// answerAlways is the same status for every request.
func answerAlways(status int) func(http.ResponseWriter, request) bool {
	return func(w http.ResponseWriter, _ request) bool {
		w.WriteHeader(status)
		return status/100 == 2
	}
}

func (b *backend) setAnswer(answer func(http.ResponseWriter, request) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = answer
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // cut off
	}
	req := request{path: r.URL.Path, header: r.Header, encoding: r.Header.Get("Content-Encoding"), size: len(body)}
	if req.ids, err = decodeIDs(r.URL.Path, req.encoding, body); err != nil {
		b.t.Errorf("%s, %s: %v", r.URL.Path, req.encoding, err)
	}
	b.mu.Lock()
	answer := b.answer
	b.requests = append(b.requests, req)
	b.mu.Unlock()
	ok := true
	if answer != nil {
		ok = answer(w, req)
	}
	if ok {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, id := range req.ids {
			b.stored[id]++
		}
	}
}

// seen returns the requests so far.
func (b *backend) seen() []request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

// has returns the ids of stored records with how often each was stored.
func (b *backend) has() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[string]int{}
	for id, n := range b.stored {
		all[id] = n
	}
	return all
}

func decompress(encoding string, body []byte) ([]byte, error) {
	switch encoding {
	case "":
		return body, nil
	case "zstd":
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer d.Close()
		return d.DecodeAll(body, nil)
	case "snappy":
		return snappy.Decode(nil, body)
	case "gzip":
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	default:
		return nil, fmt.Errorf("unknown encoding %q", encoding)
	}
}

// decodeIDs returns the ids of the records of a request. The last element of the path says what it carries.
func decodeIDs(path, encoding string, body []byte) (ids []string, err error) {
	raw, err := decompress(encoding, body)
	if err != nil {
		return nil, err
	}
	switch {
	case strings.HasSuffix(path, "/write"):
		var req prompb.WriteRequest
		if err := req.Unmarshal(raw); err != nil {
			return nil, err
		}
		for _, ts := range req.Timeseries {
			for _, l := range ts.Labels {
				if l.Name == idAttr {
					ids = append(ids, l.Value)
				}
			}
		}
	case strings.HasSuffix(path, "/logs"):
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(raw)
		return logIDs(ld), err
	case strings.HasSuffix(path, "/traces"):
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(raw)
		return spanIDs(td), err
	default:
		md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(raw)
		return pointIDs(md), err
	}
	return ids, nil
}
