// SPDX-License-Identifier: Apache-2.0

package podlogs

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxChunk is the longest content that a CRI runtime writes in one line; longer messages are split into lines tagged
// P (partial) and a last one tagged F (full).
const maxChunk = 16 * 1024

// longEvery is how often a message is longer than maxChunk, so that the reader has to put parts together.
const longEvery = 250

// Marker begins every message of the demo, so that queries find these and no others.
const Marker = "kofdemo"

// LineID names the n-th line of a source. It is what the comparison looks for.
func LineID(source string, n uint64) string { return fmt.Sprintf("%s/%08d", source, n) }

var events = []string{
	"order placed", "payment authorised", "stock reserved", "parcel handed over", "price looked up", "session renewed",
}

// Message returns the text of the n-th line; it carries the line's ID.
func Message(source string, n uint64) string {
	text := fmt.Sprintf("%s id=%s level=info msg=%q took=%dms",
		Marker, LineID(source, n), events[n%uint64(len(events))], 1+n%97)
	if n%longEvery == longEvery-1 {
		text += " dump=" + strings.Repeat("0123456789abcdef", maxChunk/16) + " end=" + LineID(source, n)
	}
	return text
}

// encode returns the text as lines in the CRI log format: time, stream, tag, content
// (Kubernetes design proposal "CRI log").
func encode(at time.Time, text string) []byte {
	stamp := at.UTC().Format("2006-01-02T15:04:05.000000000Z")
	var out []byte
	for len(text) > maxChunk {
		out = fmt.Appendf(out, "%s stdout P %s\n", stamp, text[:maxChunk])
		text = text[maxChunk:]
	}
	return fmt.Appendf(out, "%s stdout F %s\n", stamp, text)
}

// Whole says whether the message is exactly what the line of that ID was written with.
func Whole(id, text string) bool {
	source, number, _ := strings.Cut(id, "/")
	n, err := strconv.ParseUint(number, 10, 64)
	return err == nil && text == Message(source, n)
}
