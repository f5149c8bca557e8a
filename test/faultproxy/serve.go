// SPDX-License-Identifier: Apache-2.0

package faultproxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxBody bounds what is kept of a body to look at it, in bytes.
const maxBody = 64 << 20

// ServeHTTP handles one request as the fault in force says.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := p.begin()
	if !ok {
		cut(w)
		return
	}
	defer p.handlers.Done()
	p.counts.requests.Add(1)
	if f.Kind == Pass || !picked(&f.Fault, r) || !p.meets(&f) {
		p.count(p.pass(w, r), r, &p.counts.failed)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(f.ctx, cancel)()

	// What the fault breaks is no failure of the server.
	failed := &p.counts.faulted
	switch f.Kind {
	case Answer:
		failed.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		maps.Copy(w.Header(), f.Header)
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Body)
	case Reset:
		r.Body = &cutBody{r.Body, min(int64(f.After), max(0, r.ContentLength/2))}
		p.count(p.pass(w, r), r, failed)
	case Slow:
		r.Body = &slowBody{r.Body, ctx}
		p.count(p.pass(&slowWriter{w, ctx}, r), r, failed)
	case LoseAnswer:
		if p.pass(&discardWriter{header: http.Header{}}, r) {
			p.counts.lost.Add(1)
		} else {
			failed.Add(1)
		}
		cut(w)
	case Blackhole:
		failed.Add(1)
		<-ctx.Done()
		cut(w)
	default: // refused while it arrived
		failed.Add(1)
		cut(w)
	}
}

// count books what became of a request that was passed on.
func (p *Proxy) count(answered bool, r *http.Request, failed *atomic.Int64) {
	switch {
	case !answered:
		failed.Add(1)
	case r.Context().Err() != nil:
		p.counts.lost.Add(1)
	default:
		p.counts.answered.Add(1)
	}
}

// pass forwards, and says whether the server answered. It does so also when the client has gone: the answer says that the server
// has the data.
func (p *Proxy) pass(w http.ResponseWriter, r *http.Request) (answered bool) {
	noted := &statusWriter{ResponseWriter: w}
	defer func() {
		switch err := recover(); err {
		case nil:
		case http.ErrAbortHandler: // the answer broke off on its way
			cut(w)
		default:
			panic(err)
		}
		answered = noted.answered
	}()
	p.forward.ServeHTTP(noted, r.WithContext(context.WithoutCancel(r.Context())))
	return
}

// picked says whether the fault is for this request; it reads the body for that.
func picked(f *Fault, r *http.Request) bool {
	if f.If == nil {
		return true
	}
	wire, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(wire), r.Body), r.Body}
	if err != nil || len(wire) > maxBody {
		return false
	}
	body, err := decode(r.Header.Get("Content-Encoding"), wire)
	return err == nil && f.If(body, len(wire))
}

func decode(encoding string, wire []byte) ([]byte, error) {
	if len(wire) == 0 {
		return nil, nil
	}
	switch encoding {
	case "":
		return wire, nil
	case "snappy":
		if n, err := snappy.DecodedLen(wire); err != nil || n > maxBody {
			return nil, errors.Join(err, errors.New("too large"))
		}
		return snappy.Decode(nil, wire)
	case "gzip":
		r, err := gzip.NewReader(bytes.NewReader(wire))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(io.LimitReader(r, maxBody))
	case "zstd":
		r, err := zstd.NewReader(bytes.NewReader(wire), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return io.ReadAll(io.LimitReader(r, maxBody))
	default:
		return nil, errors.New("unknown content encoding " + encoding)
	}
}

// cut ends the client's connection by a TCP reset.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // it is gone, or the answer isn't for a connection
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// slowly waits before one byte, and says whether to go on.
func slowly(ctx context.Context) error {
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
