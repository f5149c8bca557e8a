// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"
)

// floorOf says what the lines of one container cost with nothing of a format around them: their texts, their times as differences, each
// compressed for itself in pieces of a request's size. The levels are that of the region exporter and the best one.
func floorOf(kind string, source *logSource) (rows [][]string, err error) {
	texts, times, lines, err := piecesOf(filepath.Join(source.dir, "cri", podDirOf(0), "checkout", "0.log"))
	if err != nil {
		return nil, err
	}
	var sum [2]float64
	for _, part := range []struct {
		name   string
		pieces [][]byte
	}{{"texts alone", texts}, {"times alone", times}} {
		row := []string{kind, part.name}
		for i, level := range []zstd.EncoderLevel{zstd.SpeedBetterCompression, zstd.SpeedBestCompression} {
			size, took, err := squeeze(part.pieces, level)
			if err != nil {
				return nil, err
			}
			perLine := float64(size) / float64(lines)
			sum[i] += perLine
			row = append(row, fmt.Sprintf("%.1f", perLine), fmt.Sprintf("%.2f", took.Seconds()*1e6/float64(lines)))
		}
		rows = append(rows, row)
	}
	return append(rows, []string{kind, "both", fmt.Sprintf("%.1f", sum[0]), "", fmt.Sprintf("%.1f", sum[1]), ""}), nil
}

// piecesOf cuts a file in CRI format into pieces of about a request's size, and takes them apart.
func piecesOf(path string) (texts, times [][]byte, lines int, err error) {
	const pieceBytes = 1 << 20
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, 0, err
	}
	defer f.Close()
	var text, stamps []byte
	var last int64
	scanner := bufio.NewScanner(f)
	for ; scanner.Scan(); lines++ {
		stamp, rest, _ := bytes.Cut(scanner.Bytes(), []byte(" "))
		at, err := time.Parse(time.RFC3339Nano, string(stamp))
		if err != nil {
			return nil, nil, 0, fmt.Errorf("%s, line %d: %w", path, lines, err)
		}
		stamps = binary.AppendVarint(stamps, at.UnixNano()-last)
		last = at.UnixNano()
		text = append(append(text, rest[len("stdout F "):]...), '\n')
		if len(text) >= pieceBytes {
			texts, times = append(texts, text), append(times, stamps)
			text, stamps = nil, nil
		}
	}
	return append(texts, text), append(times, stamps), lines, scanner.Err()
}

// squeeze returns the compressed size of pieces, and how long it took.
func squeeze(pieces [][]byte, level zstd.EncoderLevel) (size int, took time.Duration, err error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(level))
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	for _, piece := range pieces {
		size += len(enc.EncodeAll(piece, nil))
	}
	return size, time.Since(began), enc.Close()
}
