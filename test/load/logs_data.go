// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/k0rdent/kof/test/load/feed"
)

// logSource is lines of container logs, in CRI format and as JSON, in directories as the kubelet makes them.
type logSource struct {
	dir   string
	lines int
}

// logLine makes one line of about 300 bytes; n makes it differ from all others.
func logLine(rng *rand.Rand, texts *feed.Lines, kind string, n int) string {
	text := texts.Next()
	if kind == "plain" {
		return fmt.Sprintf("%s seq=%d", text, n)
	}
	b, err := json.Marshal(map[string]any{
		"level": []string{"info", "info", "info", "warn", "debug"}[rng.IntN(5)], "msg": text[len(text)-150 : len(text)-1],
		"trace": fmt.Sprintf("%016x%016x", rng.Uint64(), rng.Uint64()), "user": rng.IntN(1_000_000), "took_ms": rng.IntN(2000), "seq": n,
	})
	if err != nil {
		panic(err) // strings and numbers can be marshalled
	}
	return string(b)
}

// podDirOf is the directory of container i's logs.
func podDirOf(i int) string {
	return fmt.Sprintf("team-%d_checkout-5d9f7c6b8-%05d_6b1f2a34-0000-4000-8000-%012d", i%4, i*7919, i)
}

// writeLogs writes the lines of several containers: one in five goes to stderr, times are as a busy service's.
func writeLogs(dir, kind string, lines int) (*logSource, error) {
	rng := rand.New(rand.NewPCG(11, 11))
	texts := feed.NewLines(50_000)
	at := time.Now().Add(-time.Minute)
	n := 0
	for i := range logContainers {
		var files []*os.File
		var writers []*bufio.Writer
		for _, format := range []string{"cri", "json"} {
			path := filepath.Join(dir, format, podDirOf(i), "checkout")
			if err := os.MkdirAll(path, 0o700); err != nil {
				return nil, err
			}
			f, err := os.Create(filepath.Join(path, "0.log"))
			if err != nil {
				return nil, err
			}
			files, writers = append(files, f), append(writers, bufio.NewWriterSize(f, 1<<20))
		}
		for range lines / logContainers {
			at = at.Add(time.Duration(rng.IntN(50_000)))
			if err := errors.Join(writeLine(writers[0], writers[1], rng, at, logLine(rng, texts, kind, n))); err != nil {
				return nil, err
			}
			n++
		}
		for j := range files {
			if err := errors.Join(writers[j].Flush(), files[j].Close()); err != nil {
				return nil, err
			}
		}
	}
	return &logSource{dir: dir, lines: n}, nil
}

func writeLine(cri, asJSON io.Writer, rng *rand.Rand, at time.Time, line string) error {
	stream := "stdout"
	if rng.IntN(5) == 0 {
		stream = "stderr"
	}
	moment := at.UTC().Format("2006-01-02T15:04:05.000000000Z07:00")
	_, err := fmt.Fprintf(cri, "%s %s F %s\n", moment, stream, line)
	if err == nil && asJSON != nil {
		var text []byte
		if text, err = json.Marshal(line); err == nil {
			_, err = fmt.Fprintf(asJSON, `{"_time":"%s","stream":"%s","_msg":%s}`+"\n", moment, stream, text)
		}
	}
	return err
}

// putInto makes the lines appear in a directory, all at once: as links, since both names are on one file system.
func (s *logSource) putInto(pods string, asJSON bool) error {
	from := filepath.Join(s.dir, "cri")
	if asJSON {
		from = filepath.Join(s.dir, "json")
	}
	for i := range logContainers {
		staged := filepath.Join(filepath.Dir(pods), "staged")
		if err := os.MkdirAll(filepath.Join(staged, "checkout"), 0o700); err != nil {
			return err
		}
		if err := os.Link(filepath.Join(from, podDirOf(i), "checkout", "0.log"), filepath.Join(staged, "checkout", "0.log")); err != nil {
			return err
		}
		if err := os.Rename(staged, filepath.Join(pods, podDirOf(i))); err != nil {
			return err
		}
	}
	return nil
}

// writeSteadily appends lines to the logs of several containers at steadyRate.
func writeSteadily(ctx context.Context, pods string, length time.Duration, watch func() error) error {
	rng := rand.New(rand.NewPCG(12, 12))
	texts := feed.NewLines(50_000)
	var files []*os.File
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	for i := range logContainers {
		dir := filepath.Join(pods, podDirOf(i), "checkout")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		f, err := os.OpenFile(filepath.Join(dir, "0.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	const pause = 20 * time.Millisecond
	for began, n := time.Now(), 0; time.Since(began) < length; {
		due := int(time.Since(began).Seconds() * steadyRate)
		buffers := make([]*bufio.Writer, len(files))
		for i, f := range files {
			buffers[i] = bufio.NewWriter(f)
		}
		for ; n < due; n++ {
			if err := writeLine(buffers[n%len(files)], nil, rng, time.Now(), logLine(rng, texts, "plain", n)); err != nil {
				return err
			}
		}
		for _, b := range buffers {
			if err := b.Flush(); err != nil {
				return err
			}
		}
		if err := errors.Join(watch(), sleep(ctx, pause)); err != nil {
			return err
		}
	}
	return nil
}
