// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/logline"
)

// randomStreams writes parts of lines to both streams at once, some of them late to a file that was renamed, where lines wait for their rest
// for some seconds only and may be joined.
type randomStreams struct {
	*randomContainer
	multiline bool
	parts     int
	within    [logline.Streams]bool            // a line
	written   [logline.Streams]strings.Builder // texts of all parts
	renamed   string                           // where late lines go
	late      bool                             // some did
}

func (x *randomStreams) write() {
	s := logline.Stream(x.rng.IntN(int(logline.Streams)))
	text := fmt.Sprintf("[%d]", x.parts)
	if x.rng.IntN(4) == 0 {
		text += strings.Repeat("x", x.rng.IntN(1500))
	}
	if x.multiline && !x.within[s] && x.rng.IntN(2) == 0 {
		text = "\tat " + text
	}
	x.parts++
	tag := "F"
	if x.within[s] = x.rng.IntN(2) == 0; x.within[s] {
		tag = "P"
	}
	x.written[s].WriteString(text)
	path := x.path()
	if x.renamed != "" && x.rng.IntN(10) == 0 {
		if _, err := os.Stat(x.renamed); err == nil { // it isn't compressed yet
			path, x.late = x.renamed, true
		}
	}
	appendTo(x.t, path, criLine(s.String(), tag, text))
}

var partNumber = regexp.MustCompile(`\[(\d+)\]`)

// check compares what came with what was written, but for where records begin and end.
func (x *randomStreams) check() {
	var have [logline.Streams]strings.Builder
	for _, r := range x.sink.all() {
		s := 0
		if r.stream == logline.Stream(1).String() {
			s = 1
		}
		have[s].WriteString(strings.ReplaceAll(r.body, "\n", ""))
		require.NotContains(x.t, r.attributes, attrTruncated)
	}
	seen := make([]bool, x.parts)
	for s := range have {
		last := -1
		for _, m := range partNumber.FindAllStringSubmatch(have[s].String(), -1) {
			n, err := strconv.Atoi(m[1])
			require.NoError(x.t, err)
			seen[n] = true
			require.True(x.t, n > last || x.crashed || x.late, "part %d after %d", n, last)
			last = n
		}
		if !x.crashed {
			require.Equal(x.t, x.written[s].Len(), have[s].Len(), "bytes of stream %d", s)
		}
	}
	require.NotContains(x.t, seen, false, "a lost part")
	require.Zero(x.t, x.gaps)
}

// FuzzStreams loses no part of a line, in no order, makes nothing up and reports no gap.
func FuzzStreams(f *testing.F) {
	for style := range byte(styleDocker) {
		f.Add(style, false, uint64(1))
		f.Add(style, true, uint64(2))
	}
	f.Fuzz(func(t *testing.T, style byte, multiline bool, seed uint64) {
		x := &randomStreams{
			randomContainer: &randomContainer{stepper: newStepper(t), rng: rand.New(rand.NewPCG(seed, 1)), style: int(style) % styleDocker, lines: map[string]int{}},
			multiline:       multiline,
		}
		x.cfg.IncompleteTimeout = 4 * time.Second
		if multiline {
			x.cfg.Workloads = []WorkloadConfig{{Multiline: MultilineConfig{StackTraces: true}}}
		}
		x.dir = x.logDir("app")
		x.create()
		x.begin()
		for range 200 {
			x.write()
			switch n := x.rng.IntN(100); {
			case n == 0:
				x.restart++
				x.rotated, x.within = nil, [logline.Streams]bool{}
				x.create()
			case n < 8:
				x.rotate(false)
				if x.style == styleKubelet {
					x.renamed = x.rotated[len(x.rotated)-1]
				}
			}
			x.receive()
		}
		x.drain()
		for range 8 {
			x.wait(5 * time.Second)
			x.settle()
		}
		x.deliver()
		x.kill()
		x.check()
	})
}
