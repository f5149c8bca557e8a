// SPDX-License-Identifier: Apache-2.0

package podtargets

import (
	"context"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/kubernetes"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// target is one of kubernetes_sd_configs.
func target(address, container, port, protocol, init string) model.LabelSet {
	t := model.LabelSet{model.AddressLabel: model.LabelValue(address), labelContainer: model.LabelValue(container), labelInit: model.LabelValue(init)}
	if port != "" {
		t[labelPort], t[labelPortName], t[labelPortProtocol] = model.LabelValue(port), "name", model.LabelValue(protocol)
	}
	return t
}

// undeclared is a target at a port that no container declares.
func undeclared(address, container, port string) model.LabelSet {
	return model.LabelSet{model.AddressLabel: model.LabelValue(address), labelContainer: model.LabelValue(container), labelInit: "false", labelPort: model.LabelValue(port)}
}

func TestOnePerPort(t *testing.T) {
	proxy, app := target("10.0.0.1:15090", "proxy", "15090", "TCP", "false"), target("10.0.0.1:8080", "app", "8080", "TCP", "false")
	metrics := target("10.0.0.1:9090", "app", "9090", "TCP", "false")
	bare := target("10.0.0.1", "bare", "", "", "false")
	for _, tt := range []struct {
		name           string
		port, default_ string
		targets, want  []model.LabelSet
	}{
		{name: "the container that declares it", port: "9090", targets: []model.LabelSet{proxy, app, metrics}, want: []model.LabelSet{metrics}},
		{name: "the first container", port: "15090", targets: []model.LabelSet{proxy, app, metrics}, want: []model.LabelSet{proxy}},
		{name: "a container without ports before it", port: "8080", targets: []model.LabelSet{bare, app}, want: []model.LabelSet{app}},
		{
			name: "a sidecar among the init containers", port: "15020",
			targets: []model.LabelSet{app, target("10.0.0.1:15020", "mesh", "15020", "TCP", "true")},
			want:    []model.LabelSet{target("10.0.0.1:15020", "mesh", "15020", "TCP", "false")},
		},
		{
			name: "both protocols", port: "53", targets: []model.LabelSet{target("10.0.0.1:53", "dns", "53", "UDP", "false"), target("10.0.0.1:53", "dns", "53", "TCP", "false")},
			want: []model.LabelSet{target("10.0.0.1:53", "dns", "53", "TCP", "false")},
		},
		{name: "declared by none: the first", port: "7070", targets: []model.LabelSet{proxy, app}, want: []model.LabelSet{undeclared("10.0.0.1:7070", "proxy", "7070")}},
		{name: "declared by none: the default", port: "7070", default_: "app", targets: []model.LabelSet{proxy, app}, want: []model.LabelSet{undeclared("10.0.0.1:7070", "app", "7070")}},
		{name: "a default that isn't there", port: "7070", default_: "gone", targets: []model.LabelSet{bare, app}, want: []model.LabelSet{undeclared("10.0.0.1:7070", "bare", "7070")}},
		{name: "no annotation", targets: []model.LabelSet{proxy, app, bare}, want: []model.LabelSet{proxy, app, bare}},
		{name: "no number", port: "http", targets: []model.LabelSet{proxy, app}, want: []model.LabelSet{proxy, app}},
		{name: "no port", port: "65536", targets: []model.LabelSet{proxy, app}, want: []model.LabelSet{proxy, app}},
		{name: "a pod that is gone", port: "8080"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			given := &targetgroup.Group{Source: "pod/shop/web", Targets: tt.targets, Labels: model.LabelSet{
				labelPodIP: "10.0.0.1", annotationPort: model.LabelValue(tt.port), annotationDefault: model.LabelValue(tt.default_),
			}}
			got := onePerPort(given)
			require.Equal(t, tt.want, got.Targets)
			require.Equal(t, given.Labels, got.Labels)
			require.Equal(t, given.Source, got.Source)
		})
	}
	t.Run("IPv6", func(t *testing.T) {
		got := onePerPort(&targetgroup.Group{
			Labels: model.LabelSet{labelPodIP: "2001:db8::1", annotationPort: "7070"}, Targets: []model.LabelSet{target("[2001:db8::1]:8080", "app", "8080", "TCP", "false")},
		})
		require.Equal(t, []model.LabelSet{undeclared("[2001:db8::1]:7070", "app", "7070")}, got.Targets)
	})
}

// finder finds one group and then waits, as discoverers do.
type finder struct{ group *targetgroup.Group }

func (f finder) Run(ctx context.Context, up chan<- []*targetgroup.Group) {
	for {
		select {
		case <-ctx.Done():
			return
		case up <- []*targetgroup.Group{f.group}:
		}
	}
}

func TestRun(t *testing.T) {
	app := target("10.0.0.1:8080", "app", "8080", "TCP", "false")
	group := &targetgroup.Group{
		Labels: model.LabelSet{annotationPort: "8080"}, Targets: []model.LabelSet{target("10.0.0.1:1", "proxy", "1", "TCP", "false"), app},
	}
	ctx, cancel := context.WithCancel(t.Context())
	up, done := make(chan []*targetgroup.Group), make(chan struct{})
	go func() {
		defer close(done)
		(&discoverer{finder{group}}).Run(ctx, up)
	}()
	require.Equal(t, []model.LabelSet{app}, (<-up)[0].Targets)
	require.Len(t, group.Targets, 2, "what was found is left as it was")
	cancel() // while nobody takes what is found
	<-done
}

func TestConfiguration(t *testing.T) {
	const text = `scrape_configs: [{job_name: pods, kof_pod_sd_configs: [{role: pod, selectors: [{role: pod, field: spec.nodeName=n1}]}]}]`
	cfg, err := config.Load(text, promslog.NewNopLogger())
	require.NoError(t, err)
	scrapes, err := cfg.GetScrapeConfigs()
	require.NoError(t, err)
	sd := scrapes[0].ServiceDiscoveryConfigs[0].(*SDConfig)
	require.Equal(t, kubernetes.RolePod, sd.Role)
	require.Equal(t, "spec.nodeName=n1", sd.Selectors[0].Field)
	require.True(t, sd.HTTPClientConfig.FollowRedirects, "the defaults of kubernetes_sd_configs")

	for part, want := range map[string]string{
		"role: node": `kof_pod_sd_configs: role: found "node"; allowed: "pod"`,
		"role: pod, api_server: x, kubeconfig_file: y": "cannot use 'kubeconfig_file' and 'api_server' simultaneously",
	} {
		_, err = config.Load("scrape_configs: [{job_name: pods, kof_pod_sd_configs: [{"+part+"}]}]", promslog.NewNopLogger())
		require.ErrorContains(t, err, want)
	}
}
