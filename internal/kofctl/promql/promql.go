// SPDX-License-Identifier: Apache-2.0

// Package promql asks the stores of one or more regions, or Promxy in front of them, in PromQL.
package promql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheus "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/spf13/pflag"
)

// timeout bounds one query.
const timeout = 30 * time.Second

// Config is how the stores are reached. Every endpoint gets the same credentials.
type Config struct {
	URLs         []string // below which /api/v1/query is
	UsernameFile string   // read at each query; both or neither
	PasswordFile string
	CAFile       string // "": the system's authorities
}

// Flags adds the flags --metrics-url, --metrics-username-file, --metrics-password-file and --metrics-ca-file.
func (c *Config) Flags(f *pflag.FlagSet) {
	f.StringArrayVar(&c.URLs, "metrics-url", nil, "where PromQL is answered for the regions: Promxy, or VictoriaMetrics of each region (may be repeated)")
	f.StringVar(&c.UsernameFile, "metrics-username-file", "", "file with the user name for --metrics-url")
	f.StringVar(&c.PasswordFile, "metrics-password-file", "", "file with the password for --metrics-url")
	f.StringVar(&c.CAFile, "metrics-ca-file", "", "authority of --metrics-url (default: the system's)")
}

// Set tells whether there is a store to ask.
func (c *Config) Set() bool { return len(c.URLs) > 0 }

// Validate returns all problems, joined.
func (c *Config) Validate() error {
	var errs []error
	for _, u := range c.URLs {
		at, err := url.Parse(u)
		if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || at.User != nil {
			errs = append(errs, errors.New("--metrics-url: found what is not an absolute http or https URL without user name and password; allowed: as http://127.0.0.1:8082"))
		}
	}
	if (c.UsernameFile == "") != (c.PasswordFile == "") {
		errs = append(errs, errors.New("--metrics-username-file, --metrics-password-file: found one of the two; allowed: both or neither"))
	}
	return errors.Join(errs...)
}

// Sample is one series' value at one time.
type Sample struct {
	Labels map[string]string
	Value  float64
	Time   time.Time
}

// Query asks every endpoint for the value of an expression at a time, and returns what they answer one after the other. An endpoint that
// fails fails the whole: half a picture looks like a whole one.
func (c *Config) Query(ctx context.Context, expression string, at time.Time) ([]Sample, error) {
	rt, err := c.transport()
	if err != nil {
		return nil, err
	}
	defer rt.base.CloseIdleConnections()
	var out []Sample
	for _, u := range c.URLs {
		client, err := api.NewClient(api.Config{Address: strings.TrimSuffix(u, "/"), RoundTripper: rt})
		if err != nil {
			return nil, err
		}
		value, _, err := prometheus.NewAPI(client).Query(ctx, expression, at, prometheus.WithTimeout(timeout))
		if err != nil {
			return nil, fmt.Errorf("--metrics-url %s: %w", u, err)
		}
		vector, is := value.(model.Vector)
		if !is {
			return nil, fmt.Errorf("--metrics-url %s: found a %s; allowed: a vector", u, value.Type())
		}
		for _, s := range vector {
			labels := make(map[string]string, len(s.Metric))
			for k, v := range s.Metric {
				labels[string(k)] = string(v)
			}
			out = append(out, Sample{Labels: labels, Value: float64(s.Value), Time: s.Timestamp.Time()})
		}
	}
	return out, nil
}

// authorized adds credentials to requests.
type authorized struct {
	base               *http.Transport
	hosts              map[string]bool // credentials go nowhere else, also not by a redirection
	username, password string
}

func (a authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.username != "" && a.hosts[r.URL.Host] {
		r = r.Clone(r.Context())
		r.SetBasicAuth(a.username, a.password)
	}
	return a.base.RoundTrip(r)
}

func (c *Config) transport() (authorized, error) {
	out := authorized{base: http.DefaultTransport.(*http.Transport).Clone(), hosts: map[string]bool{}}
	for _, u := range c.URLs {
		if at, err := url.Parse(u); err == nil {
			out.hosts[at.Host] = true
		}
	}
	out.base.ResponseHeaderTimeout = timeout
	if c.UsernameFile != "" {
		for file, into := range map[string]*string{c.UsernameFile: &out.username, c.PasswordFile: &out.password} {
			text, err := os.ReadFile(file)
			if err != nil {
				return out, err
			}
			*into = strings.TrimRight(string(text), "\r\n")
		}
	}
	if c.CAFile != "" {
		text, err := os.ReadFile(c.CAFile)
		if err != nil {
			return out, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return out, fmt.Errorf("--metrics-ca-file %s: found no certificate; allowed: PEM", c.CAFile)
		}
		out.base.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return out, nil
}
