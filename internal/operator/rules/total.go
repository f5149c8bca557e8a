// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"maps"
	"slices"
)

// MaxTotalBytes bounds what a merge gives: below the API's 1 MiB for a ConfigMap, with room for its other fields.
const MaxTotalBytes = 1_000_000

// Merge joins sources, in the order of their names. previous is what the last merge gave: a file that can't be used stays as it was, so that
// a mistake silences no alert. What would be too much together has a problem, the newest first.
func Merge(sources []Source, previous map[string]string) Result {
	return mergeWithin(MaxTotalBytes, sources, previous)
}

func mergeWithin(limit int, sources []Source, previous map[string]string) Result {
	left := map[string]bool{} // files that don't fit
	for {
		got := merge(without(limit, sources, left), previous)
		size := 0
		for _, text := range got.Files {
			size += len(text)
		}
		victim := ""
		if size > limit {
			victim = newest(got.Files, previous, left)
		}
		if victim == "" {
			return got
		}
		left[victim] = true
	}
}

// newest returns the last file by name of those that were not there before, else of those that have grown, else of all; "": none is left.
func newest(files, previous map[string]string, left map[string]bool) string {
	names := slices.Sorted(maps.Keys(files))
	slices.Reverse(names)
	for _, is := range []func(string) bool{
		func(name string) bool { _, was := previous[name]; return !was },
		func(name string) bool { return len(files[name]) > len(previous[name]) },
		func(string) bool { return true },
	} {
		for _, name := range names {
			if !left[name] && is(name) {
				return name
			}
		}
	}
	return ""
}

// without leaves files out, and says so as a problem of each.
func without(limit int, sources []Source, left map[string]bool) []Source {
	if len(left) == 0 {
		return sources
	}
	out := slices.Clone(sources)
	for i, s := range out {
		out[i].Files, out[i].Problems = maps.Clone(s.Files), maps.Clone(s.Problems)
		for name := range s.Files {
			if !left[key(s.Name, name)] {
				continue
			}
			if out[i].Problems == nil {
				out[i].Problems = map[string]error{}
			}
			out[i].Problems[name] = fmt.Errorf("found more than %d bytes with the rules of all ConfigMaps together; allowed: at most that", limit)
			delete(out[i].Files, name)
		}
	}
	return out
}
