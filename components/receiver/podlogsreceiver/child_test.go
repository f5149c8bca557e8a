// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/metadata"
)

// childEnv makes the test binary a receiver that appends the bodies of what it reads to a file, until it is killed. Its value is the
// directories of pods and of the storage, and the file.
const childEnv = "KOF_TEST_POD_LOGS_CHILD"

func runChild() {
	args := strings.Split(os.Getenv(childEnv), "|")
	check := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
	}
	ctx := context.Background()
	out, err := os.OpenFile(args[2], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	check(err)
	var mu sync.Mutex
	next, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		var b strings.Builder
		for i := range logs.ResourceLogs().Len() {
			for _, r := range logs.ResourceLogs().At(i).ScopeLogs().At(0).LogRecords().All() {
				b.WriteString(r.Body().Str() + "\n")
			}
		}
		mu.Lock()
		defer mu.Unlock()
		_, err := out.WriteString(b.String()) // with the kernel when it returns
		return err
	})
	check(err)
	cfg := testConfig(args[0])
	cfg.Batch.MaxBytes = childBatch
	cfg.IncompleteTimeout = time.Minute // writers may be as slow as they like
	storage, err := openStorage(ctx, args[1])
	check(err)
	set := receivertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type)
	r, err := NewFactory().CreateLogs(ctx, set, cfg, next)
	check(err)
	check(r.Start(ctx, host{map[component.ID]component.Component{storageID: storage}}))
	fmt.Println("started")
	select {}
}

const childBatch = 16 * kib

// Writers log and rotate in all ways while the receiver is killed again and again: nothing is lost, and what is read twice is at most
// what the batches under way held at each kill.
func TestKilled(t *testing.T) {
	const kills, containers = 6, 10
	root, store, out := filepath.Join(t.TempDir(), "pods"), t.TempDir(), filepath.Join(t.TempDir(), "out")
	names := []string{"rename", "rename and compress", "copy and truncate", "numbers that grow with age"}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	want := make([]int, containers)
	for c := range containers {
		dir := filepath.Join(root, fmt.Sprintf("ns_pod-%d_uid", c), "app")
		require.NoError(t, os.MkdirAll(dir, 0o755))
		writers.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(c)))
			path, rotated, lines := filepath.Join(dir, "0.log"), 0, 0
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, text := numbered(fmt.Sprintf("container %d line", c), want[c], want[c]+19)
				begun := fmt.Sprintf("container %d ", c)
				appendTo(t, path, strings.Join(text, ""), criPartial(begun))
				if lines += 20; lines >= 400 && random.IntN(10) == 0 {
					rotated, lines = rotated+1, 0
					rotations[names[c%len(names)]](t, path, rotated)
				}
				appendTo(t, path, criPartial("line "), cri(fmt.Sprint(want[c]+19)))
				want[c] += 20
				time.Sleep(time.Duration(random.IntN(5)) * time.Millisecond)
			}
		})
	}
	run := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{root, store, out}, "|"))
		cmd.Stderr = os.Stderr
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		_, err = bufio.NewReader(stdout).ReadString('\n')
		require.NoError(t, err)
		return cmd
	}
	for range kills {
		cmd := run()
		time.Sleep(time.Duration(300+rand.IntN(700)) * time.Millisecond)
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
	}
	close(stop)
	writers.Wait()
	cmd := run()
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	total := 0
	for _, n := range want {
		total += n
	}
	var lost, twice int
	var unknown, missing []string
	assess := func() bool {
		content, err := os.ReadFile(out)
		require.NoError(t, err)
		seen := map[string]int{}
		for line := range strings.Lines(string(content)) {
			seen[strings.TrimSuffix(line, "\n")]++
		}
		lost, twice, missing = 0, 0, nil
		for c, n := range want {
			for i := range n {
				line := fmt.Sprintf("container %d line %d", c, i)
				if seen[line] == 0 {
					lost++
					missing = append(missing, line)
				} else {
					twice += seen[line] - 1
				}
				delete(seen, line)
			}
		}
		unknown = slices.Collect(maps.Keys(seen))
		return lost == 0
	}
	assert.Eventually(t, assess, 3*patience, 100*time.Millisecond)
	require.Empty(t, missing[:min(10, len(missing))], "%d are lost", lost)
	require.Empty(t, unknown, "records that nobody wrote")
	// A line has some 70 bytes; two workers hold a batch and one turn each, of containers that had that much.
	bound := kills * 2 * (childBatch + turnBytes) / 70
	t.Logf("%d lines, %d read twice, bound %d", total, twice, bound)
	require.LessOrEqual(t, twice, bound)
}

func TestThousandContainers(t *testing.T) {
	n := newNode(t)
	n.cfg.MaxOpenFiles = 1024
	for i := range 1000 {
		dir := filepath.Join(n.root, fmt.Sprintf("ns_pod-%d_uid", i), "app")
		require.NoError(t, os.MkdirAll(dir, 0o755))
		appendTo(t, filepath.Join(dir, "0.log"), cri("first"))
	}
	n.start()
	require.Eventually(t, func() bool { return n.sink.count() == 1000 }, patience, 10*time.Millisecond)
	for i := range 1000 {
		appendTo(t, filepath.Join(n.root, fmt.Sprintf("ns_pod-%d_uid", i), "app", "0.log"), cri("second"))
	}
	require.Eventually(t, func() bool { return n.sink.count() == 2000 }, patience, 10*time.Millisecond)
	require.EqualValues(t, 1000, n.sum("open_files"))
	// They go, and nothing is left of them.
	require.NoError(t, os.RemoveAll(n.root))
	require.NoError(t, os.MkdirAll(n.root, 0o755))
	require.Eventually(t, func() bool { return n.sum("containers") == 0 && n.sum("open_files") == 0 }, 4*patience, 10*time.Millisecond)
	require.Zero(t, n.sum("gaps"))
}

func TestTooManyContainersAndFiles(t *testing.T) {
	n := newNode(t)
	n.cfg.MaxContainers, n.cfg.MaxOpenFiles = 20, 16
	for i := range 25 {
		appendTo(t, filepath.Join(n.logDir(fmt.Sprintf("c-%d", i)), "0.log"), cri(fmt.Sprintf("line %d", i)))
	}
	n.start()
	require.Eventually(t, func() bool { return n.sum("containers") == 20 && n.sum("refused_containers") == 5 }, patience, time.Millisecond)
	require.LessOrEqual(t, n.sum("open_files"), int64(16))
	require.Eventually(t, func() bool { return n.sink.count() == 16 }, patience, time.Millisecond)
	for i := range 25 {
		if i%2 == 0 {
			require.NoError(t, os.RemoveAll(n.logDir(fmt.Sprintf("c-%d", i))))
		}
	}
	// Those that stay are all read. Which of the others were, depends on which were opened first.
	require.Eventually(t, func() bool {
		bodies := n.sink.bodies()
		for i := 1; i < 25; i += 2 {
			if !slices.Contains(bodies, fmt.Sprintf("line %d", i)) {
				return false
			}
		}
		return n.sum("containers") == 12
	}, 3*patience, 10*time.Millisecond)
}
