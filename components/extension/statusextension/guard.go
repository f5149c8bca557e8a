// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// maxConnections and maxAnswers bound what readers of the page, however many and slow, take from the agent: a connection some
	// 20 KiB, an answer with 3,000 lanes some MiB.
	maxConnections = 64
	maxAnswers     = 4
	maxHeaderBytes = 16 << 10
	// answerWait is how long a request waits for its turn.
	answerWait = 5 * time.Second
)

// guard lets through what a reader of the page may ask, and sets the headers that keep the page to itself.
func guard(next http.Handler, loopback bool, csp string) http.Handler {
	turns := make(chan struct{}, maxAnswers)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		// A site that has its name resolve to 127.0.0.1 would be of the same origin as the page, and could read it.
		if loopback && !namesLoopback(r.Host) {
			http.Error(w, "This address answers only to localhost and loopback addresses.", http.StatusMisdirectedRequest)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "Only GET and HEAD.", http.StatusMethodNotAllowed)
			return
		}
		if r.ContentLength != 0 {
			http.Error(w, "No body, please.", http.StatusRequestEntityTooLarge)
			return
		}
		overdue := time.NewTimer(answerWait)
		defer overdue.Stop()
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
			next.ServeHTTP(w, r)
		case <-overdue.C:
			h.Set("Retry-After", "5")
			http.Error(w, "Too many requests at once.", http.StatusServiceUnavailable)
		case <-r.Context().Done():
		}
	})
}

// namesLoopback says whether a Host header, with or without port, is this machine and nothing that a resolver could turn into it.
func namesLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil && addr.Unmap().IsLoopback()
}

// isLoopback says whether only this machine can reach a listener's address.
func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// limitConnections closes connections beyond maxConnections as soon as they come.
func limitConnections() func(net.Conn, http.ConnState) {
	var open atomic.Int64
	return func(c net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			if open.Add(1) > maxConnections {
				_ = c.Close() // the server notices and says StateClosed
			}
		case http.StateClosed, http.StateHijacked:
			open.Add(-1)
		}
	}
}
