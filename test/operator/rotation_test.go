// SPDX-License-Identifier: Apache-2.0

// Package operator tests what the operator writes with the programs that it is for.
package operator

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"sigs.k8s.io/yaml"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/credential"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/test/toolcache"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	path      = "/vm/insert/0/prometheus/api/v1/write"
	overlap   = 2 * time.Second
	rotations = 3
)

// TestRotationUnderLoad rotates a credential while agents send without pause through the real vmauth, which learns of users late, and agents
// of their credential later: no request is refused, and an old credential is of no use afterwards.
func TestRotationUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("runs vmauth")
	}
	store := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer store.Close()
	file := filepath.Join(t.TempDir(), "auth.yaml")
	cluster := output.Owner{Kind: output.OwnerCluster, Namespace: "team-a", Name: "shop"}
	policy := credential.Policy{Interval: 3 * overlap, Overlap: overlap}
	state, _, _ := credential.Step(credential.State{}, output.UserName(cluster, "eu"), "", time.Now(), policy)
	first := state.Current
	require.NoError(t, writeAuth(file, store.URL, cluster, state))
	door := startVMAuth(t, file)

	var inUse atomic.Pointer[credential.Login]
	inUse.Store(&first)
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	send := func(l credential.Login) int {
		request, err := http.NewRequest(http.MethodPost, door+path, strings.NewReader("x"))
		if err != nil {
			return 0
		}
		request.SetBasicAuth(l.Username, l.Password)
		response, err := client.Do(request)
		if err != nil {
			return 0
		}
		response.Body.Close()
		return response.StatusCode
	}
	require.Eventually(t, func() bool { return send(first) == http.StatusOK }, time.Minute, 50*time.Millisecond)

	stop := make(chan struct{})
	var agents sync.WaitGroup
	var sent, refused, problems atomic.Int64
	for range 4 {
		agents.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if status := send(*inUse.Load()); status != http.StatusOK {
					refused.Add(1)
				}
				sent.Add(1)
			}
		})
	}
	// vmauth and the agents learn of what is in force by themselves, each late as Sveltos and the kubelet are.
	var inForce atomic.Pointer[credential.State]
	inForce.Store(&state)
	learn := func(take func(credential.State) error) {
		for {
			s := *inForce.Load()
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(rand.IntN(int(overlap) / 4))):
			}
			if err := take(s); err != nil {
				problems.Add(1)
			}
		}
	}
	agents.Go(func() { learn(func(s credential.State) error { return writeAuth(file, store.URL, cluster, s) }) })
	agents.Go(func() { learn(func(s credential.State) error { inUse.Store(&s.Current); return nil }) })
	for s := *inForce.Load(); s.Serial <= rotations || s.Phase != credential.Stable; time.Sleep(overlap / 50) {
		next, changed, _ := credential.Step(s, output.UserName(cluster, "eu"), "", time.Now(), policy)
		if s = next; changed {
			inForce.Store(&next)
		}
	}
	last := *inForce.Load()
	require.Eventually(t, func() bool { return send(first) == http.StatusUnauthorized && *inUse.Load() == last.Current }, time.Minute, 50*time.Millisecond)
	close(stop)
	agents.Wait()
	t.Logf("%d requests in %d rotations, %d refused", sent.Load(), rotations, refused.Load())
	require.Positive(t, sent.Load())
	require.Zero(t, refused.Load())
	require.Zero(t, problems.Load())
	require.Equal(t, http.StatusOK, send(last.Current))
}

// writeAuth does what the VictoriaMetrics operator does with a bundle: each VMUser becomes a user of vmauth, with the password of its Secret.
func writeAuth(file, store string, cluster output.Owner, s credential.State) error {
	users := []output.User{{Name: output.UserName(cluster, "eu"), Logins: s.Valid(), Targets: output.WriteTargets(v1beta1.RegionSpec{Domain: "eu.example"})}}
	passwords, names := map[string]string{}, []string{}
	for _, bundle := range (output.Owner{Kind: output.OwnerRegion, Namespace: "kcm-system", Name: "eu"}).UserBundles("eu", "kof", users) {
		text, err := base64.StdEncoding.DecodeString(bundle.Object["data"].(map[string]any)["objects.yaml"].(string))
		if err != nil {
			return err
		}
		for _, document := range strings.Split(string(text), "---\n")[1:] {
			var o struct {
				Kind     string
				Metadata struct{ Name string }
				Data     map[string][]byte
			}
			if err := yaml.Unmarshal([]byte(document), &o); err != nil {
				return err
			}
			if o.Kind == "Secret" {
				passwords[o.Metadata.Name] = string(o.Data["password"])
			} else {
				names = append(names, o.Metadata.Name)
			}
		}
	}
	var b strings.Builder
	b.WriteString("users:\n")
	for _, n := range names {
		fmt.Fprintf(&b, "- {username: %q, password: %q, url_map: [{src_paths: [%q], url_prefix: %q}]}\n", n, passwords[n], path, store)
	}
	if err := os.WriteFile(file+".new", []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

func startVMAuth(t *testing.T, file string) string {
	t.Helper()
	binary, err := toolcache.Binary(t.Context(), "vmauth", os.Stderr)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	cmd := exec.CommandContext(t.Context(), binary, "-httpListenAddr="+address, "-auth.config="+file, "-configCheckInterval=50ms", "-loggerLevel=ERROR")
	cmd.SysProcAttr = endsWithParent()
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return "http://" + address
}
