// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/k0rdent/kof/test/kubeapi/pki"
)

// TestDoorWithTLS has the real vmauth speak TLS with the flags of the chart, for the names that the chart's Certificate asks for.
func TestDoorWithTLS(t *testing.T) {
	rendered := render(t, options{chart: "kof-storage", values: "form: standalone\ntls: {enabled: true, dnsNames: {vmauth.example: true}}" + doorValues})
	all := objects(t, rendered)
	config, env := standaloneConfig(t, all)
	certificate := mapAt(t, find(t, all, "Certificate", "kof-storage").Object, "spec")
	require.Equal(t, "kof-storage-tls", certificate["secretName"])
	var names []string
	for _, n := range certificate["dnsNames"].([]any) {
		names = append(names, n.(string))
	}
	require.Subset(t, names, []string{"kof-storage-vmauth.kof.svc", "vmauth.example"})

	authority, err := pki.NewAuthority()
	require.NoError(t, err)
	cert, key, err := authority.Issue(pki.Certificate{Name: "vmauth", Hosts: names})
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, pki.WriteFiles(dir, map[string][]byte{"tls.crt": cert, "tls.key": key, "auth.yaml": []byte(config)}))
	ports := freePorts(t, 2)
	launch(t, "vmauth", env, argsOf(t, rendered, "Deployment", "kof-storage-vmauth",
		"/etc/vmauth/auth.yaml", dir+"/auth.yaml", "/etc/vmauth-tls", dir, ":8427", loopback(ports[0]), ":8426", loopback(ports[1]))...)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(authority.PEM))
	trusting := &tls.Config{ServerName: names[0], RootCAs: roots}
	// As the kubelet asks, which takes any certificate.
	probe := mapAt(t, containerOf(t, all, "Deployment", "kof-storage-vmauth"), "readinessProbe", "httpGet")
	require.Equal(t, "HTTPS", probe["scheme"])
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trusting, DisableKeepAlives: true}}
	require.Eventually(t, func() bool {
		resp, err := client.Get("https://" + loopback(ports[1]) + probe["path"].(string))
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, time.Minute, 100*time.Millisecond)

	dial := func(c *tls.Config) error {
		conn, err := tls.Dial("tcp", loopback(ports[0]), c)
		if err == nil {
			err = conn.Close()
		}
		return err
	}
	for _, n := range names {
		require.NoError(t, dial(&tls.Config{ServerName: n, RootCAs: roots}), n)
	}
	require.Error(t, dial(&tls.Config{ServerName: names[0]}), "an authority that nobody named")
	require.Error(t, dial(&tls.Config{ServerName: "other.example", RootCAs: roots}))
	require.Error(t, dial(&tls.Config{ServerName: names[0], RootCAs: roots, MaxVersion: tls.VersionTLS11}))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+loopback(ports[0])+metricsOut+"/query?query=1", nil)
	require.NoError(t, err)
	req.SetBasicAuth("reader", "secret-r")
	code, body := exchange(t, req)
	require.Equal(t, http.StatusBadRequest, code, "without TLS: %s", body)
}

// containerOf returns the first container of a workload.
func containerOf(t *testing.T, all []*unstructured.Unstructured, kind, name string) map[string]any {
	t.Helper()
	pod := mapAt(t, find(t, all, kind, name).Object, "spec", "template", "spec")
	return pod["containers"].([]any)[0].(map[string]any)
}

// unchecked is how the formats in use say that a certificate isn't checked.
var unchecked = regexp.MustCompile(`(?i)(insecure_?skip_?verify|tls_?skip_?verify(insecure)?|kof_kubelet_insecure, value)"?: *"?true`)

// TestCertificatesAreChecked: where values don't say otherwise, every client checks certificates.
func TestCertificatesAreChecked(t *testing.T) {
	const asked = "insecureSkipVerify: true"
	found := 0
	eachExample(t, func(t *testing.T, o options) {
		values, err := os.ReadFile(o.files[0])
		require.NoError(t, err)
		rendered := render(t, o)
		if strings.Contains(string(values), asked) {
			require.Regexp(t, unchecked, rendered)
			found++
			return
		}
		require.NotRegexp(t, unchecked, rendered)
	})
	require.Positive(t, found, "else the expression may match nothing")
}
