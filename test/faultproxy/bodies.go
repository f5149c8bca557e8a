// SPDX-License-Identifier: Apache-2.0

package faultproxy

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// cutBody breaks off after so many bytes.
type cutBody struct {
	io.ReadCloser
	left int64
}

var errCut = errors.New("the fault proxy cut the body off")

func (b *cutBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errCut
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// slowBody reads one byte a second.
type slowBody struct {
	io.ReadCloser
	ctx context.Context
}

func (b *slowBody) Read(p []byte) (int, error) {
	if err := slowly(b.ctx); err != nil {
		return 0, err
	}
	return b.ReadCloser.Read(p[:min(len(p), 1)])
}

// slowWriter writes one byte of the body a second.
type slowWriter struct {
	http.ResponseWriter
	ctx context.Context
}

func (w *slowWriter) Write(p []byte) (int, error) {
	for i := range p {
		if err := slowly(w.ctx); err != nil {
			return i, err
		}
		if _, err := w.ResponseWriter.Write(p[i : i+1]); err != nil {
			return i, err
		}
		if err := http.NewResponseController(w.ResponseWriter).Flush(); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

func (w *slowWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// statusWriter notes that the server has answered.
type statusWriter struct {
	http.ResponseWriter
	answered bool
}

func (w *statusWriter) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.answered = true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// discardWriter takes an answer that no one gets.
type discardWriter struct{ header http.Header }

func (w *discardWriter) Header() http.Header         { return w.header }
func (w *discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *discardWriter) WriteHeader(int)             {}
