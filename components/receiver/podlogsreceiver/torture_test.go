// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/logline"
)

// tortured is a container whose lines have several parts, of both streams at once, while its log is rotated in one of all ways. What it
// does and what the receiver does alternate at random, in steps as small as they can be.
type tortured struct {
	*stepper
	rng     *rand.Rand
	path    string
	style   string
	rotated int
	begun   [logline.Streams]int // number of the line that isn't ended; 0: there is none
	left    [logline.Streams]int // parts of it
	lines   int
	copied  int // steps of a copy that were made
	gzip    string
	crashed bool
}

func bodyOf(line, from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "<%d.%d>", line, i)
	}
	return b.String()
}

func partsOf(line int) int { return 1 + line%5 }

func (x *tortured) write() {
	if x.copied > 0 {
		return // what is written between copy and cut is lost by whoever rotates
	}
	s := logline.Stream(x.rng.IntN(int(logline.Streams)))
	if x.begun[s] == 0 {
		x.lines++
		x.begun[s], x.left[s] = x.lines, partsOf(x.lines)
	}
	n := partsOf(x.begun[s]) - x.left[s]
	tag := "P"
	if x.left[s]--; x.left[s] == 0 {
		tag = "F"
	}
	appendTo(x.t, x.path, criLine(s.String(), tag, bodyOf(x.begun[s], n, n+1)))
	if tag == "F" {
		x.begun[s] = 0
	}
}

func (x *tortured) rotate() {
	info, err := os.Stat(x.path)
	if err != nil || info.Size() == 0 {
		return
	}
	if x.gzip != "" {
		compress(x.t, x.gzip, x.gzip+".gz")
		x.gzip = ""
	}
	switch x.style {
	case "copy and truncate": // in three steps
		content, err := os.ReadFile(x.path)
		require.NoError(x.t, err)
		if x.copied++; x.copied < 3 {
			if x.copied == 1 {
				x.rotated++
			}
			require.NoError(x.t, os.WriteFile(kubeletName(x.path, x.rotated), content[:len(content)*x.copied/2], 0o600))
			return
		}
		x.copied = 0
		require.NoError(x.t, os.Truncate(x.path, 0))
	case "rename, later compress":
		x.rotated++
		x.gzip = kubeletName(x.path, x.rotated)
		require.NoError(x.t, os.Rename(x.path, x.gzip))
	default:
		x.rotated++
		rotations[x.style](x.t, x.path, x.rotated)
	}
}

func (x *tortured) begin() {
	x.stepper.begin()
	x.w.buf = make([]byte, 200) // some lines, so that turns end in the middle of records
}

func (x *tortured) step() {
	switch n := x.rng.IntN(100); {
	case n < 40:
		x.write()
	case n < 44:
		x.rotate()
	case n < 70:
		x.turn()
	case n < 80:
		x.now = x.now.Add(time.Duration(x.rng.IntN(300)) * time.Millisecond)
		x.poll()
	case n < 90:
		x.relist()
	case n < 96:
		x.deliver()
	case n < 98:
		x.deliver()
		x.kill()
		x.begin()
	case n < 99:
		x.crashed = true
		x.kill()
		x.begin()
	default:
		x.settle()
	}
}

func TestTortured(t *testing.T) {
	styles := []string{"rename", "rename and compress", "numbers that grow with age", "rename, later compress", "copy and truncate"}
	for _, style := range styles {
		t.Run(style, func(t *testing.T) {
			for seed := range uint64(2) {
				torture(t, style, seed)
			}
		})
	}
}

func torture(t *testing.T, style string, seed uint64) {
	x := &tortured{stepper: newStepper(t), rng: rand.New(rand.NewPCG(seed, 1)), style: style}
	x.cfg.IncompleteTimeout = time.Hour
	x.path = filepath.Join(x.logDir("app"), "0.log")
	appendTo(t, x.path, cri("<0.0>"))
	x.begin()
	for range 1000 {
		x.step()
	}
	for x.copied > 0 {
		x.rotate()
	}
	for x.begun != ([logline.Streams]int{}) {
		x.write()
	}
	for range 5 * (x.rotated + 2) {
		x.relist()
		x.settle()
		x.wait(time.Second)
	}
	x.deliver()
	want := map[string]int{"<0.0>": 0}
	for i := 1; i <= x.lines; i++ {
		want[bodyOf(i, 0, partsOf(i))] = 0
	}
	for _, body := range x.sink.bodies() {
		_, ok := want[body]
		require.True(t, ok, "seed %d: nobody wrote %q", seed, body)
		want[body]++
	}
	for body, n := range want {
		require.NotZero(t, n, "seed %d: lost %q", seed, body)
		if !x.crashed {
			require.Equal(t, 1, n, "seed %d: twice %q", seed, body)
		}
	}
	require.Zero(t, x.w.spilled)
	x.kill()
}
