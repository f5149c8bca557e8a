// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/toolcache"
)

// program is a tool that runs until the test ends.
type program struct {
	mu   sync.Mutex
	log  bytes.Buffer
	done chan struct{}
}

func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *program) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// launch starts a tool.
func launch(t *testing.T, tool string, env []string, args ...string) *program {
	t.Helper()
	path, err := toolcache.Binary(t.Context(), tool, os.Stderr)
	require.NoError(t, err)
	p := &program{done: make(chan struct{})}
	cmd := exec.Command(path, args...)
	cmd.Env, cmd.Dir = append(os.Environ(), env...), t.TempDir()
	cmd.Stdout, cmd.Stderr = p, p
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		defer close(p.done)
		// The kernel's signal at the parent's end is tied to the thread that started the child.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	require.NoError(t, <-started)
	t.Cleanup(func() {
		// As the kubelet does: stores write down what they have in memory.
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(15 * time.Second):
			_ = cmd.Process.Kill()
			<-p.done
		}
		if t.Failed() {
			text := p.text()
			t.Logf("log of %s ends with:\n%s", tool, text[max(0, len(text)-4000):])
		}
	})
	return p
}

// run starts a tool and waits until it answers at a URL.
func run(t *testing.T, url, tool string, env []string, args ...string) *program {
	t.Helper()
	p := launch(t, tool, env, args...)
	require.Eventually(t, func() bool {
		select {
		case <-p.done:
			return true
		default:
		}
		resp, err := webClient.Get(url)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, time.Minute, 100*time.Millisecond, "%s isn't ready", tool)
	select {
	case <-p.done:
		require.Fail(t, tool+" ended", p.text())
	default:
	}
	return p
}

// webClient keeps no connection, and follows no redirect.
var webClient = &http.Client{
	Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// exchange makes a request and returns the answer's status and body.
func exchange(t *testing.T, req *http.Request) (int, string) {
	t.Helper()
	resp, err := webClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
