// SPDX-License-Identifier: Apache-2.0

package region

import "fmt"

// nearest tells whether key is one of known, and if not, in hint the one that was likely meant.
func nearest(key string, known []string) (hint string, ok bool) {
	// A third of the key may differ: enough for a slip, too little for another word.
	best := len(key)/3 + 1
	for _, k := range known {
		if k == key {
			return "", true
		}
		if len(key) > 2*maxShown {
			continue
		}
		if d := editDistance(key, k); d <= best {
			best, hint = d-1, fmt.Sprintf(" (did you mean %s?)", k)
		}
	}
	return hint, false
}

// editDistance is the Levenshtein distance in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Nearest returns " (did you mean …?)" with the one of known that key likely was meant to be, or "".
func Nearest(key string, known []string) string {
	hint, _ := nearest(key, known)
	return hint
}
