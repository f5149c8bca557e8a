// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/k0rdent/kof/test/demo/shop"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestAgentConfigNamesWhatExists keeps agent.yaml and world.go together.
func TestAgentConfigNamesWhatExists(t *testing.T) {
	content, err := os.ReadFile("agent.yaml")
	require.NoError(t, err)
	config := string(content)
	for _, service := range services {
		require.Contains(t, config, "job_name: "+service.name+"\n")
		require.Contains(t, config, "${env:"+service.addrEnv+"}")
		instance := shop.Config{Service: service.name, Region: service.region}.ScrapedSource().Name
		require.Contains(t, config, "instance: "+instance+"}")
	}
	tenantOf := map[string]string{}
	for _, m := range regexp.MustCompile(`"kof\.tenant"\], "(\w+)"\) where IsMatch\([^,]*, "\^(\w+)-"`).FindAllStringSubmatch(config, -1) {
		tenantOf[m[2]] = m[1]
	}
	require.Len(t, tenantOf, len(tenants))
	for _, tenant := range tenants {
		require.Equal(t, tenant.name, tenantOf[tenant.name])
	}
	for _, pod := range pods {
		want := homeRegion
		if pod.Namespace == "lost" {
			want = lostRegion
		}
		for _, tenant := range tenants {
			if strings.HasPrefix(pod.Namespace, tenant.name+"-") {
				want = tenant.region
			}
		}
		require.Equal(t, want, pod.Region, pod.Namespace)
	}
}

func TestFindRoot(t *testing.T) {
	root, err := findRoot()
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, demoConfig))
	t.Chdir(t.TempDir())
	_, err = findRoot()
	require.ErrorContains(t, err, "is not inside the KOF repository")
}

func TestOptions(t *testing.T) {
	ok := options{duration: time.Minute, back: time.Second}
	require.NoError(t, ok.validate(nil))
	require.ErrorContains(t, ok.validate([]string{"check"}), `unknown argument "check"`)
	err := options{outage: true, duration: time.Second}.validate(nil)
	require.ErrorContains(t, err, "-outage goes with -check")
	require.ErrorContains(t, err, "-duration 1s")
	require.ErrorContains(t, err, "-back 0s")
}

func TestFreePortsDiffer(t *testing.T) {
	e, err := freePorts()
	require.NoError(t, err)
	require.Len(t, map[int]bool{e.health: true, e.metrics: true, e.otlpGRPC: true, e.otlpHTTP: true}, 4)
}
