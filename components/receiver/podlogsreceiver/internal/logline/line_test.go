// SPDX-License-Identifier: Apache-2.0

package logline

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const at = int64(1795459826123456789) // 2026-11-23T18:50:26.123456789Z

func TestParse(t *testing.T) {
	type want struct {
		time    int64
		content string
		stream  Stream
		partial bool
	}
	for line, w := range map[string]want{
		"2026-11-23T18:50:26.123456789Z stdout F hello":         {at, "hello", Stdout, false},
		"2026-11-23T18:50:26.123456789Z stderr P  two  spaces ": {at, " two  spaces ", Stderr, true},
		"2026-11-23T20:50:26.123456789+02:00 stdout F:x:y z":    {at, "z", Stdout, false},
		"2026-11-23T13:20:26.1234567891-05:30 stdout F ":        {at, "", Stdout, false},
		"2026-11-23T18:50:26Z stdout F":                         {at / 1e9 * 1e9, "", Stdout, false},
		"2026-11-23T18:50:26.1Z stdout P {\"a\":1}":             {at/1e9*1e9 + 1e8, `{"a":1}`, Stdout, true},

		`{"log":"hello\n","stream":"stdout","time":"2026-11-23T18:50:26.123456789Z"}`:                            {at, "hello", Stdout, false},
		`{"log":"hello","stream":"stderr","time":"2026-11-23T18:50:26.123456789Z"}`:                              {at, "hello", Stderr, true},
		`{"log":"","stream":"stderr","time":"2026-11-23T18:50:26.123456789Z"}`:                                   {at, "", Stderr, true},
		`{"log":"\\n","stream":"stdout","time":"2026-11-23T18:50:26.123456789Z"}`:                                {at, `\n`, Stdout, true},
		`{"log":"\\\n","stream":"stdout","time":"2026-11-23T18:50:26.123456789Z"}`:                               {at, `\`, Stdout, false},
		`{"log":"a\"b\\\u00e4\ud83d\ude00\ud83d\/\n","stream":"stdout","time":"2026-11-23T18:50:26.123456789Z"}`: {at, "a\"b\\ä😀\uFFFD/", Stdout, false},
		`{"time":"2026-11-23T18:50:26.123456789Z","attrs":{"a":"b"},"stream":"stdout","log":"x\ty\n"}`:           {at, "x\ty", Stdout, false},
		`{"log":"x\n","stream":"stdout","attrs":{},"time":"2026-11-23T18:50:26.123456789Z"}`:                     {at, "x", Stdout, false},
	} {
		t.Run(line, func(t *testing.T) {
			var p Parser
			for range 2 { // the second time with a remembered second
				b := []byte(line)
				l, ok := p.Parse(b)
				require.True(t, ok)
				require.Equal(t, w, want{l.Time, string(b[l.Start:l.End]), l.Stream, l.Partial})
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, line := range []string{
		"", "x", "{", "{}", "hello world, a line of at least twenty bytes", "2026-11-23T18:50:26.123456789Z", "2026-11-23T18:50:26.123456789Z ",
		"2026-11-23T18:50:26.123456789Z stdin F x", "2026-11-23T18:50:26.123456789Z stdout", "2026-11-23T18:50:26.123456789Z stdout ",
		"2026-11-23T18:50:26.123456789Z stdout X x", "2026-11-23T18:50:26.123456789Z stdout Fx x", "2026-13-23T18:50:26.1Z stdout F x",
		"2026-11-23 18:50:26.1Z stdout F x", "2026-11-23T18:50:26. stdout F x", "2026-11-23T18:50:26.1 stdout F x", "2026-11-23T18:50:26+1:00 stdout F x",
		"1969-11-23T18:50:26Z stdout F x", "2300-11-23T18:50:26Z stdout F x", "2026-11-2aT18:50:26Z stdout F x",
		`{"log":"x\n","stream":"stdin","time":"2026-11-23T18:50:26Z"}`, `{"log":"x\n","stream":"stdout","time":"now"}`,
		`{"log":"x\q\n","stream":"stdout","time":"2026-11-23T18:50:26Z"}`, `{"log":"x\u00g0\n","stream":"stdout","time":"2026-11-23T18:50:26Z"}`,
		`{"log":"x`, `{"log":1,"stream":"stdout","time":"2026-11-23T18:50:26Z"}`, `{"stream":"stdout","time":"2026-11-23T18:50:26Z"}`,
	} {
		t.Run(line, func(t *testing.T) {
			var p Parser
			b := []byte(line)
			_, ok := p.Parse(b)
			require.False(t, ok)
			require.Equal(t, line, string(b), "bytes of what is no line are changed")
		})
	}
}

func FuzzCRI(f *testing.F) {
	f.Add([]byte("2026-11-23T18:50:26.123456789Z stdout F hello"))
	f.Add([]byte("2026-11-23T20:50:26+02:00 stderr P:x y"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if len(line) > 0 && line[0] == '{' {
			return
		}
		var p Parser
		l, ok := p.Parse(line)
		if !ok {
			return
		}
		require.True(t, 0 <= l.Start && l.Start <= l.End && l.End == len(line))
		end := 0
		for end < len(line) && line[end] != ' ' {
			end++
		}
		if want, err := time.Parse(time.RFC3339Nano, string(line[:end])); err == nil {
			require.Equal(t, want.UnixNano(), l.Time)
		}
		again, ok := p.Parse(line)
		require.True(t, ok)
		require.Equal(t, l, again, "the remembered second changes the result")
	})
}

func FuzzDocker(f *testing.F) {
	f.Add([]byte(`{"log":"a\"b\\\u00e4\n","stream":"stdout","time":"2026-11-23T18:50:26.123456789Z"}`))
	f.Add([]byte(`{"time":"2026-11-23T18:50:26Z","stream":"stderr","log":"x","attrs":{}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if len(line) == 0 || line[0] != '{' {
			return
		}
		original := string(line)
		var p Parser
		l, ok := p.Parse(line)
		if !ok {
			require.Equal(t, original, string(line), "bytes of what is no line are changed")
			return
		}
		require.True(t, 0 <= l.Start && l.Start <= l.End && l.End <= len(line))
		var want struct{ Log, Stream string }
		if json.Unmarshal([]byte(original), &want) != nil {
			return // raw control characters are taken, as are other things that JSON forbids
		}
		content := string(line[l.Start:l.End])
		if !l.Partial {
			content += "\n"
		}
		require.Equal(t, want.Stream, l.Stream.String())
		require.Equal(t, []rune(want.Log), []rune(content))
	})
}

func TestSeverity(t *testing.T) {
	for line, want := range map[string]Severity{
		"":                              Unknown,
		"INFO hello":                    Info,
		"2026-11-23 10:00:00 ERROR x":   Error,
		"I1123 18:50:26.0 main.go:1] x": Info, "W1123 x": Warn, "E1123 x": Error, "F1123 x": Fatal, "I11a3 x": Unknown,
		"[warn] x":                     Warn,
		"ts=1 level=debug msg=x":       Debug,
		"error: x":                     Error,
		"there was no error in this":   Unknown,
		"INFORMATION about":            Unknown,
		"a line WARNING x":             Warn,
		"the CRITICAL path":            Fatal,
		"main [thread-1] TRACE x":      Trace,
		`{"level":"error","msg":"x"}`:  Error,
		`{"a":1,"severity": "NOTICE"}`: Info,
		`{"level":30,"msg":"x"}`:       Info,
		`{"level":60}`:                 Fatal,
		`{"level":7}`:                  Unknown,
		`{"level":"`:                   Unknown,
		`{"msg":"ERROR in the text"}`:  Unknown,
	} {
		require.Equal(t, want, FindSeverity([]byte(line)), "%q", line)
	}
}

func FuzzSeverity(f *testing.F) {
	f.Add([]byte("INFO x"))
	f.Fuzz(func(_ *testing.T, line []byte) { FindSeverity(line) })
}

func TestStackTraces(t *testing.T) {
	for name, records := range map[string][][]string{
		"java":   {{"ERROR x", "\tat a.b(C.java)", "Caused by: y", "\t... 3 more", "  Suppressed: z"}, {"INFO"}},
		"python": {{"Traceback (most recent call last):", "  File x", "ValueError: y"}, {"INFO"}},
		"go":     {{"panic: x", "", "goroutine 1 [running]:", "main.main()", "\t/a.go:1 +0x1", "exit status 2"}, {"INFO"}},
		"plain":  {{"a"}, {"b"}, {""}, {"at noon", "at night"}},
	} {
		t.Run(name, func(t *testing.T) {
			var s StackTrace
			for _, lines := range records {
				s.First([]byte(lines[0]))
				for _, l := range lines[1:] {
					require.True(t, s.Continues([]byte(l)), l)
				}
				require.False(t, s.Continues([]byte("INFO")))
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for name, line := range map[string]string{
		"cri":    "2026-11-23T18:50:26.123456789Z stdout F 10.0.3.17 - - [23/Nov/2026:18:50:26 +0000] \"GET /api/v1/items/4711 HTTP/1.1\" 200 5316",
		"docker": `{"log":"10.0.3.17 - - [23/Nov/2026:18:50:26 +0000] \"GET /api/v1/items/4711 HTTP/1.1\" 200 5316\n","stream":"stdout","time":"2026-11-23T18:50:26.123456789Z"}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(line)))
			var p Parser
			buf := make([]byte, len(line))
			for b.Loop() {
				copy(buf, line)
				if _, ok := p.Parse(buf); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}
