// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// grown is an exposition whose counters, histograms included, have grown by a hundredth of what the file says each second.
func grown(text []byte, after time.Duration) []byte {
	grows := map[string]bool{}
	factor := 1 + after.Seconds()/100
	var out bytes.Buffer
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, kind, ok := strings.Cut(strings.TrimPrefix(line, "# TYPE "), " "); ok && strings.HasPrefix(line, "# TYPE ") {
			switch kind {
			case "counter":
				grows[name] = true
			case "histogram":
				grows[name+"_bucket"], grows[name+"_sum"], grows[name+"_count"] = true, true, true
			}
		}
		name, _, _ := strings.Cut(line, "{")
		name, _, _ = strings.Cut(name, " ")
		at := strings.LastIndexByte(line, ' ')
		if v, err := strconv.ParseFloat(line[at+1:], 64); err == nil && grows[name] {
			line = fmt.Sprintf("%s %g", line[:at], v*factor)
		}
		out.WriteString(line + "\n")
	}
	return out.Bytes()
}
