// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What the other charts refuse, by their schemas or templates; each error names the value, and the templates' say what to set.
func TestRefusedValuesOfCharts(t *testing.T) {
	for chart, cases := range map[string]map[string]string{
		"kof-storage": {
			"form: big":                                                                                            "/form",
			"victoriametric: {enabled: true}":                                                                      "victoriametric",
			"users: {w: {access: write, password: p}}":                                                             "/users/w",
			"users: {w: {access: admin}}":                                                                          "/users/w/access",
			"jaeger: {storage: {type: cassandra}}":                                                                 "/jaeger/storage/type",
			"jaeger: {storage: {type: opensearch}}":                                                                "jaeger.storage.options.opensearch.server-urls: empty",
			"jaeger: {storage: {options: {memory: {max-traces: 0}}}}":                                              "/jaeger/storage/options/memory/max-traces",
			"tenants: {acme: {users: {writer: {access: read}}}}":                                                   "tenants.acme.users.writer: also among users",
			"tenants: {a: {users: {u: {access: read}}}, b: {users: {u: {access: read}}}}":                          "tenants.a.users.u: also of tenant b",
			"victoria-logs-cluster: {vlstorage: {extraArgs: {retentionPeriod: forever}}}":                          "/victoria-logs-cluster/vlstorage/extraArgs/retentionPeriod",
			"victoriametrics: {vmcluster: {spec: {replicationFactor: 3}}}":                                         "set vmstorage.replicaCount to at least 5",
			"victoriametrics: {vmcluster: {spec: {retentionPeriod: null}}}":                                        "retentionPeriod: not set",
			"vmauth: {ingress: {enabled: true}}":                                                                   "vmauth.ingress.host: not set",
			"tls: {enabled: true, issuer: {type: acme}}":                                                           "tls.issuer.email: not set",
			"tls: {enabled: true, issuer: {type: existing}}":                                                       "tls.issuer.name: not set",
			"rules: {groups: {kof-record-costs: {rules: {a: {labels: {b: c}}}}}}":                                  "rules.groups.kof-record-costs.rules.a.expr: not set",
			"grafana: {datasources: {enabled: true, user: writer}}":                                                "grafana.datasources.user: found \"writer\"",
			"victoriametrics: {enabled: false}\nvictoria-logs-cluster: {enabled: false}\njaeger: {enabled: false}": "all false",
		},
		"kof-mothership": {
			"dex: {enabled: true}":                                               "grafana.host: not set with dex.enabled",
			"operator: {enabled: false}":                                         "promxy.serverGroups: empty",
			"promxy: {enabled: false}":                                           "alerting.enabled: is true without promxy.enabled",
			"ingress: {enabled: true}":                                           "grafana.host: not set with ingress.enabled",
			"grafana: {roles: {a: Owner}}":                                       "/grafana/roles/a",
			"grafana: {roles: {\"it's\": Admin}}":                                "does not match pattern",
			"promxy: {serverGroups: {a: {targets: {nohost: true}}}}":             "nohost",
			"alerting: {groups: {g: {rules: {r: {expr: up, fro: 1m}}}}}":         "/alerting/groups/g/rules/r",
			"alerting: {groups: {kof-nodes: {rules: {NodeNotRedy: {for: 1m}}}}}": "alerting.groups.kof-nodes.rules.NodeNotRedy.expr: not set; the chart has no rule of this name",
			"alerting: {groups: {kof-nodes: null}}":                              "/alerting/groups/kof-nodes",
			"dex: {connectors: {a: {type: ldap}}}":                               "/dex/connectors/a",
			"alerting: {vmalert: {remoteWriteSecret: s}}":                        "alerting.vmalert.remoteWriteSecret: set without",
			"ingress: {selfSigned: true, clusterIssuer: letsencrypt}":            "ingress.selfSigned: is true beside ingress.clusterIssuer \"letsencrypt\"",
		},
		"kof-regional": {"storage: {values: {a: \"`\"}}": "storage.values: found a backquote", "repository: {url: ftp://x}": "/repository/url"},
		"kof-child":    {"collectors: {values: {a: \"`\"}}": "collectors.values: found a backquote", "systemNamespace: A": "/systemNamespace"},
		"kof":          {"topology: star": "/topology", "charts: {kof-dashboard: {}}": "/charts", "charts: {kof-storage: {enabled: false}}": "charts.kof-storage.enabled: is false"},
		"kof-dashboards": {
			"files: {a/b.txt: x}":     "files/dashboards/a/b.txt: the name has to end in .json or .yaml",
			"files: {a/b.json: '{'}":  "files/dashboards/a/b.json: error converting YAML to JSON",
			"files: {a/b.json: '{}'}": "files/dashboards/a/b.json: no title",
			`files: {a/b.json: '{"title": "b", "__inputs": [{"name": "DS"}]}'}`: "files/dashboards/a/b.json: has __inputs",
			`files: {a/b.json: '{"title": "b", "uid": "a b"}'}`:                 `files/dashboards/a/b.json: uid "a b"`,
			`files: {a/b.json: '{"title": "b", "uid": "kof-kof-regions"}'}`:     `is also that of files/dashboards/`,
			`files: {a/b.json: '{"title": "b"}', a/b.yaml: "title: b"}`:         "is named the same but for its ending",
			`files: {a/b.json: '{"title": "b"}', A/c.json: '{"title": "c"}'}`:   "is named the same but for letter case",
			`files: {"a/../b.json": '{"title": "b"}'}`:                          "invalid propertyName 'a/../b.json'",
			"files: {a/b.json: {title: b}}":                                     "/files/a~1b.json",
			"folders: {kof: {titel: KOF}}":                                      "/folders/kof",
			"currency: Euro":                                                    "/currency",
			"resyncPeriod: often":                                               "/resyncPeriod",
		},
		"kof-operators": {"cert-manager: {enabled: maybe}": "/cert-manager/enabled", "flux: {}": "flux"},
	} {
		for values, want := range cases {
			t.Run(chart+"/"+values, func(t *testing.T) { require.Contains(t, refusedBy(t, chart, values), want) })
		}
	}
}
