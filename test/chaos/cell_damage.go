// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/k0rdent/kof/test/chaos/load"
	"github.com/k0rdent/kof/test/faultproxy"
)

// damage is what is done to a file.
type damage struct {
	// spoil spoils a file and says what it did.
	spoil func(path string, rng *rand.Rand) (string, error)
	// sparesNewest says that the last file of a folder is left alone: what is gone with it can't be told from what was never written.
	sparesNewest bool
}

// damaged lets a backlog build up, kills the collector, spoils one of the files of its queues, and starts it again. The file is one of
// those with most of the backlog, or, with any, any.
func damaged(d damage, any bool) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		if err := r.start(ctx, nil); err != nil {
			return err
		}
		for _, region := range []string{first, other} {
			if err := r.places[region].set(faultproxy.Fault{Kind: faultproxy.Refuse}); err != nil {
				return err
			}
		}
		// Large enough for each queue to have several files, where its storage uses several.
		r.send(func(s *load.Stream) { s.Pad = 2000 }, first, other)
		if err := pause(ctx, pick(r, 3*time.Second, 10*time.Second)); err != nil {
			return err
		}
		r.kill()
		r.stopSending()
		files, err := dataFiles(r.settings.QueueDir)
		if err != nil {
			return err
		}
		if d.sparesNewest {
			files = withoutNewest(files)
		}
		if !any {
			files = files[:min(len(files), 6)] // about one for each of the lanes
		}
		path := files[r.rng.IntN(len(files))]
		what, err := d.spoil(path, r.rng)
		if err != nil {
			return fmt.Errorf("damage: %w", err)
		}
		relative, err := filepath.Rel(r.settings.QueueDir, path)
		if err != nil {
			return err
		}
		r.note("%s: %s", relative, what)
		before, err := r.collector.LogSize()
		if err != nil {
			return err
		}
		r.may.drops = "damaged"
		r.may.lossReported = func(l load.Lane) bool {
			reports, err := r.collector.LossReports(before, l.Region, string(l.Signal))
			return err == nil && len(reports) > 0
		}
		return r.collector.Start(ctx)
	}
}

// dataFiles returns the files below a folder that hold anything but zeros, the largest first.
func dataFiles(dir string) ([]string, error) {
	type file struct {
		path string
		size int64
	}
	var files []file
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if len(bytes.Trim(content, "\x00")) > 0 {
			files = append(files, file{path, blocks(info)})
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = errors.New("the queue has no files")
	}
	slices.SortStableFunc(files, func(a, b file) int { return cmp.Compare(b.size, a.size) })
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.path
	}
	return paths, err
}

// withoutNewest leaves out the last file, by its name, of each folder that has several.
func withoutNewest(files []string) []string {
	newest, folder := map[string]string{}, map[string]int{}
	for _, path := range files {
		dir := filepath.Dir(path)
		newest[dir] = max(newest[dir], path)
		folder[dir]++
	}
	return slices.DeleteFunc(slices.Clone(files), func(path string) bool {
		dir := filepath.Dir(path)
		return folder[dir] > 1 && newest[dir] == path
	})
}

// blocks is what a file takes on disk: what it was made large enough for in advance tells nothing.
func blocks(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Blocks
	}
	return info.Size()
}

// flip flips one bit in each of eight bytes, none of them of the zeros that fill up a file.
func flip(path string, rng *rand.Rand) (string, error) {
	const times = 8
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var used []int
	for at, b := range content {
		if b != 0 {
			used = append(used, at)
		}
	}
	for range times {
		at := used[rng.IntN(len(used))]
		content[at] ^= 1 << rng.IntN(8)
	}
	return fmt.Sprintf("%d bits flipped", times), os.WriteFile(path, content, 0o600)
}

// truncate keeps between a tenth and nine tenths of the file.
func truncate(path string, rng *rand.Rand) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	size := info.Size()/10 + rng.Int64N(info.Size()*8/10+1)
	return fmt.Sprintf("%d of %d bytes kept", size, info.Size()), os.Truncate(path, size)
}

func remove(path string, _ *rand.Rand) (string, error) { return "deleted", os.Remove(path) }
