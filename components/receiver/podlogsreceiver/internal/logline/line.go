// SPDX-License-Identifier: Apache-2.0

package logline

import "bytes"

// Stream is where the container wrote a line to.
type Stream uint8

// The streams of a container.
const (
	Stdout Stream = iota
	Stderr
	// Streams is how many there are.
	Streams
)

// String returns the value of the attribute log.iostream.
func (s Stream) String() string {
	if s == Stderr {
		return "stderr"
	}
	return "stdout"
}

// Line is one physical line of a log file. The content is bytes Start to End of what was parsed.
type Line struct {
	Time       int64 // nanoseconds since 1970
	Start, End int
	Stream     Stream
	Partial    bool // the container's line goes on in the next one of the same stream
}

// Parser parses lines of either format. The zero value is ready; it is not safe for concurrent use.
type Parser struct {
	clock clock
}

// Parse reads one line, without its newline, in the format that it has. It may rewrite the line's bytes: the content of Docker's
// format is unescaped in place. ok is false when the line is in neither format; then its bytes are untouched.
func (p *Parser) Parse(line []byte) (l Line, ok bool) {
	if len(line) > 0 && line[0] == '{' {
		return p.docker(line)
	}
	return p.cri(line)
}

// HasTime says whether the beginning of a file reaches behind the time of its first line, which no other file has.
func HasTime(head []byte) bool {
	if head[0] == '{' {
		return bytes.IndexByte(head, '\n') >= 0
	}
	var c clock
	_, _, ok := c.parse(head)
	return ok
}
