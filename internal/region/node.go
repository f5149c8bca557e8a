// SPDX-License-Identifier: Apache-2.0

package region

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// documentPath stands for the empty path in problems with the file as a whole.
const documentPath = "document"

const nullTag = "!!null"

// maxIndicators bounds the memory of a parse: the tree takes up to 350 bytes for each, so that MaxBytes of "a: b" would
// take 2 GiB. The largest directory has some 0.85 million if it is written as JSON with every key on a line of its own.
const maxIndicators = 1_000_000

// indicators returns an upper bound of the number of YAML nodes in data, as each begins after one of these.
func indicators(data []byte) int {
	n := 1
	for i, b := range data {
		switch b {
		case '\n', '\r', ':', ',', '[', '{', '?':
			n++
		case '-':
			// Within a name it begins nothing.
			if i+1 == len(data) || data[i+1] <= ' ' {
				n++
			}
		}
	}
	return n
}

// document returns the top node of the only document in data, or nil after reporting why there is none.
func (c *checker) document(data []byte) *yaml.Node {
	if len(data) > MaxBytes {
		c.addf("", 0, "larger than %d bytes; allowed: at most that", MaxBytes)
		return nil
	}
	if n := indicators(data); n > maxIndicators {
		c.addf("", 0, "found %d places where a YAML value may begin (line ends and :,[{?-); allowed: at most %d", n, maxIndicators)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := decode(dec, &doc); {
	case errors.Is(err, io.EOF):
		c.addf("", 0, "empty; allowed: a mapping with the key regions")
		return nil
	case err != nil:
		c.addf("", 0, "not YAML: %v", err)
		return nil
	}
	switch err := decode(dec, &second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		c.addf("", 0, "not YAML: %v", err)
		return nil
	default:
		c.addf("", second.Line, "found a second document; allowed: one")
	}
	return doc.Content[0]
}

// decode is dec.Decode with the errors, and the parser's "internal error" panics, made fit to be shown.
func decode(dec *yaml.Decoder, into *yaml.Node) (err error) {
	defer func() {
		// The parser panics on states that it takes for its own bugs. That must refuse the directory, not end the agent.
		if recover() != nil {
			err = errors.New("the YAML parser can't read it")
		}
	}()
	err = dec.Decode(into)
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return err
	case strings.Contains(err.Error(), "unknown anchor"):
		// The only message of the parser that repeats text of the file: an unquoted secret may begin with "*".
		return errors.New(`alias of an unknown anchor; values that begin with "*" need quotes`)
	default:
		return fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
}

// plain refuses what makes a node mean something else than it shows. It returns whether the node itself can be used.
func (c *checker) plain(path string, n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode {
		c.addf(path, n.Line, "found an alias; allowed: the value itself")
		return false
	}
	if n.Anchor != "" {
		c.addf(path, n.Line, "found an anchor; allowed: values without")
	}
	if n.Style&yaml.TaggedStyle != 0 {
		c.addf(path, n.Line, "found a YAML tag; allowed: values without")
		return false
	}
	return true
}

// kindOf names what a node is, without its value.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if n.ShortTag() == nullTag {
			return "null"
		}
		return "a single value"
	default:
		return "an alias"
	}
}

// entry is one key of a mapping with its value.
type entry struct {
	name  string
	line  int
	first int // line of the same key's first occurrence, 0 if this is it
	value *yaml.Node
}

// mapping returns the entries of a mapping in the order of the file. Repeated keys are marked, not reported, because
// whether a key may be shown depends on the mapping.
func (c *checker) mapping(path string, n *yaml.Node) ([]entry, bool) {
	if !c.plain(path, n) {
		return nil, false
	}
	if n.Kind != yaml.MappingNode {
		c.addf(path, n.Line, "found %s; allowed: a mapping", kindOf(n))
		return nil, false
	}
	entries := make([]entry, 0, len(n.Content)/2)
	lines := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !c.plain(path, key) {
			continue
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() == nullTag {
			c.addf(path, key.Line, "found %s as a key; allowed: text", kindOf(key))
			continue
		}
		e := entry{name: key.Value, line: key.Line, first: lines[key.Value], value: value}
		if e.first == 0 {
			lines[key.Value] = key.Line
		}
		entries = append(entries, e)
	}
	return entries, true
}

// unique reports an entry whose key was there before, and returns whether it wasn't.
func (c *checker) unique(path string, e entry) bool {
	if e.first != 0 {
		c.addf(path, e.line, "found a second time, first in line %d; allowed: once", e.first)
	}
	return e.first == 0
}

// fields returns the values of a mapping whose keys are known, by key. It is nil if n is no mapping.
func (c *checker) fields(path string, n *yaml.Node, known ...string) map[string]*yaml.Node {
	entries, ok := c.mapping(path, n)
	if !ok {
		return nil
	}
	values := make(map[string]*yaml.Node, len(entries))
	for _, e := range entries {
		at := child(path, e.name)
		if hint, ok := nearest(e.name, known); !ok {
			c.addf(at, e.line, "unknown key%s; allowed: %s", hint, strings.Join(known, ", "))
			continue
		}
		if c.unique(at, e) {
			values[e.name] = e.value
		}
	}
	return values
}

// text returns a single value as it is written, so that a name like 1.20 stays what its reader sees.
func (c *checker) text(path string, n *yaml.Node) (string, bool) {
	if !c.plain(path, n) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() == nullTag {
		c.addf(path, n.Line, "found %s; allowed: text", kindOf(n))
		return "", false
	}
	return n.Value, true
}

// oneOf returns a single value out of a few.
func (c *checker) oneOf(path string, n *yaml.Node, allowed ...string) (string, bool) {
	s, ok := c.text(path, n)
	if !ok {
		return "", false
	}
	for _, a := range allowed {
		if s == a {
			return s, true
		}
	}
	c.addf(path, n.Line, "found %s; allowed: %s", quote(s), strings.Join(allowed, ", "))
	return "", false
}
