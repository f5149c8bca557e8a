// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const tworegions = `
cluster: {name: c}
regions:
  eu: {zone: eu, logs: {endpoint: "https://eu.example/v1/logs"}}
  us: {zone: us, logs: {endpoint: "https://us.example/v1/logs"}}
`

// What only the templates can see; each error says what to set.
func TestRefusedValues(t *testing.T) {
	for name, tt := range map[string]struct{ values, want string }{
		"no home":              {tworegions, "region: not set, and there are several regions; set it to the one that this cluster belongs to: eu, us"},
		"unknown home":         {tworegions + "region: ap", `region: found "ap"; set it to one of regions: eu, us`},
		"unknown home, none":   {"region: ap", `region: found "ap"; set it to one of regions: default`},
		"no name":              {`regions: {eu: {zone: eu, logs: {endpoint: "https://eu.example/v1/logs"}}}`, "cluster.name: not set"},
		"tenant":               {tworegions + "region: eu\ntenants: {acme: {region: ap}}", `tenants.acme.region: found "ap"; set it to one of regions: eu, us`},
		"two directories":      {tworegions + "region: eu\nregionDirectory: {configMap: x}", "regionDirectory.configMap: found \"x\" beside regions"},
		"directory, no home":   {"cluster: {name: c}\nregionDirectory: {configMap: x}", "region: not set; set it to one of the regions in the ConfigMap x"},
		"failover to nowhere":  {strings.Replace(tworegions, "zone: eu,", "zone: eu, failover: [ap],", 1) + "region: eu", `regions.eu.failover: found "ap"`},
		"failover out of zone": {strings.Replace(tworegions, "zone: eu,", "zone: eu, failover: [us],", 1) + "region: eu", `which is in zone "us"`},
		"namespaces":           {"namespaces: {include: {a: true}, exclude: {b: true}}", "namespaces.exclude: set beside namespaces.include"},
		"client certificates":  {"otlp: {tls: {requireClientCertificate: true}}", "otlp.tls.requireClientCertificate"},
		"instrumentation":      {"kof: {instrumentation: {enabled: true}}\notlp: {enabled: false}", "kof.instrumentation.enabled"},
		"spans without OTLP":   {"agent: {spanMetrics: {enabled: true}}\notlp: {enabled: false}", "agent.spanMetrics.enabled: is true, but the agent takes no traces; set otlp.enabled"},
		"class of no volume":   {"clusterCollector: {persistence: {storageClassName: fast}}", "clusterCollector.persistence.storageClassName"},
		"instrumentation, TLS": {"kof: {instrumentation: {enabled: true}}\notlp: {tls: {secretName: s}}", "kof.instrumentation.enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			got := refused(t, tt.values)
			require.Contains(t, got, "The values can't be used:")
			require.Contains(t, got, tt.want)
		})
	}
	t.Run("all at once", func(t *testing.T) {
		got := refused(t, strings.Replace(tworegions, "cluster: {name: c}", "namespaces: {include: {a: true}, exclude: {b: true}}", 1))
		for _, want := range []string{"region: not set", "cluster.name: not set", "namespaces.exclude"} {
			require.Contains(t, got, want)
		}
	})
}

// What the schema refuses; the message names the value.
func TestSchemaRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ values, at string }{
		"unknown key":            {"agents: {}", "agents"},
		"unknown key below":      {"agent: {resource: {}}", "/agent"},
		"password in the values": {`regions: {eu: {zone: eu, logs: {endpoint: "https://e"}, auth: {basic: {username: u, password: p}}}}`, "/regions/eu/auth/basic"},
		"two kinds of auth":      {`regions: {eu: {zone: eu, logs: {endpoint: "https://e"}, auth: {basic: {secret: a}, bearer: {secret: b}}}}`, "/regions/eu/auth"},
		"no zone":                {`regions: {eu: {logs: {endpoint: "https://e"}}}`, "/regions/eu"},
		"no endpoint":            {"regions: {eu: {zone: eu}}", "/regions/eu"},
		"not a URL":              {"regions: {eu: {zone: eu, logs: {endpoint: e.example}}}", "/regions/eu/logs/endpoint"},
		"region's name":          {`regions: {"e u": {zone: eu, logs: {endpoint: "https://e"}}}`, "'e u'"},
		"protocol":               {`regions: {eu: {zone: eu, logs: {endpoint: "https://e", protocol: http}}}`, "/regions/eu/logs/protocol"},
		"a word for a switch":    {"logs: {enabled: yes please}", "/logs/enabled"},
		"list for a map":         {"namespaces: {include: [a]}", "/namespaces/include"},
		"interval":               {"scrapeInterval: 30", "/scrapeInterval"},
		"port":                   {"otlp: {hostPort: {grpc: 70000}}", "/otlp/hostPort/grpc"},
		"digest":                 {"image: {digest: latest}", "/image/digest"},
		"no limit of memory":     {"agent: {resources: {limits: {memory: null}}}", "/agent/resources/limits"},
		"limit of memory":        {"agent: {resources: {limits: {memory: lots}}}", "/agent/resources/limits/memory"},
		"secrets to be watched":  {"kubeStateMetrics: {objects: {secrets: true}}", "/kubeStateMetrics/objects"},
		"dimension twice":        {`agent: {spanMetrics: {dimensions: {span.name: ""}}}`, "invalid propertyName 'span.name'"},
		"no series":              {"agent: {spanMetrics: {maxSeries: 0}}", "/agent/spanMetrics/maxSeries"},
		"label's name":           {"enrichment: {podLabels: {app: a-b}}", "/enrichment/podLabels/app"},
		"sampler":                {"kof: {instrumentation: {sampler: {type: sometimes}}}", "/kof/instrumentation/sampler/type"},
		"language":               {"kof: {instrumentation: {ruby: {}}}", "/kof/instrumentation"},
		"unknown senders":        {"otlp: {unattributed: drop}", "/otlp/unattributed"},
		"replicas":               {"clusterCollector: {replicas: 0}", "/clusterCollector/replicas"},
	} {
		t.Run(name, func(t *testing.T) {
			got := refused(t, tt.values)
			require.Contains(t, got, tt.at)
			require.Contains(t, got, "schema")
		})
	}
}
