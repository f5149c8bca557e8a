// SPDX-License-Identifier: Apache-2.0

package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

func (c *container) rotate() error {
	if c.random.IntN(8) == 0 { // the container starts again, and its log has no newline at its end
		if c.style != styleDocker && c.random.IntN(2) == 0 {
			if _, err := fmt.Fprintf(c.file, "%s stdout F id=%d cut off", time.Now().UTC().Format(time.RFC3339Nano), c.lines); err != nil {
				return err
			}
			c.lines++
		}
		c.restart++
		c.rotated, c.numbers = nil, 0 // nobody removes files of earlier runs here
		return errors.Join(c.file.Close(), c.create())
	}
	return c.rotateAway(c.late)
}

// rotateAway moves the log away and begins a new one. In between, late writes what a runtime writes between the kubelet's renaming and its
// own reopening.
func (c *container) rotateAway(late ...func() error) error {
	path := c.path()
	switch c.style {
	case styleKubelet:
		rotated := path + "." + time.Now().UTC().Format("20060102-150405.000000")
		if n := len(c.rotated); n > 0 {
			if err := compress(c.rotated[n-1]); err != nil {
				return err
			}
			c.rotated[n-1] += ".gz"
		}
		c.rotated = append(c.rotated, rotated)
		if err := os.Rename(path, rotated); err != nil {
			return err
		}
		for _, write := range late {
			if err := write(); err != nil {
				return err
			}
		}
	case styleCopyTruncate:
		rotated := path + "-" + time.Now().UTC().Format("20060102-150405.000000")
		c.rotated = append(c.rotated, rotated)
		c.size = 0
		return errors.Join(copyFile(path, rotated), c.file.Truncate(0), c.removeOld())
	default:
		for i := c.numbers; i > 0; i-- {
			if err := os.Rename(fmt.Sprintf("%s.%d", path, i), fmt.Sprintf("%s.%d", path, i+1)); err != nil {
				return err
			}
		}
		c.numbers++
		if err := os.Rename(path, path+".1"); err != nil {
			return err
		}
	}
	return errors.Join(c.file.Close(), c.create(), c.removeOld())
}

func (c *container) late() error {
	time.Sleep(time.Duration(c.random.IntN(20)) * time.Millisecond)
	return c.line(nil)
}

func (c *container) removeOld() error {
	for {
		var oldest string
		switch {
		case len(c.rotated) > keptFiles:
			oldest = c.rotated[0]
		case c.numbers > keptFiles:
			oldest = fmt.Sprintf("%s.%d", c.path(), c.numbers)
		default:
			return nil
		}
		info, err := os.Stat(oldest)
		if err != nil || time.Since(info.ModTime()) < keptFor {
			return err
		}
		if len(c.rotated) > 0 {
			c.rotated = c.rotated[1:]
		} else {
			c.numbers--
		}
		if err := os.Remove(oldest); err != nil {
			return err
		}
	}
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}

func compress(path string) (err error) {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	z := gzip.NewWriter(out)
	_, err = io.Copy(z, in)
	if err = errors.Join(err, z.Close(), out.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(path+".tmp", path+".gz"), os.Remove(path))
}
