// SPDX-License-Identifier: Apache-2.0

package region

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// maxProblems bounds the error of a file that is wrong in a great many places.
const maxProblems = 1_000

// maxShown bounds how much of a name or value a problem repeats, in bytes.
const maxShown = 80

// problem is one reason to refuse a directory.
type problem struct {
	path string
	line int // 0: not known
	text string
}

func (p *problem) Error() string {
	if p.line == 0 {
		return p.path + ": " + p.text
	}
	return fmt.Sprintf("%s: %s (line %d)", p.path, p.text, p.line)
}

// checker walks a document and collects the problems.
type checker struct {
	problems []*problem
	more     int // problems beyond maxProblems
}

func (c *checker) addf(path string, line int, format string, args ...any) {
	if len(c.problems) == maxProblems {
		c.more++
		return
	}
	if path == "" {
		path = documentPath
	}
	c.problems = append(c.problems, &problem{path: path, line: line, text: fmt.Sprintf(format, args...)})
}

// err joins the problems in the order of the file, or returns nil if there are none.
func (c *checker) err() error {
	slices.SortStableFunc(c.problems, func(a, b *problem) int { return cmp.Compare(a.line, b.line) })
	errs := make([]error, 0, len(c.problems)+1)
	for _, p := range c.problems {
		errs = append(errs, p)
	}
	if c.more > 0 {
		errs = append(errs, fmt.Errorf("and %d more problems", c.more))
	}
	return errors.Join(errs...)
}

var bareKey = regexp.MustCompile(`^[-A-Za-z0-9_]{1,63}$`)

// child is the path of a key in the mapping at path.
func child(path, key string) string {
	if !bareKey.MatchString(key) {
		return path + "[" + quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// item is the path of an item in the list at path.
func item(path string, i int) string {
	return path + "[" + strconv.Itoa(i) + "]"
}

// quote shows a value that is no secret, in bounded length and without control characters.
func quote(s string) string {
	if len(s) > maxShown {
		return strconv.QuoteToASCII(s[:maxShown]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
