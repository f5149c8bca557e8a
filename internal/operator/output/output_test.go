// SPDX-License-Identifier: Apache-2.0

package output

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/credential"
	"github.com/k0rdent/kof/internal/region"
	"github.com/k0rdent/kof/test/toolcache"
)

var owner = Owner{OwnerCluster, "team-a", "shop"}

func TestDirectory(t *testing.T) {
	specs := []v1beta1.RegionSpec{
		{Name: "eu-1", Zone: "eu", Domain: "eu1.example", Failover: []string{"eu-2", "us-1", "none", "eu-1", "eu-2"}},
		{Name: "eu-2", Zone: "eu", Domain: "eu2.example", Endpoints: &v1beta1.Endpoints{Traces: "https://traces.example/v1/traces"}},
		{Name: "us-1", Endpoints: &v1beta1.Endpoints{Logs: "http://logs.example"}},
	}
	d, err := region.Parse([]byte(Directory(specs)))
	require.NoError(t, err)
	require.Equal(t, []string{"eu-2"}, d.Regions["eu-1"].Failover, "of the zone, known, once")
	require.Equal(t, "us-1", d.Regions["us-1"].Zone, "a zone of its own")
	require.Empty(t, d.Regions["us-1"].Metrics.URL)
	require.Equal(t, "https://traces.example/v1/traces", d.Regions["eu-2"].Traces.URL)
	require.Equal(t, "https://vmauth.eu2.example/vli/insert/opentelemetry/v1/logs", d.Regions["eu-2"].Logs.URL)
	require.Equal(t, "/etc/kof/credentials/eu-1/password", d.Regions["eu-1"].Auth.Basic.PasswordFile)

	specs[2].Domain = "eu1.example"
	require.ErrorContains(t, CheckDirectory(specs), "us-1")
}

func TestTargets(t *testing.T) {
	require.Equal(t, []string{"metrics-insert", "logs-insert", "traces-insert"}, WriteTargets(v1beta1.RegionSpec{Domain: "x"}))
	require.Equal(t, []string{"logs-insert"}, WriteTargets(v1beta1.RegionSpec{Endpoints: &v1beta1.Endpoints{Logs: "http://l", MetricsQuery: "http://m"}}))
	require.Equal(t, []string{"metrics-select"}, ReadTargets(v1beta1.RegionSpec{Endpoints: &v1beta1.Endpoints{Logs: "http://l", MetricsQuery: "http://m"}}))
}

func TestLoginState(t *testing.T) {
	s, _, _ := credential.Step(credential.State{}, "u", "r", time.Now(), credential.Policy{Interval: time.Hour, Overlap: time.Minute})
	next, _, _ := credential.Step(s, "u", "again", time.Now(), credential.Policy{Interval: time.Hour, Overlap: time.Minute})
	for _, want := range []credential.State{s, next} {
		u := owner.LoginSecret("n", "eu", want)
		content := map[string][]byte{}
		for k, v := range u.Object["data"].(map[string]any) {
			content[k] = decode(t, v.(string))
		}
		got := LoginState(u.GetAnnotations(), content)
		require.True(t, want.Since.Equal(got.Since))
		want.Since, got.Since = time.Time{}, time.Time{}
		require.Equal(t, want, got)
		delete(content, keyPassword)
		require.Zero(t, LoginState(u.GetAnnotations(), content))
	}
}

// TestShardsHold has five thousand clusters in a region, each in the middle of a rotation.
func TestShardsHold(t *testing.T) {
	const many = 5_000
	users := make([]User, many)
	for i := range users {
		o := Owner{OwnerCluster, "a-namespace-of-some-length", fmt.Sprint("a-cluster-of-some-length-", i)}
		name := UserName(o, "eu-west-1")
		users[i] = User{Name: name, Targets: WriteTargets(v1beta1.RegionSpec{Domain: "x"}), Logins: []credential.Login{
			{Username: name + "-1", Password: fmt.Sprintf("%043d", i)}, {Username: name + "-2", Password: fmt.Sprintf("%043d", i)},
		}}
	}
	begin := time.Now()
	bundles := Owner{OwnerRegion, "kcm-system", "eu1"}.UserBundles("eu1", "kof", users)
	largest := 0
	for _, b := range bundles {
		largest = max(largest, len(fmt.Sprint(b.Object["data"])))
	}
	t.Logf("largest of %d shards: %d KiB, made in %v", len(bundles), largest>>10, time.Since(begin))
	require.Less(t, largest, MaxShardBytes)
}

func TestMergeValues(t *testing.T) {
	got, err := MergeValues("a: {b: 1, c: [1]}\nd: e", map[string]any{"a": map[string]any{"b": 2}, "d": map[string]any{"x": "y"}})
	require.NoError(t, err)
	require.Equal(t, "a:\n  b: 2\n  c:\n  - 1\nd:\n  x: \"y\"\n", toYAML(got))
	for _, bad := range []string{"- a", "a: 1\na: 2", "x: s3cret: y", "s3cret"} {
		_, err := MergeValues(bad, nil)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "s3cret")
	}
	_, err = MergeValues(string(make([]byte, MaxValuesBytes+1)), nil)
	require.ErrorContains(t, err, "131073 bytes")
}

// TestChartTakesValues renders the chart kof-collectors, whose schema is closed, with what a cluster gets.
func TestChartTakesValues(t *testing.T) {
	if testing.Short() {
		t.Skip("runs helm")
	}
	helm, err := toolcache.Binary(t.Context(), "helm", os.Stderr)
	require.NoError(t, err)
	specs := []v1beta1.RegionSpec{{Name: "eu-west-1", Domain: "eu.example"}, {Name: "US_1.x", Domain: "us.example"}}
	objects, err := ClusterObjects(Cluster{
		Owner: owner, TelemetryName: "shop", Tenant: "acme", Region: "eu-west-1", Regions: specs,
		Logins: map[string]credential.Login{"eu-west-1": {Username: "u", Password: "p"}, "US_1.x": {Username: "u", Password: "p"}},
		Values: "scrapeInterval: 15s\nregions: {own: {zone: z}}",
	}, "kof")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "values.yaml")
	values := objects[0].Object["data"].(map[string]any)[ValuesKey].(string)
	require.NoError(t, os.WriteFile(file, []byte(values), 0o600))
	out, err := exec.CommandContext(t.Context(), helm, "template", "kof", "../../../deploy/charts/kof-collectors", "-n", "kof", "-f", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, want := range []string{"/etc/kof/credentials/eu-west-1", "/etc/kof/credentials/US_1.x", "secretName: " + secretName("US_1.x"), "name: " + DirectoryName} {
		require.Contains(t, string(out), want)
	}
}

// OTLP of unknown senders is the cluster's own where it can't belong elsewhere.
func TestUnattributed(t *testing.T) {
	one := []v1beta1.RegionSpec{{Name: "a", Zone: "eu"}, {Name: "b", Zone: "eu"}}
	two := []v1beta1.RegionSpec{{Name: "a", Zone: "eu"}, {Name: "b", Zone: "us"}}
	for _, tt := range []struct {
		values  string
		regions []v1beta1.RegionSpec
		want    any
	}{
		{"", one, map[string]any{"unattributed": "accept"}},
		{"otlp: {enabled: true}", one, map[string]any{"enabled": true, "unattributed": "accept"}},
		{"otlp: {unattributed: refuse}", one, map[string]any{"unattributed": "refuse"}},
		{"otlp: wrong", one, "wrong"},
		{"", two, nil},
	} {
		values, err := MergeValues(tt.values, nil)
		require.NoError(t, err)
		acceptUnattributed(values, tt.regions)
		require.Equal(t, tt.want, values["otlp"])
	}
}

// TestStorageChartTakesValues renders the chart kof-storage, whose schema is closed, with what a regional cluster gets of its annotations.
func TestStorageChartTakesValues(t *testing.T) {
	if testing.Short() {
		t.Skip("runs helm")
	}
	helm, err := toolcache.Binary(t.Context(), "helm", os.Stderr)
	require.NoError(t, err)
	u, err := owner.StorageValues("eu1", "fast", "ops@example.com", "eu1.example.com", `
form: single
victoriametrics: {vmcluster: {spec: {retentionPeriod: 13d}}}
victoria-logs-cluster: {vlstorage: {extraArgs: {retentionPeriod: 17d}}}
global: {storageClass: slow}
`)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(file, []byte(u.Object["data"].(map[string]any)[ValuesKey].(string)), 0o600))
	out, err := exec.CommandContext(t.Context(), helm, "template", "kof", "../../../deploy/charts/kof-storage", "-n", "kof", "-f", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, want := range []string{"13d", "17d", "slow", "ops@example.com", "vmauth.eu1.example.com"} {
		require.Contains(t, string(out), want)
	}
	require.NotContains(t, string(out), "fast", "the annotation with values comes first")
}

func decode(t *testing.T, s string) []byte {
	t.Helper()
	out, err := base64.StdEncoding.DecodeString(s)
	require.NoError(t, err)
	return out
}
