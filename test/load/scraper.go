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
	profiles int // port; 0: none
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
		Ready: fmt.Sprintf("http://127.0.0.1:%d/metrics", setup.Metrics),
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

// read returns what it has used, and what the store has taken of it.
func (s *scraper) read(ctx context.Context) (r reading, err error) {
	if r.cpu, err = s.process.CPU(); err != nil {
		return r, err
	}
	m, err := s.process.Memory()
	if err != nil {
		return r, err
	}
	r.anonymous = m.Anonymous
	if s.storeless {
		return r, nil
	}
	f, err := readFigures(ctx, s.store.URL+"/metrics")
	if err != nil {
		return r, err
	}
	r.samples, r.sent = int64(f.sum("vm_rows_inserted_total", `type="promremotewrite"`)), s.proxy.Sent()
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
