// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/k0rdent/kof/internal/cost"
)

// The modes of the receiver.
const (
	modeNode    = "node"
	modeCluster = "cluster"
)

// The values of compat.
const (
	compatCorrected = "corrected"
	compatOpenCost  = "opencost"
)

// Config is the receiver's configuration. README.md explains every key.
type Config struct {
	Mode               string           `mapstructure:"mode"`
	CollectionInterval time.Duration    `mapstructure:"collection_interval"`
	Node               string           `mapstructure:"node"`
	Cluster            string           `mapstructure:"cluster"`
	Compat             string           `mapstructure:"compat"`
	Storage            *component.ID    `mapstructure:"storage"`
	MaxGap             time.Duration    `mapstructure:"max_gap"`
	PodUIDLabel        bool             `mapstructure:"pod_uid_label"`
	LeaderElector      *component.ID    `mapstructure:"k8s_leader_elector"`
	Kubernetes         KubernetesConfig `mapstructure:"kubernetes"`
	Kubelet            KubeletConfig    `mapstructure:"kubelet"`
	Prices             PricesConfig     `mapstructure:"prices"`
	Labels             LabelsConfig     `mapstructure:"labels"`
}

// KubernetesConfig says how the API server is reached.
type KubernetesConfig struct {
	Kubeconfig string        `mapstructure:"kubeconfig"` // "" for the pod's ServiceAccount
	Timeout    time.Duration `mapstructure:"timeout"`    // of a single request; watches have none
}

// KubeletConfig says how the node's kubelet is reached.
type KubeletConfig struct {
	Endpoint           string        `mapstructure:"endpoint"`
	CAFile             string        `mapstructure:"ca_file"`
	InsecureSkipVerify bool          `mapstructure:"insecure_skip_verify"`
	TokenFile          string        `mapstructure:"token_file"`
	CertFile           string        `mapstructure:"cert_file"`
	KeyFile            string        `mapstructure:"key_file"`
	Timeout            time.Duration `mapstructure:"timeout"`
}

// PricesConfig says where prices come from.
type PricesConfig struct {
	Defaults           string             `mapstructure:"defaults"`
	Unit               map[string]float64 `mapstructure:"unit"`
	CSV                string             `mapstructure:"csv"`
	InstanceTable      string             `mapstructure:"instance_table"`
	Discount           float64            `mapstructure:"discount"`
	NegotiatedDiscount float64            `mapstructure:"negotiated_discount"`
	SpotLabel          LabelConfig        `mapstructure:"spot_label"`
	GPULabel           string             `mapstructure:"gpu_label"`
	VGPUsPerGPU        float64            `mapstructure:"vgpus_per_gpu"`
	ExtendedResources  map[string]float64 `mapstructure:"extended_resources"`
	ManagementFee      *float64           `mapstructure:"management_fee"`
	Currency           CurrencyConfig     `mapstructure:"currency"`
}

// LabelConfig is a label of a node with its value.
type LabelConfig struct {
	Key   string `mapstructure:"key"`
	Value string `mapstructure:"value"`
}

// CurrencyConfig is the currency that costs are shown in.
type CurrencyConfig struct {
	Code   string  `mapstructure:"code"`
	PerUSD float64 `mapstructure:"per_usd"`
}

// LabelsConfig names the labels of objects that become labels of the kube_*_labels series.
type LabelsConfig struct {
	Nodes      []string `mapstructure:"nodes"`
	Namespaces []string `mapstructure:"namespaces"`
	Pods       []string `mapstructure:"pods"`
}

const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/"

func createDefaultConfig() component.Config {
	return &Config{
		Mode:               modeNode,
		CollectionInterval: time.Minute,
		Compat:             compatCorrected,
		MaxGap:             time.Hour,
		Kubernetes:         KubernetesConfig{Timeout: 10 * time.Second},
		Kubelet: KubeletConfig{
			CAFile: serviceAccount + "ca.crt", TokenFile: serviceAccount + "token", Timeout: 10 * time.Second,
		},
		Prices: PricesConfig{
			Defaults: cost.SetOpenCostJSON, VGPUsPerGPU: 10, Currency: CurrencyConfig{Code: "USD", PerUSD: 1},
		},
	}
}
