// SPDX-License-Identifier: Apache-2.0

// Package exposition makes the pages that a kubelet and services serve to Prometheus, in the names, labels and kinds of values that real
// ones have, with values that change from scrape to scrape as those do: what compression reaches depends on both.
//
// A page moves by a scrape interval of 30 seconds whenever it is asked to, so that scraping it every few seconds gives the changes
// of a real interval. Pages of one seed are alike in every run.
package exposition

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// interval is by how much a step moves a page.
const interval = 30.0 // seconds

// Page is an exposition in Prometheus' text format. It is for one goroutine.
type Page struct {
	rng      *rand.Rand
	families []*family
	byName   map[string]*family
}

type family struct {
	header string
	series []series
}

// series is one line. What the value is made of is the value's affair.
type series struct {
	text  string // name and labels, and the space behind them
	value value
	// lag is how long before the scrape the value was read, for pages that say so; 0: no time is given.
	lag time.Duration
}

// value is what a series shows, and how it changes.
type value interface {
	step(*rand.Rand)
	current(now time.Time) float64
}

func newPage(seed uint64) *Page {
	return &Page{rng: rand.New(rand.NewPCG(seed, 1)), byName: map[string]*family{}}
}

// family returns the family of that name, new ones with a HELP and a TYPE line.
func (p *Page) family(name, kind string) *family {
	f, ok := p.byName[name]
	if !ok {
		f = &family{header: fmt.Sprintf("# HELP %s %s of the node.\n# TYPE %s %s\n", name, name, name, kind)}
		p.byName[name] = f
		p.families = append(p.families, f)
	}
	return f
}

func (f *family) add(name, labels string, v value, lag time.Duration) {
	text := name + " "
	if labels != "" {
		text = name + "{" + labels + "} "
	}
	f.series = append(f.series, series{text: text, value: v, lag: lag})
}

// Step moves all values by one scrape interval.
func (p *Page) Step() {
	for _, f := range p.families {
		for i := range f.series {
			f.series[i].value.step(p.rng)
		}
	}
}

// Append appends the page as it is at now.
func (p *Page) Append(dst []byte, now time.Time) []byte {
	for _, f := range p.families {
		dst = append(dst, f.header...)
		for i := range f.series {
			s := &f.series[i]
			dst = append(dst, s.text...)
			dst = strconv.AppendFloat(dst, s.value.current(now), 'g', -1, 64)
			if s.lag != 0 {
				dst = append(dst, ' ')
				dst = strconv.AppendInt(dst, now.Add(-s.lag).UnixMilli(), 10)
			}
			dst = append(dst, '\n')
		}
	}
	return dst
}

// Series is how many lines with values the page has.
func (p *Page) Series() int {
	n := 0
	for _, f := range p.families {
		n += len(f.series)
	}
	return n
}

// constant doesn't change.
type constant float64

func (c constant) step(*rand.Rand)           {}
func (c constant) current(time.Time) float64 { return float64(c) }

// unixNow is the time of the scrape in whole seconds.
type unixNow struct{}

func (unixNow) step(*rand.Rand)               {}
func (unixNow) current(now time.Time) float64 { return float64(now.Unix()) }

// counter counts whole things, at a mean rate per second.
type counter struct{ total, rate float64 }

func (c *counter) step(rng *rand.Rand)       { c.total += arrivals(rng, c.rate*interval) }
func (c *counter) current(time.Time) float64 { return c.total }

// arrivals draws how many things of a mean number happen.
func arrivals(rng *rand.Rand, mean float64) float64 {
	if mean <= 0 {
		return 0
	}
	if mean < 1 {
		if rng.Float64() < mean {
			return 1
		}
		return 0
	}
	return max(0, math.Round(mean+rng.NormFloat64()*math.Sqrt(mean)*2))
}

// seconds is a time that a kernel counts in units, such as microseconds of CPU.
type seconds struct {
	units     float64 // counted so far
	perSecond float64 // units in a second
	share     float64 // of the time that passes
}

func (s *seconds) step(rng *rand.Rand) {
	s.units += math.Round(s.share * interval * s.perSecond * (0.7 + 0.6*rng.Float64()))
}

// current divides, as cadvisor does: multiplying by a fraction would leave digits behind that real values don't have.
func (s *seconds) current(time.Time) float64 { return s.units / s.perSecond }

// level goes up and down in whole units, such as pages of memory.
type level struct{ at, unit, wander float64 }

func (l *level) step(rng *rand.Rand) {
	if l.wander > 0 {
		l.at = max(1, math.Round(l.at*(1+l.wander*rng.NormFloat64())))
	}
}
func (l *level) current(time.Time) float64 { return l.at * l.unit }
