// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestCleanEndpoint(t *testing.T) {
	for in, want := range map[string]string{
		"":                                      "",
		"https://a.example/write":               "https://a.example/write",
		"https://bob:pw@a.example:8427/w?k=v#f": "https://a.example:8427/w",
		"https://token@a.example?":              "https://a.example",
		"jaeger.example:4317":                   "jaeger.example:4317",
		"bob:pw@10.0.0.1:4317":                  "10.0.0.1:4317",
		"[2001:db8::1]:4317":                    "[2001:db8::1]:4317",
		"https://a.example/%zz?secret":          notAURL,
		"https://bob:p w@a.example":             notAURL,
	} {
		require.Equal(t, want, cleanEndpoint(in), in)
	}
}

func TestCleanError(t *testing.T) {
	for in, want := range map[string]string{
		"":        "",
		"refused": "refused",
		`Post "https://bob:pw@a.example/w?k=v": EOF`:              `Post "https://a.example/w": EOF`,
		"see https://a.example/x?k=v. And (http://u:p@b/?t=1).":   "see https://a.example/x. And (http://b/).",
		"grpc+tls://u:p@h:1/?a https://x/%zz?secret":              "grpc+tls://h:1/ " + notAURL,
		"two\nlines\tand \x1b[31mred\x00 \u202eback \xff\xfe end": "two lines and [31mred back  end",
		"größe 大": "größe 大",
	} {
		require.Equal(t, want, cleanError(in), in)
	}
	long := cleanError(strings.Repeat("ü", maxRawErrorBytes))
	require.LessOrEqual(t, len(long), maxErrorBytes+len("…"))
	require.True(t, utf8.ValidString(long))
	require.NotContains(t, cleanError(strings.Repeat("x", maxErrorBytes-12)+" https://bob:pw@a.example/"), "bob", "cut in two")
}

func TestHuman(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999_999: "999,999", -1234: "-1,234", 1_000_000: "1 M", 1_849_999: "1.84 M", 7_250_000_000: "7.25 G"} {
		require.Equal(t, want, count(n))
	}
	for f, want := range map[float64]string{0: "0/s", 0.04: "<0.1/s", 1.26: "1.3/s", 12.5: "13/s", 4321: "4,321/s", 2.5e6: "2.5 M/s", 999_999_999: "999.99 M/s"} {
		require.Equal(t, want, perSecond(f))
	}
	for n, want := range map[int64]string{-1: "0 B", 0: "0 B", 1023: "1023 B", 1 << 20: "1.0 MiB", 3 << 30: "3.0 GiB"} {
		require.Equal(t, want, size(n))
	}
	for s, want := range map[float64]string{-5: "0 s", 0.9: "0 s", 59.9: "59 s", 60: "1 min", 61: "1 min 1 s", 3660: "1 h 1 min", 90000: "1 d 1 h", 864000: "10 d"} {
		require.Equal(t, want, duration(s))
	}
	require.Equal(t, "not since the start", ago(time.Now(), time.Time{}))
}
