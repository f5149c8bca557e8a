// SPDX-License-Identifier: Apache-2.0

//go:build linux

package queuestorageextension

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// The helper process of TestKill carries out operations whose outcome follows from their number: number n sets the key n
// and deletes the key that is a window behind, some of them much later, and notes n under a key of its own.
const (
	window     = 60
	longWindow = 2000
)

func deletedBy(n int) (keys []int) {
	if k := n - window; k > 0 && k%37 != 0 {
		keys = append(keys, k)
	}
	if k := n - longWindow; k > 0 && k%37 == 0 {
		keys = append(keys, k)
	}
	return keys
}

func kept(k, n int) bool {
	if k%37 == 0 {
		return k > n-longWindow
	}
	return k > n-window
}

func killValue(n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(n))
	return bytes.Repeat(b, 1+(n*7919)%6000)
}

func number(t testing.TB, c storage.Client) int {
	v, err := c.Get(context.Background(), "number")
	require.NoError(t, err)
	n, _ := strconv.Atoi(string(v))
	return n
}

// writeForEver is the helper process: it goes on where it was and prints the number of every acknowledged operation.
func writeForEver(t *testing.T, dir string) {
	c := open(t, start(t, dir, func(c *Config) { c.Fsync = FsyncPolicy(os.Getenv("QUEUE_STORAGE_FSYNC")) }), "logs")
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintln(out, "ready")
	for n := number(t, c) + 1; ; n++ {
		ops := []*storage.Operation{storage.SetOperation(strconv.Itoa(n), killValue(n)), storage.SetOperation("number", []byte(strconv.Itoa(n)))}
		for _, k := range deletedBy(n) {
			ops = append(ops, storage.DeleteOperation(strconv.Itoa(k)))
		}
		require.NoError(t, c.Batch(context.Background(), ops...))
		fmt.Fprintln(out, n)
		_ = out.Flush()
	}
}

// TestKill kills a writing process at random moments: what it had acknowledged is there, and no batch is there by half.
func TestKill(t *testing.T) {
	if dir := os.Getenv("QUEUE_STORAGE_KILL"); dir != "" {
		writeForEver(t, dir)
		return
	}
	cycles := 10
	if n, err := strconv.Atoi(os.Getenv("QUEUE_STORAGE_KILLS")); err == nil {
		cycles = n
	}
	for _, policy := range []FsyncPolicy{FsyncInterval, FsyncNever} {
		t.Run(string(policy), func(t *testing.T) {
			dir := t.TempDir()
			for range cycles {
				acknowledged := killedWriter(t, dir, policy)
				e := start(t, dir, nil)
				c := open(t, e, "logs")
				n := number(t, c)
				require.GreaterOrEqual(t, n, acknowledged)
				for k := max(1, n-2*longWindow); k <= n+1; k++ {
					v, err := c.Get(t.Context(), strconv.Itoa(k))
					require.NoError(t, err)
					if k <= n && kept(k, n) {
						require.Equal(t, killValue(k), v, "key %d after operation %d", k, n)
					} else {
						require.Nil(t, v, "key %d after operation %d", k, n)
					}
				}
				st := c.(*client).log.Stats()
				require.Zero(t, st.CorruptBytes)
				require.NoError(t, e.Shutdown(t.Context()))
			}
		})
	}
}

// killedWriter runs the helper process for a while and returns the last operation that it acknowledged.
func killedWriter(t *testing.T, dir string, policy FsyncPolicy) int {
	cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), "QUEUE_STORAGE_KILL="+dir, "QUEUE_STORAGE_FSYNC="+string(policy))
	out := startHelper(t, cmd, "ready")
	time.AfterFunc(time.Duration(20+rand.IntN(400))*time.Millisecond, func() { _ = cmd.Process.Kill() })
	last := 0
	for {
		line, err := out.ReadString('\n')
		if err != nil {
			_ = cmd.Wait()
			return last
		}
		last, err = strconv.Atoi(line[:len(line)-1])
		require.NoError(t, err)
	}
}
