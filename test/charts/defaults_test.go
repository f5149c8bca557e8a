// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"fmt"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/k0rdent/kof/internal/region"
)

// TestDefaultsFitTogether: agents without values have a region that is the kof-storage beside them, as a user who may write on each of
// its paths, whose Secret they can do without at the start. What they say to a region of the values' own, they need.
func TestDefaultsFitTogether(t *testing.T) {
	agents := objects(t, render(t, options{}))
	directory, err := region.Parse([]byte(mapAt(t, find(t, agents, "ConfigMap", release+"-regions").Object, "data")["regions.yaml"].(string)))
	require.NoError(t, err)
	require.Len(t, directory.Regions, 1)
	here := directory.Regions["default"]
	secret := credentialSecrets(t, find(t, agents, "DaemonSet", release+"-agent").Object)
	require.Equal(t, map[string]bool{"kof-storage-writer": true}, secret)
	for _, name := range []string{release + "-cluster", release + "-state"} {
		require.Equal(t, secret, credentialSecrets(t, find(t, agents, "Deployment", name).Object))
	}

	for _, form := range []string{"standalone", "single", "cluster"} {
		stores := objects(t, render(t, options{chart: "kof-storage", values: "form: " + form}))
		find(t, stores, "Secret", "kof-storage-writer")
		for _, endpoint := range []string{here.Metrics.URL, here.Logs.URL, here.Traces.URL} {
			u, err := url.Parse(endpoint)
			require.NoError(t, err)
			require.Equal(t, "http://kof-storage-vmauth.kof.svc:8427", u.Scheme+"://"+u.Host)
			if form != "standalone" {
				// The operator's VMAuth has that Service too, and its users have the routes of the chart's.
				service := mapAt(t, find(t, stores, "VMAuth", "kof-storage").Object, "spec", "serviceSpec", "metadata")
				require.Equal(t, "kof-storage-vmauth", service["name"])
				continue
			}
			find(t, stores, "Service", "kof-storage-vmauth")
			require.True(t, mayWrite(t, mapAt(t, find(t, stores, "ConfigMap", "kof-storage-vmauth").Object, "data")["auth.yaml"].(string), "writer", u.Path), endpoint)
		}
	}

	own := objects(t, render(t, exampleOf("kof-collectors", "regionless")))
	require.Equal(t, map[string]bool{"kof-storage-writer": false}, credentialSecrets(t, find(t, own, "DaemonSet", release+"-agent").Object))
	other := objects(t, render(t, exampleOf("kof-collectors", "tenant")))
	require.Empty(t, credentialSecrets(t, find(t, other, "DaemonSet", release+"-agent").Object), "a directory of others has its own")
}

// credentialSecrets are the Secrets in a workload's projected volume of credentials, with whether pods start without them.
func credentialSecrets(t *testing.T, workload map[string]any) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, v := range mapAt(t, workload, "spec", "template", "spec")["volumes"].([]any) {
		projected, found := v.(map[string]any)["projected"].(map[string]any)
		if !found {
			continue
		}
		for _, s := range projected["sources"].([]any) {
			secret := mapAt(t, s.(map[string]any), "secret")
			optional, _ := secret["optional"].(bool)
			out[secret["name"].(string)] = optional
		}
	}
	return out
}

// mayWrite says whether vmauth lets a user to a path.
func mayWrite(t *testing.T, config, user, path string) bool {
	t.Helper()
	var auth struct {
		Users []struct {
			Username string
			URLMap   []struct {
				SrcPaths []string `yaml:"src_paths"`
			} `yaml:"url_map"`
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(config), &auth))
	for _, u := range auth.Users {
		for _, m := range u.URLMap {
			for _, p := range m.SrcPaths {
				if u.Username == user && regexp.MustCompile(fmt.Sprintf("^(?:%s)$", p)).MatchString(path) {
					return true
				}
			}
		}
	}
	return false
}
