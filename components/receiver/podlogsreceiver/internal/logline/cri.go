// SPDX-License-Identifier: Apache-2.0

package logline

// cri reads `<RFC 3339 time> <stdout|stderr> <tags> <content>`. The first of the tags, which colons separate, is P for a line that
// goes on and F for one that ends.
func (p *Parser) cri(line []byte) (l Line, ok bool) {
	var n int
	if l.Time, n, ok = p.clock.parse(line); !ok {
		return l, false
	}
	const stream = len(" stdout ")
	rest := line[n:]
	if len(rest) < stream+1 {
		return l, false
	}
	switch string(rest[:stream]) {
	case " stdout ":
	case " stderr ":
		l.Stream = Stderr
	default:
		return l, false
	}
	at := n + stream
	switch line[at] {
	case 'F':
	case 'P':
		l.Partial = true
	default:
		return l, false
	}
	// An empty line may lack the space behind the tags.
	for at++; at < len(line) && line[at] != ' '; at++ {
		if line[at] != ':' && line[at-1] != ':' && at-n-stream == 1 {
			return l, false // a word that begins with F or P
		}
	}
	l.Start, l.End = min(at+1, len(line)), len(line)
	return l, true
}
