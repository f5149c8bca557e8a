// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// The values of Content-Encoding that the exporter can send.
const (
	encodingZstd   = "zstd"
	encodingSnappy = "snappy" // the block format, as remote write has it
	encodingGzip   = "gzip"
	encodingNone   = ""
)

// effort says how much CPU time compression may take.
type effort bool

const (
	// effortLow is for logs and traces: of their bytes there are many, and most don't repeat.
	effortLow effort = false
	// effortHigh is for remote write, whose labels repeat from series to series and from scrape to scrape: beside effortLow it takes a
	// quarter to a third less on the wire, for some 1.5 µs a sample.
	effortHigh effort = true
)

var (
	// Encoders are pooled, since each keeps tables of some MB.
	zstdEncoders = map[effort]*sync.Pool{effortLow: zstdPool(zstd.SpeedFastest), effortHigh: zstdPool(zstd.SpeedBetterCompression)}
	gzipWriters  = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
)

func zstdPool(level zstd.EncoderLevel) *sync.Pool {
	return &sync.Pool{New: func() any {
		enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(level), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // only options that don't exist fail
		}
		return enc
	}}
}

// compress appends the compressed src to dst. The effort matters for zstd alone.
func compress(encoding string, e effort, dst, src []byte) ([]byte, error) {
	switch encoding {
	case encodingZstd:
		enc := zstdEncoders[e].Get().(*zstd.Encoder)
		defer zstdEncoders[e].Put(enc)
		return enc.EncodeAll(src, dst), nil
	case encodingSnappy:
		return append(dst, snappy.Encode(nil, src)...), nil
	case encodingGzip:
		w := gzipWriters.Get().(*gzip.Writer)
		defer gzipWriters.Put(w)
		buf := bytes.NewBuffer(dst)
		w.Reset(buf)
		if _, err := w.Write(src); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		return buf.Bytes(), nil
	case encodingNone:
		return append(dst, src...), nil
	default:
		return nil, fmt.Errorf("no compression is called %q", encoding)
	}
}

// encodings returns what to try, in order: the one that the directory names, or the best and then what every server takes.
func encodings(named string, best, fallback string) []string {
	switch named {
	case "":
		return []string{best, fallback}
	case "none":
		return []string{encodingNone}
	default:
		return []string{named}
	}
}
