// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Server serves pages over HTTP, compressed for whoever takes gzip, as a kubelet does.
type Server struct {
	listener net.Listener
	server   http.Server
	ended    chan struct{}
}

// Handler serves each page at its path. A page steps when it is asked for and minAge has passed since its last step, so that those who
// scrape at about the same time get the same.
func Handler(pages map[string]*Page, minAge time.Duration) http.Handler {
	mux := http.NewServeMux()
	for path, page := range pages {
		mux.Handle("GET "+path, &handler{page: page, minAge: minAge})
	}
	return mux
}

// Serve serves what Handler does on a free loopback port.
func Serve(pages map[string]*Page, minAge time.Duration) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("expositions: %w", err)
	}
	s := &Server{listener: listener, ended: make(chan struct{})}
	s.server = http.Server{Handler: Handler(pages, minAge), ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(s.ended)
		_ = s.server.Serve(listener) // ends by Close, with an error that says so
	}()
	return s, nil
}

// Address is the server's host:port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Close ends the server and its connections.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close()
	}
	<-s.ended
	return nil
}

type handler struct {
	minAge time.Duration

	mu      sync.Mutex
	page    *Page
	stepped time.Time
	plain   []byte
	gzipped []byte
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	gzipped := strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
	body, err := h.body(gzipped, time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	if gzipped {
		w.Header().Set("Content-Encoding", "gzip")
	}
	_, _ = w.Write(body) // a client that has gone needs nothing
}

// body returns the page; the slice is not changed any more.
func (h *handler) body(gzipped bool, now time.Time) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Sub(h.stepped) >= h.minAge {
		h.page.Step()
		h.stepped = now
		h.plain = h.page.Append(make([]byte, 0, len(h.plain)+1<<10), now)
		h.gzipped = nil
	}
	if !gzipped {
		return h.plain, nil
	}
	if h.gzipped == nil {
		var b strings.Builder
		z := gzip.NewWriter(&b)
		if _, err := z.Write(h.plain); err != nil {
			return nil, err
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
		h.gzipped = []byte(b.String())
	}
	return h.gzipped, nil
}
