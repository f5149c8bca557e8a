// SPDX-License-Identifier: Apache-2.0

package podlogs

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/k0rdent/kof/test/demo/truth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var pod = Pod{
	Namespace: "acme-shop", Name: "storefront-1", UID: "0a6c9a2e-64f2-4f1e-9a6b-0c5a3f1d2e3b", Container: "app", Region: "us",
}

var idPattern = regexp.MustCompile(`id=(\S+) `)

// readMessages puts the messages of the given files together again, as a reader of CRI logs does.
func readMessages(t *testing.T, paths ...string) []string {
	t.Helper()
	var messages []string
	var partial strings.Builder
	for _, path := range paths {
		f, err := os.Open(path)
		require.NoError(t, err)
		defer func() { require.NoError(t, f.Close()) }()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 2*maxChunk)
		for lines.Scan() {
			fields := strings.SplitN(lines.Text(), " ", 4)
			require.Len(t, fields, 4)
			_, err := time.Parse(time.RFC3339Nano, fields[0])
			require.NoError(t, err)
			require.Equal(t, "stdout", fields[1])
			partial.WriteString(fields[3])
			if fields[2] == "P" {
				require.Len(t, fields[3], maxChunk)
				continue
			}
			require.Equal(t, "F", fields[2])
			messages = append(messages, partial.String())
			partial.Reset()
		}
		require.NoError(t, lines.Err())
	}
	require.Zero(t, partial.Len(), "a message was left without its end")
	return messages
}

func TestRotationKeepsTheSequence(t *testing.T) {
	f, err := openFile(pod.Dir(t.TempDir()), 512)
	require.NoError(t, err)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const lines = 23 // five a file, so that keepRotated files and the current one hold them all
	for n := uint64(1); n <= lines; n++ {
		require.NoError(t, f.write(encode(now, Message("s", n)), now))
		now = now.Add(time.Second)
	}
	require.NoError(t, f.close())

	rotated, err := filepath.Glob(f.path() + ".*")
	require.NoError(t, err)
	require.Len(t, rotated, keepRotated)
	require.Regexp(t, `/0\.log\.20260301-1200\d\d$`, rotated[0])
	slices.Sort(rotated)
	messages := readMessages(t, append(rotated, f.path())...)
	require.Len(t, messages, lines)
	for i, m := range messages {
		require.Equal(t, LineID("s", uint64(i+1)), idPattern.FindStringSubmatch(m)[1])
	}
}

func TestRotationTwiceInASecondOverwritesNothing(t *testing.T) {
	f, err := openFile(pod.Dir(t.TempDir()), 1)
	require.NoError(t, err)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for n := uint64(1); n <= 5; n++ {
		require.NoError(t, f.write(encode(now, Message("s", n)), now))
	}
	require.NoError(t, f.close())
	rotated, err := filepath.Glob(f.path() + ".*")
	require.NoError(t, err)
	require.Len(t, readMessages(t, append(rotated, f.path())...), 5)
}

func TestOldRotatedFilesGo(t *testing.T) {
	f, err := openFile(pod.Dir(t.TempDir()), 1)
	require.NoError(t, err)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for n := uint64(1); n <= 20; n++ {
		require.NoError(t, f.write(encode(now, Message("s", n)), now))
		now = now.Add(time.Second)
	}
	require.NoError(t, f.close())
	rotated, err := filepath.Glob(f.path() + ".*")
	require.NoError(t, err)
	require.Len(t, rotated, keepRotated)
	require.Contains(t, rotated, f.path()+".20260301-120019", "the newest must stay")
}

func TestLongMessageIsSplitAndWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "0.log")
	text := Message("s", longEvery-1)
	require.Greater(t, len(text), maxChunk)
	require.NoError(t, os.WriteFile(path, encode(time.Now(), text), 0o600))
	require.Equal(t, []string{text}, readMessages(t, path))
}

func TestWriterTellsTheTruth(t *testing.T) {
	root := t.TempDir()
	other := pod
	other.Name, other.Region = "storefront-2", "eu"
	set := truth.New(100_000)
	w, err := Start(t.Context(), Config{
		Root: root, Pods: []Pod{pod, other}, Interval: time.Millisecond, RotateBytes: 1 << 20, Truth: set,
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		counts := set.Counts()
		return counts[truth.Key{Region: "us", Signal: truth.Logs}] > 20 && counts[truth.Key{Region: "eu", Signal: truth.Logs}] > 20
	}, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, w.Stop())

	written := map[string]bool{}
	for _, p := range []Pod{pod, other} {
		for _, m := range readMessages(t, filepath.Join(p.Dir(root), "0.log")) {
			require.True(t, strings.HasPrefix(m, Marker+" "))
			written[idPattern.FindStringSubmatch(m)[1]] = true
		}
	}
	sent := set.Records(truth.Logs)
	require.Len(t, sent, len(written))
	for id := range written {
		require.Contains(t, sent, id)
	}
}

func TestStartSaysWhatItCannotWrite(t *testing.T) {
	root := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(root, nil, 0o600))
	_, err := Start(t.Context(), Config{Root: root, Pods: []Pod{pod}, Interval: time.Second, RotateBytes: 1, Truth: truth.New(0)})
	require.ErrorContains(t, err, "pod log folder")
}
