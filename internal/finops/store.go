// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	prometheus "github.com/prometheus/client_golang/api/prometheus/v1"
)

// MaxSeries is how many groups one query may have. More than that is no report that anyone reads, and some 200 MB of memory.
const MaxSeries = 200_000

// minChunk is the shortest time that a query is cut down to when the store says that the whole is too much for it.
const minChunk = time.Hour

// Sample is one group's value.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Querier evaluates a PromQL expression at a time, on one or several stores whose answers are put one after the other.
type Querier interface {
	Query(ctx context.Context, expression string, at time.Time) ([]Sample, error)
}

// Store is where costs are asked for.
type Store struct {
	Querier
	// Match are matchers of labels, `namespace="shop"`, that all series of costs have to fulfil. Those whose label a series can't have, such
	// as a namespace of a node's idle cost, leave out that series.
	Match []string
}

var matcherSyntax = regexp.MustCompile(`^([a-zA-Z_][a-zA-Z0-9_]*)(=~|!~|!=|=)(.*)$`)

// ParseMatch turns `namespace=shop` (or !=, =~, !~) into a matcher of PromQL.
func ParseMatch(text string) (string, error) {
	m := matcherSyntax.FindStringSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("found %q; allowed: LABEL=VALUE, LABEL!=VALUE, LABEL=~REGEXP, LABEL!~REGEXP", text)
	}
	if strings.HasSuffix(m[2], "~") {
		if _, err := regexp.Compile(m[3]); err != nil {
			return "", fmt.Errorf("found %q; allowed: a regular expression of Go's syntax: %w", text, err)
		}
	}
	return fmt.Sprintf("%s%s%q", m[1], m[2], m[3]), nil
}

// selector is a metric with the matchers, and more.
func (s Store) selector(metric string, more ...string) string {
	return metric + "{" + strings.Join(append(slices.Clone(more), s.Match...), ",") + "}"
}

// sum sums up a function over a window, by labels: `increase` of counters, or another whose values for parts of the window add up to that
// for the whole. A window that is too much for the store is asked for in halves.
func (s Store) sum(ctx context.Context, function, selector string, by []string, w Window) ([]Sample, error) {
	found, err := s.bounded(ctx, fmt.Sprintf("sum by (%s) (%s(%s[%ds]))", strings.Join(by, ", "), function, selector, int64(w.Length().Seconds())), w.End)
	if err == nil || !tooMuch(err) || w.Length() < 2*minChunk {
		return found, err
	}
	middle := w.Start.Add((w.Length() / 2).Truncate(time.Minute))
	first, err := s.sum(ctx, function, selector, by, Window{w.Start, middle})
	if err != nil {
		return nil, err
	}
	second, err := s.sum(ctx, function, selector, by, Window{middle, w.End})
	return merge(by, first, second), err
}

// bounded refuses answers that are too large, and leaves out what is no number.
func (s Store) bounded(ctx context.Context, expression string, at time.Time) ([]Sample, error) {
	found, err := s.Query(ctx, expression, at)
	if err != nil {
		return nil, err
	}
	if len(found) > MaxSeries {
		return nil, fmt.Errorf("found %d groups of cost; allowed: %d. Ask for less: a coarser --by, a --match, or a shorter --window", len(found), MaxSeries)
	}
	return slices.DeleteFunc(found, func(f Sample) bool { return math.IsNaN(f.Value) || math.IsInf(f.Value, 0) }), nil
}

// tooMuch says whether the store might answer a shorter question: it gave up on this one, rather than not understanding or not allowing it.
func tooMuch(err error) bool {
	var api *prometheus.Error
	if !errors.As(err, &api) {
		var network net.Error
		return errors.As(err, &network) && network.Timeout()
	}
	switch api.Type {
	case prometheus.ErrExec, prometheus.ErrTimeout, prometheus.ErrCanceled, prometheus.ErrServer, "422": // VictoriaMetrics names the type by the status
		return true
	}
	return false
}

// merge adds up the samples of two answers.
func merge(by []string, answers ...[]Sample) []Sample {
	all := map[string]*Sample{}
	for _, a := range answers {
		for _, s := range a {
			key := keyOf(s.Labels, by)
			if sum, ok := all[key]; ok {
				sum.Value += s.Value
			} else {
				all[key] = &Sample{maps.Clone(s.Labels), s.Value}
			}
		}
	}
	out := make([]Sample, 0, len(all))
	for _, s := range all {
		out = append(out, *s)
	}
	return out
}

// keyOf joins the values of labels; no label has the character between.
func keyOf(labels map[string]string, by []string) string {
	values := make([]string, len(by))
	for i, l := range by {
		values[i] = labels[l]
	}
	return strings.Join(values, "\x00")
}
