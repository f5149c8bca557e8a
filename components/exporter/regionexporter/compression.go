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

// CompressionLevel says how much CPU time zstd may take.
type CompressionLevel string

// The values of CompressionLevel. On remote write, better sends some 20 % less than fastest, on logs some 8 %, for one or two
// nanoseconds of CPU time per byte.
const (
	CompressionFastest CompressionLevel = "fastest"
	CompressionDefault CompressionLevel = "default"
	CompressionBetter  CompressionLevel = "better"
)

// zstdWindow is as far back as a repetition is looked for. A request is rarely larger, and an encoder's memory grows with it.
const zstdWindow = 2 * mib

var (
	// Encoders are pooled, since each keeps tables of 3 to 7 MB.
	zstdEncoders = map[CompressionLevel]*sync.Pool{
		CompressionFastest: zstdPool(zstd.SpeedFastest),
		CompressionDefault: zstdPool(zstd.SpeedDefault),
		CompressionBetter:  zstdPool(zstd.SpeedBetterCompression),
	}
	gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
)

func zstdPool(level zstd.EncoderLevel) *sync.Pool {
	return &sync.Pool{New: func() any {
		enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(level), zstd.WithWindowSize(zstdWindow),
			zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // only options that don't exist fail
		}
		return enc
	}}
}

// compress appends the compressed src to dst. The level is that of zstd; others have none.
func compress(encoding string, level CompressionLevel, dst, src []byte) ([]byte, error) {
	switch encoding {
	case encodingZstd:
		enc := zstdEncoders[level].Get().(*zstd.Encoder)
		defer zstdEncoders[level].Put(enc)
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
