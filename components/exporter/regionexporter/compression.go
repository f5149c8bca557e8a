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

var (
	// Encoders are pooled, since each keeps tables of some MB.
	zstdEncoders = sync.Pool{New: func() any {
		enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // only options that don't exist fail
		}
		return enc
	}}
	gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
)

// compress appends the compressed src to dst.
func compress(encoding string, dst, src []byte) ([]byte, error) {
	switch encoding {
	case encodingZstd:
		enc := zstdEncoders.Get().(*zstd.Encoder)
		defer zstdEncoders.Put(enc)
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
