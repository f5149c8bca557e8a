// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
	"github.com/k0rdent/kof/internal/region"
)

// httpSender posts payloads to one URL.
type httpSender struct {
	url      string
	name     string // the URL as logs may show it
	header   http.Header
	secrets  map[string]string // the headers that the directory sets
	auth     *credentials
	client   *http.Client
	payload  lanequeue.Format
	rejected func(body []byte) (items int64, message string) // what a 2xx answer says it left out; nil where the protocol can't say

	level     CompressionLevel
	encodings []string     // in the order to try
	encoding  atomic.Int32 // the index of the one in use
	proven    atomic.Bool  // a request in this encoding was delivered
}

func newRemoteWriteSender(e region.Endpoint, auth *credentials, t *tls.Config, cfg *Config, userAgent string) sender {
	s := newHTTPSender(e, auth, t, cfg, userAgent)
	s.payload = lanequeue.FormatRemoteWrite
	s.encodings = encodings(e.Compression, encodingZstd, encodingSnappy)
	s.header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	return s
}

func newOTLPHTTPSender(e region.Endpoint, sig signal, auth *credentials, t *tls.Config, cfg *Config, userAgent string) sender {
	s := newHTTPSender(e, auth, t, cfg, userAgent)
	s.payload = lanequeue.FormatOTLP
	s.encodings = encodings(e.Compression, encodingZstd, encodingGzip)
	s.rejected = partialSuccess
	if sig == signalLogs && s.header.Get(streamFieldsHeader) == "" {
		s.header.Set(streamFieldsHeader, strings.Join(cfg.Logs.StreamFields, ","))
	}
	return s
}

// streamFieldsHeader tells VictoriaLogs which fields make a stream; without it each resource attribute does.
const streamFieldsHeader = "VL-Stream-Fields"

func newHTTPSender(e region.Endpoint, auth *credentials, t *tls.Config, cfg *Config, userAgent string) *httpSender {
	s := &httpSender{
		url:    e.URL,
		level:  cfg.CompressionLevel,
		name:   shownURL(e.URL),
		header: http.Header{}, secrets: e.Headers,
		auth: auth,
		client: &http.Client{
			// Neither a redirect nor a proxy of the environment may lead data out of its zone.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
				TLSClientConfig:     t,
				TLSHandshakeTimeout: 10 * time.Second,
				MaxIdleConnsPerHost: cfg.Senders,
				IdleConnTimeout:     90 * time.Second,
				DisableCompression:  true,
			},
			Timeout: cfg.Timeout,
		},
	}
	for name, value := range e.Headers {
		s.header.Set(name, value)
	}
	s.header.Set("Content-Type", "application/x-protobuf")
	s.header.Set("User-Agent", userAgent)
	return s
}

func (s *httpSender) format() lanequeue.Format { return s.payload }

func (s *httpSender) close() { s.client.CloseIdleConnections() }

// send posts the payload in the encoding in use. While none was taken yet, a refusal may mean that the server doesn't know the
// encoding: then it tries the next one.
func (s *httpSender) send(ctx context.Context, payload []byte) answer {
	inUse := s.encoding.Load()
	a := s.post(ctx, payload, s.encodings[inUse])
	if a.verdict == delivered {
		// Some servers don't look at the encoding of what is empty.
		if len(payload) > 0 {
			s.proven.Store(true)
		}
		return a
	}
	next := inUse + 1
	unknown := a.class == "415" || (a.class == "400" && !s.proven.Load())
	if !unknown || int(next) >= len(s.encodings) {
		return a
	}
	b := s.post(ctx, payload, s.encodings[next])
	b.wireBytes += a.wireBytes
	if b.verdict != delivered {
		a.wireBytes = b.wireBytes
		return a
	}
	s.encoding.CompareAndSwap(inUse, next)
	if len(payload) > 0 {
		s.proven.Store(true)
	}
	return b
}

func (s *httpSender) post(ctx context.Context, payload []byte, encoding string) answer {
	body, err := compress(encoding, s.level, nil, payload)
	if err != nil {
		return answer{verdict: tryAgain, class: "compression", err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return answer{verdict: tryAgain, class: "request", err: err}
	}
	req.Header = s.header.Clone()
	if encoding != encodingNone {
		req.Header.Set("Content-Encoding", encoding)
	}
	authorization, err := s.auth.header()
	if err != nil {
		return answer{verdict: tryAgain, class: "credentials", err: err}
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}

	resp, err := s.client.Do(req)
	if err != nil {
		class := "network"
		var netErr net.Error
		if errors.As(err, &netErr) && netErr.Timeout() {
			class = "timeout"
		}
		var urlErr *url.Error
		if errors.As(err, &urlErr) {
			err = urlErr.Err // which doesn't repeat the URL
		}
		return answer{verdict: tryAgain, class: class, err: fmt.Errorf("%s: %w", s.name, err), wireBytes: len(body)}
	}
	a := s.read(resp, authorization)
	a.wireBytes = len(body)
	return a
}

// maxAnswerSize bounds what is read of an answer: enough for the words of any server.
const maxAnswerSize = 16 * kib

func (s *httpSender) read(resp *http.Response, authorization string) answer {
	defer resp.Body.Close()
	said := func(text []byte) string { return words(redact(text, authorization, s.secrets)) }
	// What can't be read of the body doesn't change what the status says.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswerSize))
	a := answer{class: strconv.Itoa(resp.StatusCode)}
	if resp.StatusCode/100 == 2 {
		if s.rejected != nil && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/x-protobuf") {
			var message string
			if a.rejected, message = s.rejected(body); a.rejected > 0 {
				a.err = fmt.Errorf("%s rejected %d items: %s", s.name, a.rejected, said([]byte(message)))
			}
		}
		return a
	}
	a.verdict = verdictOfStatus(resp.StatusCode)
	a.err = fmt.Errorf("%s answered %s: %s", s.name, said([]byte(resp.Status)), said(body))
	if a.verdict == tryAgain {
		a.retryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	}
	return a
}

// verdictOfStatus reads a status other than 2xx. Only what is said of the data ends attempts to deliver it: a wrong path (404) or
// password (401) is mended on the server's side or in the directory, while the data wait on disk.
func verdictOfStatus(status int) verdict {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return badData
	case http.StatusRequestEntityTooLarge:
		return tooLarge
	default:
		return tryAgain
	}
}

// retryAfter reads the header's seconds or date (RFC 9110, 10.2.3); 0 for neither.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

// words makes a server's message fit for a log line: at most 512 bytes of printable text.
func words(body []byte) string {
	const most = 512
	text := strings.ToValidUTF8(string(body[:min(len(body), most)]), "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text))
}
