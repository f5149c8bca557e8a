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
)

// The ways in which a randomContainer's log is rotated.
const (
	styleKubelet      = iota // renamed, the one before compressed
	styleCopyTruncate        // copied in steps, and cut
	styleNumbers             // renamed to numbers that grow with age, one after the other
	styleDocker              // the same, of JSON behind a symbolic link
	randomStyles
)

// randomKept is how many rotated files are kept.
const randomKept = 12

// randomContainer writes lines of many parts, rotates between them and starts again, while the receiver reads, is killed and stays away. Between any
// two steps of the one the other may have some, so that it covers in a second what a node meets in days.
type randomContainer struct {
	*stepper
	rng     *rand.Rand
	style   int
	dir     string
	restart int
	rotated []string // of this run, but for numbers
	copies  int
	line    string // as far as it was written
	lines   map[string]int
	crashed bool
	gaps    int64
}

func (x *randomContainer) path() string {
	if x.style == styleDocker {
		return filepath.Join(x.root, "..", "docker", fmt.Sprintf("app-%d-json.log", x.restart))
	}
	return filepath.Join(x.dir, fmt.Sprintf("%d.log", x.restart))
}

func (x *randomContainer) create() {
	if x.style == styleDocker {
		require.NoError(x.t, os.MkdirAll(filepath.Dir(x.path()), 0o755))
		_ = os.Symlink(x.path(), filepath.Join(x.dir, fmt.Sprintf("%d.log", x.restart))) // it may be there
	}
	appendTo(x.t, x.path(), "")
}

// put writes a part of a line, which may be its last.
func (x *randomContainer) put(path, part string, last bool) {
	x.line += part
	switch {
	case x.style != styleDocker && last:
		part = cri(part)
	case x.style != styleDocker:
		part = criPartial(part)
	case last:
		part = fmt.Sprintf(`{"log":"%s\n","stream":"stdout","time":"%s"}`+"\n", part, nextTime())
	default:
		part = fmt.Sprintf(`{"log":"%s","stream":"stdout","time":"%s"}`+"\n", part, nextTime())
	}
	appendTo(x.t, path, part)
	if last {
		x.lines[x.line], x.line = 0, ""
	}
}

// write writes a line, within which its log may be rotated.
func (x *randomContainer) write() {
	x.put(x.path(), fmt.Sprintf("<%d ", len(x.lines)), false)
	parts := x.rng.IntN(4)
	if x.rng.IntN(5) == 0 {
		parts = 10
	}
	for range parts {
		x.receive()
		x.put(x.path(), strings.Repeat("x", 10+x.rng.IntN(1500)), false)
		if x.rng.IntN(10) == 0 {
			x.rotate(false)
		}
	}
	x.receive()
	x.put(x.path(), ">", true)
}

// rotate rotates the log. With late, the runtime still writes a line to the old one, if that was renamed.
func (x *randomContainer) rotate(late bool) {
	path := x.path()
	if _, err := os.Stat(fmt.Sprintf("%s.%d", path, randomKept)); err == nil || len(x.rotated) >= randomKept {
		x.drain() // whoever removes a file that isn't read loses it
	}
	x.copies++
	switch name := fmt.Sprintf("%s.20261123-%06d", path, x.copies); x.style {
	case styleKubelet:
		if n := len(x.rotated); n > 0 {
			compress(x.t, x.rotated[n-1], x.rotated[n-1]+".gz")
			x.rotated[n-1] += ".gz"
			x.receive()
		}
		x.rotated = append(x.rotated, name)
		require.NoError(x.t, os.Rename(path, name))
		x.receive()
		if late {
			x.put(name, fmt.Sprintf("<%d late>", len(x.lines)), true)
		}
	case styleCopyTruncate:
		content, err := os.ReadFile(path)
		require.NoError(x.t, err)
		for i := range 3 {
			require.NoError(x.t, os.WriteFile(name, content[:len(content)*i/2], 0o600))
			x.receive()
		}
		require.NoError(x.t, os.Truncate(path, 0))
		x.rotated = append(x.rotated, name)
	default:
		for i := randomKept; i > 0; i-- {
			if os.Rename(fmt.Sprintf("%s.%d", path, i), fmt.Sprintf("%s.%d", path, i+1)) == nil {
				x.receive()
			}
		}
		require.NoError(x.t, os.Rename(path, path+".1"))
		x.receive()
		_ = os.Remove(fmt.Sprintf("%s.%d", path, randomKept+1)) // it may not be there
	}
	x.receive()
	x.create()
	if len(x.rotated) > randomKept {
		require.NoError(x.t, os.Remove(x.rotated[0]))
		x.rotated = x.rotated[1:]
	}
}

// receive lets the receiver have some steps, or none.
func (x *randomContainer) receive() {
	if x.style != styleCopyTruncate && x.rng.IntN(3) > 0 {
		// As if the last change was long ago. While a log is being copied nothing is renamed.
		old := time.Now().Add(-time.Hour)
		require.NoError(x.t, os.Chtimes(x.dir, time.Time{}, old))
		require.NoError(x.t, os.Chtimes(filepath.Dir(x.path()), time.Time{}, old))
	}
	if x.rng.IntN(3) > 0 {
		return
	}
	for range 1 + x.rng.IntN(3) {
		x.step()
	}
}

func (x *randomContainer) step() {
	if x.w == nil {
		if x.rng.IntN(8) == 0 {
			x.begin()
		}
		return
	}
	switch n := x.rng.IntN(60); {
	case n < 26:
		x.turn()
	case n < 36:
		x.wait(time.Duration(x.rng.IntN(3000)) * time.Millisecond)
	case n < 46:
		x.relist()
	case n < 50:
		x.settle()
	case n < 56:
		x.deliver()
	case n < 58:
		x.deliver()
		x.kill()
	default:
		x.crashed = true
		x.kill()
	}
	if x.w == nil && x.rng.IntN(2) == 0 {
		x.begin()
	}
}

func (x *randomContainer) begin() {
	x.stepper.begin()
	x.w.buf = make([]byte, 4000) // so that turns end in the middle of lines
}

func (x *randomContainer) kill() {
	x.gaps += x.sum("gaps")
	x.stepper.kill()
}

// drain reads all that was written.
func (x *randomContainer) drain() {
	if x.w == nil {
		x.begin()
	}
	x.await()
	x.deliver()
}

// FuzzRotation loses no line, makes none up, and reports no gap, whatever happens in which order; without a crash it passes none on twice.
func FuzzRotation(f *testing.F) {
	for style := range byte(randomStyles) {
		f.Add(style, uint64(1))
		f.Add(style, uint64(53))
	}
	f.Fuzz(func(t *testing.T, style byte, seed uint64) {
		x := &randomContainer{stepper: newStepper(t), rng: rand.New(rand.NewPCG(seed, 1)), style: int(style) % randomStyles, lines: map[string]int{}}
		x.cfg.IncompleteTimeout = time.Hour
		x.dir = x.logDir("app")
		x.create()
		x.begin()
		for range 150 {
			x.write()
			switch n := x.rng.IntN(64); {
			case n == 0:
				x.restart++
				x.rotated = nil
				x.create()
			case n < 8:
				x.rotate(true)
			}
			x.receive()
		}
		x.drain()
		x.kill()
		for _, body := range x.sink.bodies() {
			n, ok := x.lines[body]
			require.True(t, ok, "nobody wrote %.40q of %d bytes", body, len(body))
			require.True(t, n == 0 || x.crashed, "twice: %.40q", body)
			x.lines[body]++
		}
		for body, n := range x.lines {
			require.NotZero(t, n, "lost: %.40q", body)
		}
		require.Zero(t, x.gaps)
	})
}
