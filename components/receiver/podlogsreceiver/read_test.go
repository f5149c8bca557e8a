// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestReads(t *testing.T) {
	n := newNode(t)
	dir := n.logDir("app")
	path := filepath.Join(dir, "3.log")
	appendTo(t, path, "2026-11-23T18:50:26.000000001Z stdout F INFO hello\n", "2026-11-23T18:50:26.000000002Z stderr F [error] oh\n")
	n.cfg.IncludeFilePath = true
	n.start()
	n.sink.awaitBodies(t, "INFO hello", "[error] oh")
	for _, r := range n.sink.all() {
		require.EqualValues(t, 3, r.restart)
		require.Equal(t, "app", r.container)
		require.Empty(t, r.attributes)
		if r.stream == "stdout" {
			require.Equal(t, plog.SeverityNumberInfo, r.severity)
			require.Equal(t, time.Date(2026, 11, 23, 18, 50, 26, 1, time.UTC), r.time)
		} else {
			require.Equal(t, "stderr", r.stream)
			require.Equal(t, plog.SeverityNumberError, r.severity)
		}
	}
	require.Equal(t, map[string]any{
		attrNamespace: "shop", attrPod: "cart-0", attrUID: "11111111-2222-3333-4444-555555555555", attrContainer: "app", attrRestart: int64(3),
		attrStream: n.sink.resource[attrStream], attrPath: path,
	}, n.sink.resource)

	// New lines, a new file, a new container, a new pod, each found without a rescan.
	n.stop()
	n.cfg.RescanInterval = time.Hour
	n.start()
	appendTo(t, path, cri("more"))
	n.sink.awaitBodies(t, "INFO hello", "[error] oh", "more")
	appendTo(t, filepath.Join(dir, "4.log"), cri("restarted"))
	appendTo(t, filepath.Join(n.logDir("sidecar"), "0.log"), cri("sidecar"))
	other := filepath.Join(n.root, "default_other_uid", "c")
	require.NoError(t, os.MkdirAll(other, 0o755))
	appendTo(t, filepath.Join(other, "0.log"), cri("other pod"))
	n.sink.awaitBodies(t, "INFO hello", "[error] oh", "more", "restarted", "sidecar", "other pod")
	require.Eventually(t, func() bool { return n.sum("containers") == 3 }, patience, 5*time.Millisecond)
}

func TestDirectoryComesLater(t *testing.T) {
	n := newNode(t)
	n.start()
	appendTo(t, filepath.Join(n.logDir("app"), "0.log"), cri("hello"))
	n.sink.awaitBodies(t, "hello")
}

func TestPartialLines(t *testing.T) {
	n := newNode(t)
	path := filepath.Join(n.logDir("app"), "0.log")
	part := strings.Repeat("x", 16*kib)
	// Both streams at the same time, in one read and over several.
	appendTo(t, path, criLine("stdout", "P", part), criLine("stderr", "P", "e1 "), criLine("stdout", "P", part), criLine("stderr", "F", "e2"))
	n.start()
	n.sink.awaitBodies(t, "e1 e2")
	appendTo(t, path, criLine("stdout", "F", "end"), criPartial("a"), criPartial("b"), cri("c"), cri("whole"))
	n.sink.awaitBodies(t, "e1 e2", part+part+"end", "abc", "whole")
	require.Eventually(t, func() bool { return n.sum("joined_lines") == 5 }, patience, time.Millisecond)
	// One that is never ended.
	appendTo(t, path, criPartial("left"))
	n.sink.awaitBodies(t, "e1 e2", part+part+"end", "abc", "whole", "left")
}

func TestRestartWithinPartialLines(t *testing.T) {
	n := newNode(t)
	n.cfg.IncompleteTimeout = time.Hour
	path := filepath.Join(n.logDir("app"), "0.log")
	appendTo(t, path, cri("one"), criLine("stderr", "P", "a"), cri("two"), criLine("stdout", "P", "1"), criLine("stderr", "P", "b"))
	n.start()
	n.sink.awaitBodies(t, "one", "two")
	n.stop()
	appendTo(t, path, cri("2"), criLine("stderr", "F", "c"))
	n.start()
	n.sink.awaitBodies(t, "one", "two", "12", "abc")
}

func TestHugeLines(t *testing.T) {
	n := newNode(t)
	n.cfg.MaxLineBytes = 64 * kib
	path := filepath.Join(n.logDir("app"), "0.log")
	part := strings.Repeat("y", 16*kib)
	for range 10 {
		appendTo(t, path, criPartial(part))
	}
	appendTo(t, path, cri("end of it"), cri("next"), "garbage "+strings.Repeat("z", 3*mib)+"\n", cri("last"))
	n.start()
	n.sink.awaitBodies(t, strings.Repeat("y", 64*kib), "next", ("garbage " + strings.Repeat("z", 64*kib))[:64*kib], "last")
	for _, r := range n.sink.all() {
		if len(r.body) == 64*kib {
			require.Equal(t, map[string]any{attrTruncated: true}, r.attributes)
		} else {
			require.Empty(t, r.attributes)
		}
	}
	require.Eventually(t, func() bool { return n.sum("truncated_records") == 2 && n.sum("malformed_lines") == 1 }, patience, time.Millisecond)
}

func TestInvalidUTF8AndMalformed(t *testing.T) {
	n := newNode(t)
	path := filepath.Join(n.logDir("app"), "0.log")
	appendTo(t, path, cri("bad \xff\xfe utf8"), "no format at all\n", "\n", cri(""), cri("gr\u00fc\u00dfe"))
	n.start()
	n.sink.awaitBodies(t, "bad \uFFFD utf8", "no format at all", "", "", "gr\u00fc\u00dfe")
	require.Eventually(t, func() bool { return n.sum("malformed_lines") == 2 }, patience, time.Millisecond)
}

func TestMissingNewline(t *testing.T) {
	n := newNode(t)
	path := filepath.Join(n.logDir("app"), "0.log")
	appendTo(t, path, cri("one"), strings.TrimSuffix(cri("two"), "\n"))
	n.start()
	n.sink.awaitBodies(t, "one", "two")
	appendTo(t, path, "\n", cri("three"))
	n.sink.awaitBodies(t, "one", "two", "three")
}

func TestDockerFormat(t *testing.T) {
	n := newNode(t)
	path := filepath.Join(n.logDir("app"), "0.log")
	appendTo(t, path,
		`{"log":"plain\n","stream":"stdout","time":"2026-11-23T18:50:26.5Z"}`+"\n",
		`{"log":"with \"quotes\" \u00e4 \\n\n","stream":"stderr","time":"2026-11-23T18:50:26.5Z"}`+"\n",
		`{"log":"part ","stream":"stdout","time":"2026-11-23T18:50:26.5Z"}`+"\n",
		`{"log":"whole\n","stream":"stdout","attrs":{"a":"b"},"time":"2026-11-23T18:50:26.5Z"}`+"\n")
	n.start()
	n.sink.awaitBodies(t, "plain", `with "quotes" ä \n`, "part whole")
}

func TestMultiline(t *testing.T) {
	java := []string{"ERROR boom", "java.lang.X: y", "\tat a.b.C(D.java:1)", "\t... 3 more", "Caused by: z", "\tat q.r(S.java:2)", "INFO fine"}
	n := newNode(t)
	n.cfg.Workloads = []WorkloadConfig{
		{Match: SelectorConfig{Container: "jvm"}, Multiline: MultilineConfig{StackTraces: true}},
		{Match: SelectorConfig{Container: "dated"}, Multiline: MultilineConfig{FirstLine: `^\d{4}-`}},
	}
	for _, line := range java {
		appendTo(t, filepath.Join(n.logDir("jvm"), "0.log"), cri(line))
	}
	dated := filepath.Join(n.logDir("dated"), "0.log")
	appendTo(t, dated, cri("2026-1 a"), cri("b"), criPartial("c1 "), cri("c2"), criLine("stderr", "F", "2026-2 x"), cri("2026-3 d"))
	n.start()
	n.sink.awaitBodies(t, "ERROR boom", strings.Join(java[1:6], "\n"), "INFO fine", "2026-1 a\nb\nc1 c2", "2026-2 x", "2026-3 d")
}

func TestJSONBodies(t *testing.T) {
	n := newNode(t)
	n.cfg.Workloads = []WorkloadConfig{{ParseJSON: true}}
	path := filepath.Join(n.logDir("app"), "0.log")
	appendTo(t, path, cri(`{"level":"warn","msg":"careful","n":3,"f":1.5,"ok":true,"o":{"a":[1,"x",null]},"kof.tenant":"victim","kof":{"tenant":"victim"},"kofi":1}`), cri(`{"no": "json"`), cri(`{"a":"b"}`))
	n.start()
	n.sink.awaitBodies(t, "careful", `{"no": "json"`, `{"a":"b"}`)
	for _, r := range n.sink.all() {
		if r.body == "careful" {
			require.Equal(t, plog.SeverityNumberWarn, r.severity)
			require.Equal(t, map[string]any{
				"n": int64(3), "f": 1.5, "ok": true, "o": map[string]any{"a": []any{int64(1), "x", nil}}, "kofi": int64(1),
			}, r.attributes)
		}
	}
}

func TestBackPressure(t *testing.T) {
	n := newNode(t)
	n.sink.refuse(errors.New("full"))
	path := filepath.Join(n.logDir("app"), "0.log")
	bodies, lines := numbered("line", 0, 100_000)
	appendTo(t, path, strings.Join(lines, ""))
	n.start()
	require.Eventually(t, func() bool { n.sink.mu.Lock(); defer n.sink.mu.Unlock(); return n.sink.calls > 3 }, patience, time.Millisecond)
	require.Eventually(t, func() bool { return n.sum("lag_bytes") > 0 }, patience, time.Millisecond)
	// What is rotated away and deleted meanwhile is read nevertheless.
	require.NoError(t, os.Rename(path, path+".20261123-185100"))
	appendTo(t, path, cri("after rotation"))
	require.Eventually(t, func() bool { return n.sum("open_files") == 2 }, patience, time.Millisecond)
	require.NoError(t, os.Remove(path+".20261123-185100"))
	n.sink.refuse(nil)
	n.sink.awaitBodies(t, append(bodies, "after rotation")...)
	require.Zero(t, n.sum("gaps"))
}

func TestPermanentRefusal(t *testing.T) {
	n := newNode(t)
	n.sink.refuse(consumererror.NewPermanent(errors.New("never")))
	path := filepath.Join(n.logDir("app"), "0.log")
	appendTo(t, path, cri("one"), cri("two"))
	n.start()
	require.Eventually(t, func() bool { return n.sum("dropped_records") == 2 }, patience, time.Millisecond)
	n.sink.refuse(nil)
	appendTo(t, path, cri("three"))
	n.sink.awaitBodies(t, "three")
}

// partialTaker takes the first resource and returns the rest, as the region exporter does when one lane is full.
func TestPartialRefusal(t *testing.T) {
	rest := plog.NewLogs()
	r := rest.ResourceLogs().AppendEmpty()
	for key, value := range map[string]string{attrContainer: "rest", attrStream: "stdout"} {
		r.Resource().Attributes().PutStr(key, value)
	}
	r.Resource().Attributes().PutInt(attrRestart, 0)
	r.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("what wasn't taken")
	n := newNode(t)
	n.sink.refuse(consumererror.NewLogs(errors.New("full"), rest))
	appendTo(t, filepath.Join(n.logDir("app"), "0.log"), cri("whatever"))
	n.start()
	require.Eventually(t, func() bool { n.sink.mu.Lock(); defer n.sink.mu.Unlock(); return n.sink.calls > 1 }, patience, time.Millisecond)
	n.sink.refuse(nil)
	n.sink.awaitBodies(t, "what wasn't taken")
}

func TestRateLimit(t *testing.T) {
	n := newNode(t)
	n.cfg.Workloads = []WorkloadConfig{{Match: SelectorConfig{Container: "noisy"}, RateLimit: RateLimitConfig{LinesPerSecond: 100}}}
	_, lines := numbered("noise", 0, 5000)
	appendTo(t, filepath.Join(n.logDir("noisy"), "0.log"), strings.Join(lines, ""))
	bodies, lines := numbered("quiet", 0, 5000)
	appendTo(t, filepath.Join(n.logDir("quiet"), "0.log"), strings.Join(lines, ""))
	n.start()
	require.Eventually(t, func() bool { return int64(n.sink.count())+n.sum("dropped_records") == 10_000 }, patience, time.Millisecond)
	require.Less(t, n.sink.count()-len(bodies), 1000)
	require.GreaterOrEqual(t, n.sink.count()-len(bodies), 100)
}

// A noisy container doesn't keep others waiting: with one worker, the quiet one's line comes before the noise has ended.
func TestFairness(t *testing.T) {
	n := newNode(t)
	n.cfg.Workers = 1
	line := cri(strings.Repeat("n", 1000))
	appendTo(t, filepath.Join(n.logDir("a-noisy"), "0.log"), strings.Repeat(line, 60_000))
	for i := range 20 {
		appendTo(t, filepath.Join(n.logDir(fmt.Sprintf("quiet-%d", i)), "0.log"), cri("quiet"))
	}
	n.start()
	require.Eventually(t, func() bool { return n.sink.count() == 60_020 }, patience, time.Millisecond)
	for i, r := range n.sink.all() {
		if r.body == "quiet" {
			require.Less(t, i, 20_000, "read after much of the noise")
		}
	}
}

func TestSelection(t *testing.T) {
	n := newNode(t)
	n.cfg.Include = []SelectorConfig{{Namespace: "shop"}}
	n.cfg.Exclude = []SelectorConfig{{Pod: "cart-*", Container: "no-*"}}
	appendTo(t, filepath.Join(n.logDir("yes"), "0.log"), cri("yes"))
	appendTo(t, filepath.Join(n.logDir("no-way"), "0.log"), cri("no"))
	other := filepath.Join(n.root, "default_other_uid", "c")
	require.NoError(t, os.MkdirAll(other, 0o755))
	appendTo(t, filepath.Join(other, "0.log"), cri("other"))
	n.start()
	n.sink.awaitBodies(t, "yes")
	require.EqualValues(t, 1, n.sum("containers"))
}
