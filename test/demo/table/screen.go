// SPDX-License-Identifier: Apache-2.0

package table

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/term"
)

// Screen writes blocks of lines. On a terminal each block takes the place of the one before; elsewhere blocks follow each
// other. It is not safe for concurrent use.
type Screen struct {
	out io.Writer
	// size returns the columns and rows of the terminal; nil when there is none.
	size    func() (columns, rows int, err error)
	painted int
}

// NewScreen returns a Screen that writes to the file, and finds out whether that is a terminal.
func NewScreen(out *os.File) *Screen {
	s := &Screen{out: out}
	if fd := int(out.Fd()); term.IsTerminal(fd) && os.Getenv("TERM") != "dumb" {
		s.size = func() (int, int, error) { return term.GetSize(fd) }
	}
	return s
}

// NewPlainScreen returns a Screen that takes the writer for no terminal, whatever it is.
func NewPlainScreen(out io.Writer) *Screen { return &Screen{out: out} }

// Terminal says whether blocks take each other's place.
func (s *Screen) Terminal() bool { return s.size != nil }

// Paint writes a block. Lines that are wider than the terminal and lines below its last row are cut, because the cursor
// could not be moved back over them. In one write, so that the block doesn't flicker.
func (s *Screen) Paint(lines []string) error {
	var b bytes.Buffer
	if s.size != nil {
		columns, rows, err := s.size()
		if err != nil || columns <= 0 || rows <= 0 {
			columns, rows = 80, 24
		}
		lines = lines[:min(len(lines), rows-1)]
		if s.painted > 0 {
			fmt.Fprintf(&b, "\x1b[%dA", s.painted) // up to the block's first line
		}
		b.WriteString("\x1b[J") // clear all below
		for _, line := range lines {
			b.WriteString(cut(line, columns) + "\n")
		}
		s.painted = len(lines)
	} else {
		for _, line := range lines {
			b.WriteString(line + "\n")
		}
	}
	if _, err := s.out.Write(b.Bytes()); err != nil {
		return fmt.Errorf("table: %w", err)
	}
	return nil
}

func cut(line string, columns int) string {
	if utf8.RuneCountInString(line) <= columns {
		return line
	}
	runes := []rune(line)
	return string(runes[:max(columns-1, 0)]) + "…"
}
