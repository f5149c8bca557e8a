// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/kube"
	"github.com/k0rdent/kof/test/toolcache"
)

const (
	// stackNamespace is that of the pages' commands.
	stackNamespace = "kof"
	repository     = "../.."
	// stackTimeout bounds the time until all pods are those that were asked for and ready.
	stackTimeout = 4 * time.Minute
)

// sh runs commands as a reader of the pages would: in the repository, as an administrator of the cluster.
func (w *world) sh(t *testing.T, commands string) string {
	t.Helper()
	out, err := w.cluster.Exec(t.Context(), nil, "bash", "-euc", "cd "+absolute(t, repository)+"\n"+commands)
	if err != nil {
		t.Log(w.state())
	}
	require.NoError(t, err, "%s\n%s", commands, out)
	return out
}

// loadStack gives the node an image under each name that the charts have by default, with the real program in it.
func (w *world) loadStack(t *testing.T) {
	rendered := w.sh(t, "helm template s deploy/charts/kof-storage --set form=standalone; helm template c deploy/charts/kof-collectors")
	loaded := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^ +image: "?([^"\n]+)`).FindAllStringSubmatch(rendered, -1) {
		name := match[1]
		repo, _, _ := strings.Cut(name, ":")
		// As the kubelet completes it.
		if !strings.Contains(strings.Split(repo, "/")[0], ".") {
			name = "docker.io/" + name
		}
		if loaded[name] {
			continue
		}
		loaded[name] = true
		program := path.Base(repo)
		file := absolute(t, collector)
		if program != filepath.Base(collector) {
			var err error
			file, err = toolcache.Binary(t.Context(), program, os.Stderr)
			require.NoError(t, err)
		}
		require.NoError(t, w.cluster.LoadImage(t.Context(), name, kube.Image{
			Files: map[string]string{"/" + program: file}, Entrypoint: []string{"/" + program}, User: "65534:65534",
		}))
	}
	require.Len(t, loaded, 7, "%v", loaded)
}

// makeVolumes makes what a storage provisioner would on a cluster that has one, for claims of a StorageClass, or of none.
func (w *world) makeVolumes(t *testing.T, class string, sizes ...string) {
	t.Helper()
	var manifest, folders string
	for i, size := range sizes {
		name := fmt.Sprintf("%s-%d", strings.TrimSuffix("volume-"+class, "-"), i)
		folders += " /var/lib/volumes/" + name
		manifest += fmt.Sprintf(`---
apiVersion: v1
kind: PersistentVolume
metadata: {name: %[1]s}
spec:
  storageClassName: %[2]q
  capacity: {storage: %[3]s}
  accessModes: [ReadWriteOnce]
  local: {path: /var/lib/volumes/%[1]s}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [%[4]s]}]}]}}
`, name, class, size, kube.NodeName)
	}
	w.sh(t, "mkdir -p"+folders+"\nkubectl apply -f - <<'END'\n"+manifest+"END\n")
}

// waitStack waits until each workload has the pods that its newest version asks for, and they are ready.
func (w *world) waitStack(t *testing.T) {
	t.Helper()
	start := time.Now()
	w.sh(t, fmt.Sprintf(`for workload in $(kubectl -n %[1]s get deployment,statefulset,daemonset -o name); do
kubectl -n %[1]s rollout status --timeout=%[2]s "$workload"
done`, stackNamespace, stackTimeout))
	t.Logf("all ready after %.1f s", time.Since(start).Seconds())
}
