// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The ways in which logs are written and rotated.
const (
	styleKubelet      = iota // renamed, the one before compressed, as the kubelet does with containerd's
	styleCopyTruncate        // copied and cut, as logrotate does
	styleNumbers             // renamed to numbers that grow with age
	styleDocker              // JSON behind a symbolic link, rotated elsewhere
	styles
)

const (
	// rotateBytes is the size at which a log is rotated.
	rotateBytes = 300 << 10
	// keptFiles is how many rotated files are kept at least, and keptFor for how long: longer than the agent is ever away or behind.
	keptFiles = 12
	keptFor   = time.Minute
	partBytes = 16 << 10 // of what a runtime writes as one line
	// rotateWithin is after how many parts of lines that go on a log is rotated.
	rotateWithin = 50
)

// container is one that logs.
type container struct {
	name  string
	dir   string
	style int
	busy  bool

	random  *rand.Rand
	restart int
	file    *os.File
	size    int
	rotated []string
	numbers int // rotated files of styles with numbers
	lines   int // written, which are numbered from 0
}

type writers struct {
	containers []*container
	ended      chan struct{}
	once       sync.Once
	running    sync.WaitGroup
	failed     atomic.Pointer[error]
}

func startWriters(root string, o options) *writers {
	w := &writers{ended: make(chan struct{})}
	for i := range o.idle + o.busy {
		c := &container{name: fmt.Sprintf("c%d", i), style: i % styles, busy: i < o.busy, random: rand.New(rand.NewPCG(o.seed, uint64(i+1)))}
		c.dir = filepath.Join(root, fmt.Sprintf("chaos_pod-%d_00000000-0000-0000-0000-%012d", i, i), c.name)
		w.containers = append(w.containers, c)
		w.running.Go(func() {
			if err := c.run(w.ended); err != nil {
				w.failed.CompareAndSwap(nil, &err)
			}
		})
	}
	return w
}

func (w *writers) stop() {
	w.once.Do(func() { close(w.ended) })
	w.running.Wait()
}

func (w *writers) err() error {
	if err := w.failed.Load(); err != nil {
		return fmt.Errorf("writing logs: %w", *err)
	}
	return nil
}

func (w *writers) total() (n int) {
	for _, c := range w.containers {
		n += c.lines
	}
	return n
}

func (c *container) run(ended <-chan struct{}) error {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	if err := c.create(); err != nil {
		return err
	}
	for {
		pause := time.Duration(c.random.IntN(60)) * time.Millisecond
		if !c.busy {
			pause = time.Duration(c.random.IntN(20_000)) * time.Millisecond
		}
		select {
		case <-ended:
			return c.file.Close()
		case <-time.After(pause):
		}
		for range 1 + c.random.IntN(10) {
			if err := c.line(func() error { return c.rotateAway() }); err != nil {
				return err
			}
		}
		if c.size < rotateBytes {
			continue
		}
		if err := c.rotate(); err != nil {
			return err
		}
	}
}

// line writes one line of the container, which may be several of the file: short, of several parts, with bytes that are no UTF-8, huge. Between
// parts it may call rotate.
func (c *container) line(rotate func() error) error {
	text := fmt.Sprintf("id=%d level=info some text of a line that a service logs, and some more %d", c.lines, c.random.Uint64())
	switch n := c.random.IntN(1000); {
	case n < 20:
		text += strings.Repeat("x", c.random.IntN(5*partBytes))
	case n < 40:
		text += " \xff\xc3\x28 is not UTF-8"
	case n == 40:
		text += strings.Repeat("y", 400<<10) // longer than max_line_bytes
	}
	stream := "stdout"
	if c.random.IntN(4) == 0 {
		stream = "stderr"
	}
	var b strings.Builder
	for {
		part := text[:min(len(text), partBytes)]
		text = text[len(part):]
		last := text == ""
		at := time.Now().UTC().Format("2006-01-02T15:04:05.000000000Z")
		if c.style == styleDocker {
			end := ""
			if last {
				end = `\n`
			}
			part = strings.ToValidUTF8(part, "?") // Docker replaces such bytes itself
			fmt.Fprintf(&b, `{"log":"%s%s","stream":"%s","time":"%s"}`+"\n", part, end, stream, at)
		} else {
			tag := "P"
			if last {
				tag = "F"
			}
			fmt.Fprintf(&b, "%s %s %s %s\n", at, stream, tag, part)
		}
		if last {
			break
		}
		if rotate != nil && c.random.IntN(rotateWithin) == 0 {
			if err := c.write(&b); err != nil {
				return err
			}
			if err := rotate(); err != nil {
				return err
			}
		}
	}
	c.lines++
	return c.write(&b)
}

func (c *container) write(b *strings.Builder) error {
	c.size += b.Len()
	_, err := c.file.WriteString(b.String())
	b.Reset()
	return err
}

// path is where the runtime writes to; link is where the kubelet looks.
func (c *container) path() string {
	name := fmt.Sprintf("%d.log", c.restart)
	if c.style == styleDocker {
		return filepath.Join(filepath.Dir(filepath.Dir(filepath.Dir(c.dir))), "docker", c.name, fmt.Sprintf("%s-%d-json.log", c.name, c.restart))
	}
	return filepath.Join(c.dir, name)
}

func (c *container) create() (err error) {
	c.size = 0
	if c.style == styleDocker {
		if err := os.MkdirAll(filepath.Dir(c.path()), 0o755); err != nil {
			return err
		}
		link := filepath.Join(c.dir, fmt.Sprintf("%d.log", c.restart))
		if err := os.Symlink(c.path(), link); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	c.file, err = os.OpenFile(c.path(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	return err
}
