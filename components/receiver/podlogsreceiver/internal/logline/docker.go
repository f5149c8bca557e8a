// SPDX-License-Identifier: Apache-2.0

package logline

import (
	"bytes"
	"encoding/json"
)

// docker reads `{"log":"…\n","stream":"stdout","time":"…"}`. A log without a newline at its end goes on in the next line.
func (p *Parser) docker(line []byte) (l Line, ok bool) {
	const head = `{"log":"`
	if len(line) < len(head) || string(line[:len(head)]) != head {
		return p.anyDocker(line)
	}
	start := len(head)
	end := closingQuote(line, start)
	if end < 0 {
		return l, false
	}
	const stdout, stderr = `,"stream":"stdout","time":"`, `,"stream":"stderr","time":"`
	rest := line[end+1:]
	switch {
	case bytes.HasPrefix(rest, []byte(stdout)):
	case bytes.HasPrefix(rest, []byte(stderr)):
		l.Stream = Stderr
	default:
		return p.anyDocker(line)
	}
	var n int
	if l.Time, n, ok = p.clock.parse(rest[len(stdout):]); !ok || string(rest[len(stdout)+n:]) != `"}` {
		return p.anyDocker(line)
	}
	l.Start, l.End = start, end
	l.Partial = true
	// The newline at the end is mostly all that is escaped.
	if content := line[start:end]; bytes.HasSuffix(content, []byte(`\n`)) && !escapedBackslash(content) {
		l.End, l.Partial = end-2, false
	}
	if bytes.IndexByte(line[l.Start:l.End], '\\') < 0 {
		return l, true
	}
	n, ok = unescape(line[l.Start:l.End])
	if !ok {
		return p.anyDocker(line)
	}
	l.End = l.Start + n
	return l, true
}

// escapedBackslash says that the n of a content's last two bytes, `\n`, is a letter behind an escaped backslash.
func escapedBackslash(content []byte) bool {
	return backslashes(content[:len(content)-1])%2 == 0
}

func backslashes(b []byte) int {
	n := 0
	for n < len(b) && b[len(b)-1-n] == '\\' {
		n++
	}
	return n
}

// closingQuote returns where the string that begins at start ends, -1 for nowhere.
func closingQuote(line []byte, start int) int {
	for at := start; ; at++ {
		n := bytes.IndexByte(line[at:], '"')
		if n < 0 {
			return -1
		}
		at += n
		if backslashes(line[start:at])%2 == 0 {
			return at
		}
	}
}

// anyDocker reads the format in any order and with other keys, such as attrs.
func (p *Parser) anyDocker(line []byte) (l Line, ok bool) {
	var fields struct {
		Log    *string `json:"log"`
		Stream string  `json:"stream"`
		Time   string  `json:"time"`
	}
	if json.Unmarshal(line, &fields) != nil || fields.Log == nil {
		return l, false
	}
	var n int
	if l.Time, n, ok = p.clock.parse([]byte(fields.Time)); !ok || n != len(fields.Time) {
		return l, false
	}
	switch fields.Stream {
	case "stdout":
	case "stderr":
		l.Stream = Stderr
	default:
		return l, false
	}
	log := *fields.Log
	if l.Partial = len(log) == 0 || log[len(log)-1] != '\n'; !l.Partial {
		log = log[:len(log)-1]
	}
	if len(log) > len(line) { // each invalid byte became three
		return l, false
	}
	l.End = copy(line, log)
	return l, true
}
