// SPDX-License-Identifier: Apache-2.0

package table

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLines(t *testing.T) {
	lines := Lines([]string{"REGION", "SIGNAL", "SENT", "FOUND", "HELD", ""}, [][]string{
		{"eu-west-1", "metrics", Number(1234567), Number(1234567), "0", ""},
		{"us-east-1", "logs", "120", Unknown, "42", "down"},
	})
	require.Equal(t, strings.TrimSpace(`
REGION     SIGNAL        SENT      FOUND  HELD
eu-west-1  metrics  1 234 567  1 234 567     0
us-east-1  logs           120          ?    42  down
`), strings.Join(lines, "\n"))
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1 000", 1234567: "1 234 567", -1234: "-1 234"} {
		require.Equal(t, want, Number(n))
	}
}

func terminal(columns, lines int) (*Screen, *bytes.Buffer) {
	var out bytes.Buffer
	return &Screen{out: &out, size: func() (int, int, error) { return columns, lines, nil }}, &out
}

func TestPaintTakesThePlaceOfTheLastBlock(t *testing.T) {
	s, out := terminal(80, 24)
	require.NoError(t, s.Paint([]string{"a", "b", "c"}))
	require.Equal(t, "\x1b[Ja\nb\nc\n", out.String())
	out.Reset()
	require.NoError(t, s.Paint([]string{"d"}))
	require.Equal(t, "\x1b[3A\x1b[Jd\n", out.String())
	out.Reset()
	require.NoError(t, s.Paint([]string{"e"}))
	require.Equal(t, "\x1b[1A\x1b[Je\n", out.String())
}

func TestPaintStaysInsideTheTerminal(t *testing.T) {
	s, out := terminal(4, 3)
	require.NoError(t, s.Paint([]string{"äöüß", "äöüßx", "below"}))
	require.Equal(t, "\x1b[Jäöüß\näöü…\n", out.String())
	require.Equal(t, 2, s.painted)
}

func TestPaintWithoutASize(t *testing.T) {
	s, out := terminal(0, 0)
	s.size = func() (int, int, error) { return 0, 0, errors.New("no size") }
	require.NoError(t, s.Paint([]string{strings.Repeat("x", 100)}))
	require.Equal(t, "\x1b[J"+strings.Repeat("x", 79)+"…\n", out.String())
}

func TestPaintWithoutATerminal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	s := NewScreen(f)
	require.False(t, s.Terminal())
	require.NoError(t, s.Paint([]string{"a"}))
	require.NoError(t, s.Paint([]string{"b"}))
	require.NoError(t, f.Close())
	written, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	require.Equal(t, "a\nb\n", string(written))
}
