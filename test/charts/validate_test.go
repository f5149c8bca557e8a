// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const collector = root + "/bin/kof-otelcol"

// TestCollectorTakesExamples has the collector check each configuration with nothing but the environment that its pod gives it.
func TestCollectorTakesExamples(t *testing.T) {
	_, err := os.Stat(collector)
	require.NoError(t, err, "`make build` makes it")
	for _, name := range examples(t) {
		t.Run(name, func(t *testing.T) {
			all := objects(t, render(t, example(name)))
			checked := 0
			for _, o := range all {
				pod, found, err := unstructured.NestedMap(o.Object, "spec", "template", "spec")
				require.NoError(t, err)
				container := map[string]any{}
				if found {
					container = pod["containers"].([]any)[0].(map[string]any)
				}
				if container["name"] == "kof-otelcol" {
					data := mapAt(t, find(t, all, "ConfigMap", o.GetName()).Object, "data")
					out, err := validate(t, data["config.yaml"].(string), container["env"].([]any))
					require.NoError(t, err, "%s: %s", o.GetName(), out)
					require.NotContains(t, out, "KOF_", "%s: a variable that the pod doesn't have", o.GetName())
					checked++
				}
			}
			require.Positive(t, checked)
		})
	}
	t.Run("a bad one", func(t *testing.T) {
		all := objects(t, render(t, options{values: "agent: {config: {receivers: {pod_logs: {includ: []}}}}"}))
		data := mapAt(t, find(t, all, "ConfigMap", release+"-agent").Object, "data")
		out, err := validate(t, data["config.yaml"].(string), collectorOf(t, all)["env"].([]any))
		require.Error(t, err)
		require.Contains(t, out, "includ")
	})
}

func validate(t *testing.T, config string, env []any) (string, error) {
	t.Helper()
	dir := t.TempDir()
	files := map[string][]byte{"token": []byte("t"), "config.yaml": nil}
	files["tls.crt"], files["tls.key"] = certificate(t)
	files["ca.crt"] = files["tls.crt"]
	// What the pod mounts is in one folder here.
	files["config.yaml"] = []byte(strings.ReplaceAll(config, "/etc/kof/otlp-tls", dir))
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	path, err := filepath.Abs(collector)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), path, "validate", "--config", filepath.Join(dir, "config.yaml"))
	cmd.Env = append(variables(t, env), "KOF_SERVICE_ACCOUNT_DIR="+dir, "KOF_STATE_DIR="+dir, "KOF_HOST_ROOT=/")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// variables gives what the kubelet would.
func variables(t *testing.T, env []any) []string {
	t.Helper()
	fields := map[string]string{
		"status.podIP": "10.1.2.3", "status.hostIP": "10.0.0.7", "metadata.name": "pod-x7k2p", "metadata.namespace": namespace, "spec.nodeName": "node-1",
	}
	var out []string
	for _, e := range env {
		v := e.(map[string]any)
		value, ok := v["value"].(string)
		if !ok {
			value = fields[mapAt(t, v, "valueFrom", "fieldRef")["fieldPath"].(string)]
			require.NotEmpty(t, value, "%v", v)
		}
		out = append(out, v["name"].(string)+"="+value)
	}
	return out
}

func certificate(t *testing.T) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	require.NoError(t, err)
	private, err := x509.MarshalECPrivateKey(k)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})
}
