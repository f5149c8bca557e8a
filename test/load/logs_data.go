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
)

// logSource is lines of container logs, in CRI format and as JSON, in directories as the kubelet makes them.
type logSource struct {
	dir   string
	lines int
}

// lineMaker makes lines of about 300 bytes as services log them: requests of an ingress, or JSON objects of an application. What differs from
// line to line are numbers, addresses and names out of some hundreds; one in twenty has a trace's id.
type lineMaker struct {
	rng               *rand.Rand
	addresses, agents []string
	n                 int
}

func newLineMaker(seed uint64) *lineMaker {
	m := &lineMaker{rng: rand.New(rand.NewPCG(seed, seed))}
	for range 300 {
		m.addresses = append(m.addresses, fmt.Sprintf("10.%d.%d.%d", m.rng.IntN(8), m.rng.IntN(256), m.rng.IntN(256)))
	}
	for i := range 20 {
		m.agents = append(m.agents, fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.%d (KHTML, like Gecko) Chrome/1%02d.0.0.0 Safari/537.%d", i, i+10, i))
	}
	return m
}

var (
	paths    = []string{"/api/v1/items", "/api/v1/basket", "/api/v1/orders", "/api/v2/search", "/healthz", "/assets/app.js", "/login"}
	messages = []string{
		"request served from cache without asking the primary", "order accepted and payment authorised by the provider",
		"retry scheduled because the upstream answered slowly", "connection reset by peer while waiting for the response of the backend",
		"session renewed after the token had expired", "stock reserved and shipment created for the order",
	}
)

// line makes the next line; its number makes it differ from all others.
func (m *lineMaker) line(kind string, at time.Time) string {
	m.n++
	r := m.rng
	if kind == "plain" {
		return fmt.Sprintf(`%s - - [%s] "GET %s/%d HTTP/1.1" %d %d "https://shop.example.com/catalogue/%d" "%s" %d 0.%03d [shop-checkout-8080] [] 10.42.3.%d:8080 req=%d`,
			m.addresses[r.IntN(len(m.addresses))], at.UTC().Format("02/Jan/2006:15:04:05 -0700"), paths[r.IntN(len(paths))], r.IntN(2000),
			[]int{200, 200, 200, 304, 404}[r.IntN(5)], r.IntN(20_000), r.IntN(100), m.agents[r.IntN(len(m.agents))], 400+r.IntN(200), r.IntN(1000), r.IntN(20), m.n)
	}
	object := struct {
		Level    string `json:"level"`
		Time     string `json:"ts"`
		Logger   string `json:"logger"`
		Message  string `json:"msg"`
		Path     string `json:"path"`
		Status   int    `json:"status"`
		Duration int    `json:"took_ms"`
		Client   string `json:"client"`
		Tenant   string `json:"tenant"`
		Trace    string `json:"trace_id,omitempty"`
		Request  int    `json:"req"`
	}{
		[]string{"info", "info", "info", "warn", "debug"}[r.IntN(5)], at.UTC().Format(time.RFC3339), "com.example.shop.checkout.PaymentService",
		messages[r.IntN(len(messages))], paths[r.IntN(len(paths))], []int{200, 200, 200, 304, 404}[r.IntN(5)], r.IntN(1000),
		m.addresses[r.IntN(len(m.addresses))], fmt.Sprintf("tenant-%d", r.IntN(50)), "", m.n,
	}
	if r.IntN(20) == 0 {
		object.Trace = fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
	}
	b, err := json.Marshal(object)
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
	maker := newLineMaker(11)
	at := time.Now().Add(-time.Minute)
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
			at = at.Add(time.Duration(maker.rng.IntN(50_000)))
			if err := writeLine(writers[0], writers[1], maker.rng, at, maker.line(kind, at)); err != nil {
				return nil, err
			}
		}
		for j := range files {
			if err := errors.Join(writers[j].Flush(), files[j].Close()); err != nil {
				return nil, err
			}
		}
	}
	return &logSource{dir: dir, lines: maker.n}, nil
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

// writeSteadily appends lines to the logs in the folders of several containers at steadyRate, and returns how many.
func writeSteadily(ctx context.Context, dirs []string, length time.Duration, watch func() error) (int, error) {
	maker := newLineMaker(12)
	var files []*os.File
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return 0, err
		}
		f, err := os.OpenFile(filepath.Join(dir, "0.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return 0, err
		}
		files = append(files, f)
	}
	const pause = 20 * time.Millisecond
	for began := time.Now(); time.Since(began) < length; {
		due := int(time.Since(began).Seconds() * steadyRate)
		buffers := make([]*bufio.Writer, len(files))
		for i, f := range files {
			buffers[i] = bufio.NewWriter(f)
		}
		for now := time.Now(); maker.n < due; {
			if err := writeLine(buffers[maker.n%len(files)], nil, maker.rng, now, maker.line("plain", now)); err != nil {
				return maker.n, err
			}
		}
		for _, b := range buffers {
			if err := b.Flush(); err != nil {
				return maker.n, err
			}
		}
		if err := errors.Join(watch(), sleep(ctx, pause)); err != nil {
			return maker.n, err
		}
	}
	return maker.n, nil
}
