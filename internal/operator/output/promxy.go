// SPDX-License-Identifier: Apache-2.0

package output

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
)

// Names of Promxy's configuration.
const (
	PromxyName = "kof-promxy-config"
	PromxyKey  = "config.yaml"
)

// Group is a PromxyServerGroup with what its Secrets hold.
type Group struct {
	Spec     v1beta1.PromxyServerGroupSpec
	Login    *Login
	CA       string // PEM; "": the system's authorities
	Identity string // namespace/name, for the order
}

// Login of basic authentication.
type Login struct{ Username, Password string }

// PromxySecret is Promxy's configuration: a Secret, as Promxy takes passwords only inside of it. Groups are in the order given. Promxy's
// format has no key for an authority's PEM inline, so that each CA is a key of the Secret beside the configuration.
func PromxySecret(namespace string, groups []Group) *unstructured.Unstructured {
	texts := map[string]string{}
	list := make([]any, 0, len(groups))
	for _, g := range groups {
		entry := map[string]any{
			"static_configs": []any{map[string]any{"targets": anyList(g.Spec.Targets)}},
			"labels":         map[string]any{"promxyCluster": g.Spec.ClusterName},
			"scheme":         g.Spec.Scheme,
			"ignore_error":   !g.Spec.RequireAnswer,
		}
		if g.Spec.PathPrefix != "" {
			entry["path_prefix"] = g.Spec.PathPrefix
		}
		client := map[string]any{"dial_timeout": "5s"}
		if h := g.Spec.HTTPClient; h != nil {
			if h.DialTimeout != nil {
				client["dial_timeout"] = h.DialTimeout.Duration.Round(time.Millisecond).String()
			}
			if t := h.TLS; t != nil {
				tls := map[string]any{"insecure_skip_verify": t.InsecureSkipVerify}
				if t.ServerName != "" {
					tls["server_name"] = t.ServerName
				}
				if g.CA != "" {
					file := "ca-" + sum(g.Identity) + ".crt"
					texts[file] = g.CA
					tls["ca_file"] = "/etc/promxy/" + file
				}
				client["tls_config"] = tls
			}
		}
		if g.Login != nil {
			client["basic_auth"] = map[string]any{"username": g.Login.Username, "password": g.Login.Password}
		}
		entry["http_client"] = client
		list = append(list, entry)
	}
	texts[PromxyKey] = toYAML(map[string]any{"global": map[string]any{"evaluation_interval": "30s"}, "promxy": map[string]any{"server_groups": list}})
	u := object("v1", "Secret", namespace, PromxyName, map[string]any{"type": "Opaque", "data": data(texts)})
	u.SetLabels(map[string]string{LabelManagedBy: ManagedBy, LabelPart: PartPromxy})
	return u
}

// RulesConfigMap holds files of rules in Prometheus' format.
func RulesConfigMap(namespace, name string, files map[string]string) *unstructured.Unstructured {
	texts := make(map[string]any, len(files))
	for k, v := range files {
		texts[k] = v
	}
	u := object("v1", "ConfigMap", namespace, name, map[string]any{"data": texts})
	u.SetLabels(map[string]string{LabelManagedBy: ManagedBy, LabelPart: PartRules})
	return u
}

func anyList(texts []string) []any {
	out := make([]any, len(texts))
	for i, t := range texts {
		out[i] = t
	}
	return out
}
