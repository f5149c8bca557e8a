// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// requestTimeout bounds a request whose context has no deadline.
	requestTimeout = 60 * time.Second
	// maxAnswer is how much of an answer is read, in bytes.
	maxAnswer = 256 << 20
	// maxErrorBody is how much of a refusal's body an error shows, in bytes.
	maxErrorBody = 4 << 10
)

var errAnswerTooBig = fmt.Errorf("the answer is over %d MiB; narrow the query", maxAnswer>>20)

// client keeps no connection open: an idle one is a goroutine that a leak check
// in a test would find.
var client = &http.Client{Timeout: requestTimeout, Transport: &http.Transport{DisableKeepAlives: true}}

// statusError is an answer with a status other than 2xx.
type statusError struct {
	code int
	body string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("HTTP status %d: %s", e.code, e.body)
}

// post sends a form to a path below s.URL and gives the answer's body to read.
// Forms are posted because queries may be longer than a URL can be.
func (s *Server) post(ctx context.Context, path string, form url.Values, read func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return s.named(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(req, read)
}

func (s *Server) get(ctx context.Context, path string, query url.Values, read func(io.Reader) error) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		return s.named(err)
	}
	return s.do(req, read)
}

func (s *Server) do(req *http.Request, read func(io.Reader) error) error {
	resp, err := client.Do(req)
	if err != nil {
		return s.named(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		err = &statusError{code: resp.StatusCode, body: string(bytes.TrimSpace(body))}
	} else {
		err = read(&limitedReader{r: resp.Body, left: maxAnswer})
	}
	if err != nil {
		return s.named(fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err))
	}
	return nil
}

// limitedReader fails, unlike io.LimitedReader, when there is more than allowed.
type limitedReader struct {
	r    io.Reader
	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errAnswerTooBig
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// decodeInto decodes one JSON value.
func decodeInto(v any) func(io.Reader) error {
	return func(r io.Reader) error { return json.NewDecoder(r).Decode(v) }
}

// decodeLines decodes a stream of JSON values and calls each with every one.
func decodeLines[T any](each func(T)) func(io.Reader) error {
	return func(r io.Reader) error {
		decoder := json.NewDecoder(r)
		for {
			var v T
			if err := decoder.Decode(&v); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			each(v)
		}
	}
}

// Flush makes everything that VictoriaMetrics or VictoriaLogs has accepted
// visible to queries. Jaeger needs none and refuses it.
func (s *Server) Flush(ctx context.Context) error {
	return s.get(ctx, "/internal/force_flush", nil, func(io.Reader) error { return nil })
}
