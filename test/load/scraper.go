// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/load/child"
	"github.com/k0rdent/kof/test/load/countproxy"
)

//go:embed configs/wire.yaml.tmpl
var wireText string

var wireTemplates = template.Must(template.New("wire").Option("missingkey=error").Parse(wireText))

// scraper is a collector that scrapes the targets into a VictoriaMetrics of its own, through a proxy that counts.
type scraper struct {
	name, binary string
	args         func(s *scraperSetup) []string
	storeless    bool // drops what it scrapes

	process  *child.Process
	store    *backends.Server
	proxy    *countproxy.Proxy
	metrics  string // URL of its own metrics
	profiles int    // port; 0: none
}

// scraperSetup is what its configuration is made of.
type scraperSetup struct {
	*targets
	Storage  string
	Dir      string
	Store    string // base URL, through the proxy
	Metrics  int    // loopback ports
	Profiles int
}

func (s *scraperSetup) config() string { return filepath.Join(s.Dir, "config.yaml") }

func collectorArgs(s *scraperSetup) []string { return []string{"--config", s.config()} }

func stockArgs(s *scraperSetup) []string { return []string{commandStock, s.config()} }

func vmagentArgs(s *scraperSetup) []string {
	return []string{
		"-promscrape.config=" + s.config(), "-remoteWrite.url=" + s.Store + "/api/v1/write",
		"-remoteWrite.tmpDataPath=" + filepath.Join(s.Dir, "queue"), fmt.Sprintf("-httpListenAddr=127.0.0.1:%d", s.Metrics),
	}
}

func (s *scraper) start(ctx context.Context, b *bench, t *targets) error {
	setup := &scraperSetup{targets: t, Storage: b.storage, Dir: b.join(s.name)}
	if err := os.MkdirAll(setup.Dir, 0o700); err != nil {
		return err
	}
	if !s.storeless {
		var err error
		if s.store, err = backends.StartVictoriaMetrics(ctx, backends.Options{Name: "store of " + s.name, Dir: filepath.Join(setup.Dir, "store")}); err != nil {
			return err
		}
		b.atEnd(s.store.Stop)
		if s.proxy, err = countproxy.Start(strings.TrimPrefix(s.store.URL, "http://")); err != nil {
			return err
		}
		b.atEnd(s.proxy.Close)
		setup.Store = "http://" + s.proxy.Address()
	}
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	setup.Metrics, setup.Profiles = ports[0], ports[1]
	s.metrics = fmt.Sprintf("http://127.0.0.1:%d/metrics", setup.Metrics)
	if s.name == "kof" || s.name == "stock" {
		s.profiles = setup.Profiles
	}
	if err := render(filepath.Join(setup.Dir, "regions.yaml"), "regions", setup); err != nil {
		return err
	}
	if err := render(setup.config(), s.name, setup); err != nil {
		return err
	}
	s.process, err = child.Start(ctx, child.Command{
		Name: s.name, Path: s.binary, Args: s.args(setup), Log: filepath.Join(setup.Dir, "log"),
		Ready: s.metrics,
	})
	if err != nil {
		return err
	}
	b.atEnd(func() error { s.process.Kill(); return nil })
	return nil
}

func render(path, name string, setup *scraperSetup) error {
	var text bytes.Buffer
	if err := wireTemplates.ExecuteTemplate(&text, name, setup); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return os.WriteFile(path, text.Bytes(), 0o600)
}

const (
	readPoll = 100 * time.Millisecond
	// readQuiet is how long after the last of a scrape's samples came the scraper has done with it.
	readQuiet = 700 * time.Millisecond
)

// readAfterScrape waits for a scrape of the largest target and reads when it is done with. Several intervals without one are an error.
// Where no target is a large part of all, one scrape more or less doesn't matter, and it reads at once.
func (s *scraper) readAfterScrape(ctx context.Context, t *targets) (reading, error) {
	last, err := s.read(ctx)
	if err != nil || t.largest < t.series/5 {
		return last, err
	}
	var came time.Time
	for began := time.Now(); time.Since(began) < 4*t.Interval; {
		if err := sleep(ctx, readPoll); err != nil {
			return last, err
		}
		now, err := s.read(ctx)
		if err != nil {
			return last, err
		}
		switch {
		case now.samples-last.samples >= int64(t.series/5): // smaller targets come when they like
			came = time.Now()
		case !came.IsZero() && time.Since(came) >= readQuiet:
			return now, nil
		}
		last = now
	}
	return last, fmt.Errorf("%s: no scrape came through in %s: the machine is too busy to measure; its log ends with:\n%s", s.name, 4*t.Interval, s.process.LogTail())
}

// read returns what it has used, and how many samples came through.
func (s *scraper) read(ctx context.Context) (r reading, err error) {
	if r.cpu, err = s.process.CPU(); err != nil {
		return r, err
	}
	m, err := s.process.Memory()
	if err != nil {
		return r, err
	}
	r.anonymous = m.Anonymous
	url, samples, part := s.metrics, "otelcol_receiver_accepted_metric_points", ""
	if !s.storeless {
		url, samples, part = s.store.URL+"/metrics", "vm_rows_inserted_total", `type="promremotewrite"`
		r.sent = s.proxy.Sent()
	}
	f, err := readFigures(ctx, url)
	if err != nil {
		return r, err
	}
	r.samples = int64(f.sum(samples, part))
	return r, nil
}

// series returns how many time series the store has.
func (s *scraper) series(ctx context.Context) (int, error) {
	if err := s.store.Flush(ctx); err != nil {
		return 0, err
	}
	body, err := get(ctx, s.store.URL+"/api/v1/series/count")
	if err != nil {
		return 0, err
	}
	var answer struct{ Data []int }
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.Data) != 1 {
		return 0, fmt.Errorf("%s: series count: %q", s.name, body)
	}
	return answer.Data[0], nil
}
