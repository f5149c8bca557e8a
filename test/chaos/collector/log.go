// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// Panics returns the lines of the log by which the Go runtime tells of a panic or another end of its own.
func (c *Collector) Panics() ([]string, error) {
	f, err := os.Open(c.Log)
	if err != nil {
		return nil, fmt.Errorf("collector's log: %w", err)
	}
	defer f.Close()
	var found []string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "panic: ") || strings.HasPrefix(lines.Text(), "fatal error: ") || strings.HasPrefix(lines.Text(), "unexpected fault address") {
			found = append(found, lines.Text())
		}
	}
	return found, lines.Err()
}

// LogTail returns the end of the log, at most so many bytes.
func (c *Collector) LogTail(bytes int) string {
	content, err := os.ReadFile(c.Log)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-bytes):])
}

// loss is what a warning or an error says that tells of data that is gone.
var loss = regexp.MustCompile(`(?i)damage|corrupt|lost|cut off|set aside|recreat|backup`)

// LossReports returns the lines of warnings and errors in the log, from an offset in bytes on, that tell of lost data and have all of
// the words.
func (c *Collector) LossReports(from int64, words ...string) ([]string, error) {
	f, err := os.Open(c.Log)
	if err != nil {
		return nil, fmt.Errorf("collector's log: %w", err)
	}
	defer f.Close()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return nil, fmt.Errorf("collector's log: %w", err)
	}
	var found []string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		all := (strings.Contains(line, "\terror\t") || strings.Contains(line, "\twarn\t")) && loss.MatchString(line)
		for _, word := range words {
			all = all && strings.Contains(line, word)
		}
		if all {
			found = append(found, line)
		}
	}
	return found, lines.Err()
}

// LogSize is how large the log is now, in bytes.
func (c *Collector) LogSize() (int64, error) {
	info, err := os.Stat(c.Log)
	if err != nil {
		return 0, fmt.Errorf("collector's log: %w", err)
	}
	return info.Size(), nil
}
