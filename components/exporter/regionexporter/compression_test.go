// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var levels = []CompressionLevel{CompressionFastest, CompressionDefault, CompressionBetter}

func TestCompress(t *testing.T) {
	for _, encoding := range []string{encodingNone, encodingZstd, encodingSnappy, encodingGzip} {
		t.Run("encoding="+encoding, func(t *testing.T) {
			for i, text := range []string{"", "x", strings.Repeat("the same again ", 10_000), strings.Repeat("and again ", 1_000_000)} {
				packed, err := compress(encoding, levels[i%len(levels)], []byte("before"), []byte(text))
				require.NoError(t, err)
				packed, ok := bytes.CutPrefix(packed, []byte("before"))
				require.True(t, ok)
				if encoding != encodingNone {
					require.NotEmpty(t, packed, "an empty payload, too, shows that the server knows the encoding")
				}
				got, err := decompress(encoding, packed)
				require.NoError(t, err)
				require.Equal(t, text, string(got))
				if len(text) > 1000 && encoding != encodingNone {
					require.Less(t, len(packed), len(text)/10)
				}
			}
		})
	}
	_, err := compress("br", CompressionBetter, nil, nil)
	require.ErrorContains(t, err, `"br"`)
}

func TestCompressConcurrently(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			text := strings.Repeat(string(rune('a'+i)), 50_000)
			for range 20 {
				for _, encoding := range []string{encodingZstd, encodingGzip, encodingSnappy} {
					packed, err := compress(encoding, levels[i%len(levels)], nil, []byte(text))
					if err != nil {
						t.Error(err)
					}
					if got, err := decompress(encoding, packed); err != nil || string(got) != text {
						t.Errorf("%s: %v", encoding, err)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestNamedCompression(t *testing.T) {
	b := newBackend(t, answerAlways(415))
	for _, test := range []struct {
		signal     signal
		path, name string
		want       []string
	}{
		{signalMetrics, "/api/v1/write", "zstd", []string{"zstd"}},
		{signalMetrics, "/api/v1/write", "snappy", []string{"snappy"}},
		{signalLogs, "/v1/logs", "gzip", []string{"gzip"}},
		{signalLogs, "/v1/logs", "none", []string{""}},
		{signalMetrics, "/api/v1/write", `""`, []string{"zstd", "snappy"}},
		{signalTraces, "/v1/traces", `""`, []string{"zstd", "gzip"}},
	} {
		before := len(b.seen())
		senderTo(t, test.signal, b.URL+test.path, "      compression: "+test.name).send(t.Context(), nil)
		var got []string
		for _, r := range b.seen()[before:] {
			got = append(got, r.encoding)
		}
		require.Equal(t, test.want, got, "%s %s", test.signal, test.name)
	}
}

// accepting answers 2xx to requests in these encodings and status to others; sees are those that it looked at.
func accepting(status int, encodings ...string) func(http.ResponseWriter, request) bool {
	return func(w http.ResponseWriter, r request) bool {
		if !slices.Contains(encodings, r.encoding) {
			w.WriteHeader(status)
			return false
		}
		return true
	}
}

// A server that doesn't know zstd says so by 415 or by 400. The next encoding is tried at once, and kept.
func TestEncodingFallsBack(t *testing.T) {
	for _, status := range []int{400, 415} {
		b := newBackend(t, accepting(status, "gzip"))
		snd := senderTo(t, signalLogs, b.URL+"/v1/logs")
		a := snd.send(t.Context(), logPayload(t, "a"))
		require.Equal(t, delivered, a.verdict)
		require.Equal(t, b.seen()[0].size+b.seen()[1].size, a.wireBytes, "all that went over the wire counts")
		require.Equal(t, delivered, snd.send(t.Context(), logPayload(t, "b")).verdict)
		var got []string
		for _, r := range b.seen() {
			got = append(got, r.encoding)
		}
		require.Equal(t, []string{"zstd", "gzip", "gzip"}, got)
		require.Equal(t, map[string]int{"a": 1, "b": 1}, b.has())
	}
}

// A server behind the same address may be replaced by one that doesn't know the encoding.
func TestEncodingFallsBackLater(t *testing.T) {
	b := newBackend(t, nil)
	snd := senderTo(t, signalLogs, b.URL+"/v1/logs")
	require.Equal(t, delivered, snd.send(t.Context(), logPayload(t, "a")).verdict)
	b.setAnswer(accepting(415, "gzip"))
	require.Equal(t, delivered, snd.send(t.Context(), logPayload(t, "b")).verdict)
	require.Equal(t, map[string]int{"a": 1, "b": 1}, b.has())
}

// When the data is what is refused, another encoding doesn't help, and the first answer counts.
func TestEncodingIsNotTheFault(t *testing.T) {
	b := newBackend(t, answerAlways(400))
	snd := senderTo(t, signalLogs, b.URL+"/v1/logs")
	require.Equal(t, badData, snd.send(t.Context(), logPayload(t, "a")).verdict)
	require.Equal(t, badData, snd.send(t.Context(), nil).verdict)
	b.setAnswer(nil)
	require.Equal(t, delivered, snd.send(t.Context(), logPayload(t, "b")).verdict)
	seen := b.seen()
	require.Equal(t, "zstd", seen[len(seen)-1].encoding, "an encoding that was not the fault stays in use")
}

// Some servers look at no encoding where there is no body to decode, or only at the length of the decoded one. What they say to an
// empty request proves nothing about the encoding, or else all that follows would be refused as bad data.
func TestEncodingIsNotProvenByAnEmptyRequest(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r request) bool {
		if len(r.ids) > 0 && r.encoding == "zstd" {
			w.WriteHeader(400)
			return false
		}
		return true
	})
	snd := senderTo(t, signalLogs, b.URL+"/v1/logs")
	require.Equal(t, delivered, snd.send(t.Context(), nil).verdict)
	require.Equal(t, delivered, snd.send(t.Context(), logPayload(t, "a")).verdict)
	require.Equal(t, map[string]int{"a": 1}, b.has())
}
