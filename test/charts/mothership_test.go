// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/k0rdent/kof/test/promxyconfig"
	"github.com/k0rdent/kof/test/toolcache"
)

// TestPromxyConfig has the format read strictly; Promxy itself can't be built here.
func TestPromxyConfig(t *testing.T) {
	const groups = `
promxy:
  serverGroups:
    here: {targets: {"vmauth:8427": true, "off:1": false}, pathPrefix: /vm/select/0/prometheus, scheme: https, secret: s, caSecret: c}
    there: {targets: {"vmauth.there:80": true}}
`
	rendered := render(t, options{chart: "kof-mothership", values: "operator: {enabled: false}" + groups})
	text := mapAt(t, find(t, objects(t, rendered), "ConfigMap", "kof-mothership-promxy").Object, "data")["config.yaml"].(string)
	config, err := promxyconfig.Parse([]byte(text))
	require.NoError(t, err)
	got := config.Promxy.ServerGroups
	require.Len(t, got, 2)
	require.Equal(t, []string{"vmauth:8427"}, got[0].Targets())
	require.Equal(t, "https", got[0].Scheme)
	require.EqualValues(t, "here", got[0].Labels["promxyCluster"])
	// Each file that it names is mounted, and the image is of the version whose keys these are.
	pod := mapAt(t, find(t, objects(t, rendered), "Deployment", "kof-mothership-promxy").Object, "spec", "template", "spec")
	container := pod["containers"].([]any)[0].(map[string]any)
	require.Contains(t, container["image"], ":"+promxyconfig.Version)
	var mounts []string
	for _, m := range container["volumeMounts"].([]any) {
		mounts = append(mounts, m.(map[string]any)["mountPath"].(string))
	}
	client := got[0].HTTPClient.HTTPClientConfig
	for _, f := range []string{client.BasicAuth.UsernameFile, client.BasicAuth.PasswordFile, client.TLSConfig.CAFile} {
		require.Contains(t, mounts, filepath.Dir(f))
	}
	require.Nil(t, got[1].HTTPClient.HTTPClientConfig.BasicAuth)

	// With the operator, the same become objects for it.
	all := objects(t, render(t, options{chart: "kof-mothership", values: groups}))
	require.Equal(t, "/vm/select/0/prometheus", mapAt(t, find(t, all, "PromxyServerGroup", "here").Object, "spec")["pathPrefix"])
}

// alertFiles returns the files of alerts: those that vmalert reads itself, and those that kof-operator merges.
func alertFiles(t *testing.T, all []*unstructured.Unstructured) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, o := range all {
		if o.GetKind() == "ConfigMap" && (o.GetName() == "kof-mothership-vmalert" || o.GetName() == "kof-mothership-alerts") {
			for name, text := range mapAt(t, o.Object, "data") {
				out[name] = text.(string)
			}
		}
	}
	return out
}

// TestAlertingRules has the real vmalert check the rules of each example.
func TestAlertingRules(t *testing.T) {
	vmalert, err := toolcache.Binary(t.Context(), "vmalert", os.Stderr)
	require.NoError(t, err)
	check := func(t *testing.T, rules string) (string, error) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), vmalert, "-dryRun", "-rule="+writer(t, t.TempDir())("rules.yaml", rules))
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		return out.String(), err
	}
	for _, name := range examplesOf(t, "kof-mothership") {
		t.Run(name, func(t *testing.T) {
			all := objects(t, render(t, exampleOf("kof-mothership", name)))
			var rules string
			for _, file := range alertFiles(t, all) {
				out, err := check(t, file)
				require.NoError(t, err, out)
				rules += file
			}
			if name == "everything" {
				require.Equal(t, 2, strings.Count(rules, "alert: NodeNotReady"), "one name, two severities")
				require.NotContains(t, rules, "NodeLoadHigh", "a rule that is switched off")
				require.NotContains(t, rules, "kof-finops", "a group that is switched off")
			}
		})
	}
	// What a change leaves out is as in the chart's file.
	var changed struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	all := objects(t, render(t, options{chart: "kof-mothership", values: "alerting: {groups: {kof-nodes: {rules: {NodeNotReady: {for: 5m, labels: {team: platform}}}}}}"}))
	require.NoError(t, yaml.Unmarshal([]byte(alertFiles(t, all)["kof-nodes.yaml"]), &changed))
	found := false
	for _, g := range changed.Groups {
		for _, r := range g.Rules {
			if r.Alert == "NodeNotReady" {
				found = true
				require.Equal(t, "5m", r.For)
				require.Equal(t, map[string]string{"severity": "critical", "team": "platform"}, r.Labels)
				require.Contains(t, r.Expr, `condition="Ready"`)
				require.Equal(t, "https://github.com/k0rdent/kof/blob/main/docs/runbooks/NodeNotReady.md", r.Annotations["runbook_url"])
			}
		}
	}
	require.True(t, found)
	_, err = check(t, "groups: [{name: g, rules: [{alert: a, expr: 'sum('}]}]")
	require.Error(t, err, "a bad rule")
}

// The operator may read Secrets in the namespaces that it is given, and in no other.
func TestOperatorNamespaces(t *testing.T) {
	all := objects(t, render(t, options{chart: "kof-mothership", values: "operator: {namespaces: {kcm-system: false, team: true}}"}))
	var namespaces []string
	for _, o := range all {
		if o.GetKind() == "Role" {
			namespaces = append(namespaces, o.GetNamespace())
		}
	}
	slices.Sort(namespaces)
	require.Equal(t, []string{"kof", "team"}, namespaces)
	pod := mapAt(t, find(t, all, "Deployment", "kof-mothership-operator").Object, "spec", "template", "spec")
	require.Contains(t, pod["containers"].([]any)[0].(map[string]any)["args"], "--namespaces=kof,team")
}

// The chart gives the operator the rights that its markers ask for, neither more nor less.
func TestOperatorRights(t *testing.T) {
	text, err := os.ReadFile(root + "/deploy/crds/rbac/role.yaml")
	require.NoError(t, err)
	want := rightsOf(t, objects(t, string(text)))
	require.Len(t, want, 2)
	var operators []*unstructured.Unstructured
	for _, o := range objects(t, render(t, options{chart: "kof-mothership", values: "operator: {namespaces: {kcm-system: false}}"})) {
		if strings.HasPrefix(o.GetName(), "kof-mothership-operator") {
			operators = append(operators, o)
		}
	}
	require.Equal(t, want, rightsOf(t, operators))
}

// rightsOf returns what roles allow, by their kind.
func rightsOf(t *testing.T, all []*unstructured.Unstructured) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, o := range all {
		if o.GetKind() != "ClusterRole" && o.GetKind() != "Role" {
			continue
		}
		for _, r := range o.Object["rules"].([]any) {
			rule := r.(map[string]any)
			for _, group := range rule["apiGroups"].([]any) {
				for _, resource := range rule["resources"].([]any) {
					for _, verb := range rule["verbs"].([]any) {
						out[o.GetKind()] = append(out[o.GetKind()], fmt.Sprintf("%v %v/%v", verb, group, resource))
					}
				}
			}
		}
		slices.Sort(out[o.GetKind()])
	}
	return out
}
