// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// openCostModule is the folder of OpenCost's published module, whose price files are read as they are.
var openCostModule = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", "github.com/opencost/opencost@v1.120.0")
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		return "", err
	}
	var m struct{ Dir string }
	err = json.Unmarshal(out, &m)
	return m.Dir, err
})

func openCostFile(t *testing.T, name string) string {
	t.Helper()
	dir, err := openCostModule()
	require.NoError(t, err)
	return filepath.Join(dir, "configs", name)
}

func openCostList(t *testing.T, name string) *PriceList {
	t.Helper()
	f, err := os.Open(openCostFile(t, name))
	require.NoError(t, err)
	defer f.Close()
	l, problems, err := ParsePriceList(name, f)
	require.NoError(t, err)
	require.Empty(t, problems)
	return l
}

func TestGoldenDefaultPrices(t *testing.T) {
	raw, err := os.ReadFile(openCostFile(t, "default.json"))
	require.NoError(t, err)
	var doc map[string]string
	require.NoError(t, json.Unmarshal(raw, &doc))
	p := defaults(t)
	for key, got := range map[string]float64{
		"CPU": p.CPU, "spotCPU": p.SpotCPU, "RAM": p.RAM, "spotRAM": p.SpotRAM, "GPU": p.GPU, "storage": p.Storage,
		"zoneNetworkEgress": p.ZoneEgress, "regionNetworkEgress": p.RegionEgress, "internetNetworkEgress": p.InternetEgress,
		"natGatewayEgress": p.NATEgress, "natGatewayIngress": p.NATIngress,
	} {
		want, err := strconv.ParseFloat(doc[key], 64)
		require.NoError(t, err, key)
		require.Equal(t, want, got, key)
	}
}

// The expected prices are those of OpenCost's own tests of the same files (pkg/cloud/provider/cloud_test.go).
func TestGoldenNodePrices(t *testing.T) {
	const (
		gke   = "gke-standard-cluster-1-pool-1-91dc432d-cg69"
		azure = "azure:///subscriptions/123a7sd-asd-1234-578a9-123abcdef/resourceGroups/case_12_STaGe_TeSt7/providers/Microsoft.Compute/virtualMachineScaleSets/vmss-agent-worker0-12stagetest7-ezggnore/virtualMachines/7"
	)
	region := func(r string) map[string]string { return map[string]string{"topology.kubernetes.io/region": r} }
	for _, c := range []struct {
		name, file string
		node       Node
		gpus       float64
		total      float64 // of the whole node, 0 if the list doesn't know it
	}{
		{"name", "pricing_schema.csv", Node{Name: gke}, 0, 0.1337},
		{"unknown name", "pricing_schema.csv", Node{Name: "unknownname", Labels: region("fakeregion")}, 0, 0},
		{"model by the first label", "pricing_schema.csv", Node{Name: gke, Labels: map[string]string{"nvidia.com/gpu_type": "Quadro_RTX_4000"}}, 2, 1.6337},
		{"model by the second label", "pricing_schema.csv", Node{Name: gke, Labels: map[string]string{"gpu.nvidia.com/class": "Quadro_RTX_4001"}}, 2, 1.7337},
		{"region one", "pricing_schema_region.csv", Node{ProviderID: gke, Labels: region("regionone")}, 0, 0.1337},
		{"region two", "pricing_schema_region.csv", Node{ProviderID: gke, Labels: region("regiontwo")}, 0, 0.1338},
		{"other region", "pricing_schema_region.csv", Node{ProviderID: gke, Labels: region("fakeregion")}, 0, 0.1339},
		{"unknown ID", "pricing_schema_region.csv", Node{ProviderID: "fake", Labels: region("fakeregion")}, 0, 0},
		{"letter case", "pricing_schema_case.csv", Node{ProviderID: azure, Labels: region("eastus2")}, 0, 0.13370357},
		{"class", "pricing_schema_case.csv", Node{ProviderID: "fake", Labels: map[string]string{
			"topology.kubernetes.io/region": "eastus2", "node.kubernetes.io/instance-type": "Standard_F32s_v2",
		}}, 0, 0.13370357},
		{"special characters", "pricing_schema_special_char.csv", Node{Labels: map[string]string{
			"<http://metadata.label.servers.com/label|metadata.label.servers.com/label>": gke,
		}}, 0, 0.1337},
		{"on demand with GPUs", "pricing_schema_mixed_gpu_ondemand.csv", Node{Labels: map[string]string{
			"TestClusterUsage": "OnDemand", "nvidia.com/gpu_type": "a100-ondemand",
		}}, 2, 0.90411 + 2*0.5},
		{"reserved with GPUs", "pricing_schema_mixed_gpu_ondemand.csv", Node{Labels: map[string]string{
			"TestClusterUsage": "Reserved", "nvidia.com/gpu_type": "a100-reserved",
		}}, 2, 0.654795 + 2*1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &Resolver{Defaults: defaults(t), List: openCostList(t, c.file)}
			n := c.node
			n.Cores, n.MemoryBytes = 4, 16*GiB
			n.Extended = map[string]float64{"nvidia.com/gpu": c.gpus}
			p := r.Node(&n, now)
			if c.total == 0 {
				require.Equal(t, SourceDefault, p.Source)
				return
			}
			require.Equal(t, SourceList, p.Source)
			near(t, c.total, p.Total())
		})
	}
}

func TestGoldenGPULabel(t *testing.T) {
	r := &Resolver{Defaults: defaults(t), List: openCostList(t, "pricing_schema_gpu_labels.csv")}
	n := node(4, 16, 2, map[string]string{"foo": "labelfoo", "nvidia.com/gpu_type": "Quadro_RTX_4000"})
	near(t, 0.75, r.Node(n, now).GPU)
	r.Compat = true
	near(t, 0.75, r.Node(n, now).GPU)
	n.Labels["node.kubernetes.io/instance-type"] = "rke2"
	p := r.Node(n, now)
	near(t, 0.75, p.GPU)
	near(t, 0.031611, p.CPU)
}

func TestGoldenVolumes(t *testing.T) {
	r := &Resolver{Defaults: defaults(t), List: openCostList(t, "pricing_schema_pv.csv")}
	p, _, _ := r.Volume(&Volume{Name: "pvc-08e1f205-d7a9-4430-90fc-7b3965a18c4d"})
	near(t, 0.1337, p)
	r.List = openCostList(t, "pricing_schema_pv_storageclass.csv")
	p, _, _ = r.Volume(&Volume{Name: "x", StorageClass: "storageclass0"})
	near(t, 0.1338, p)
}
