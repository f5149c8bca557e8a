// SPDX-License-Identifier: Apache-2.0

package identityprocessor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/collector/component"
)

// maxValueBytes is the longest DNS name, which Kubernetes allows as the name of an object.
const maxValueBytes = 253

// Config is the configuration of the identity processor. What it leaves empty comes from the environment.
type Config struct {
	Cluster ClusterConfig `mapstructure:"cluster"`

	// Region is the home region of the agent, cloud.region. Environment: KOF_REGION.
	Region string `mapstructure:"region"`

	// Tenant is the tenant whose cluster this is, kof.tenant. Environment: KOF_TENANT.
	Tenant string `mapstructure:"tenant"`

	// Overwrite lists the attributes that replace what a resource already names. Default: none, a resource's own value stays.
	Overwrite []string `mapstructure:"overwrite"`

	// Unattributed says what becomes of telemetry that came over the network and of which nothing before this processor knows whose it
	// is: neither k8s.namespace.name nor kof.tenant nor kof.region is set. accept (the default): it is taken as the cluster's own. refuse:
	// the sender gets an error after which it tries again.
	Unattributed Unattributed `mapstructure:"unattributed"`

	// env is the environment at the time when the configuration was created, so that what is validated is what is used.
	env map[string]string
}

// ClusterConfig names the cluster that the agent runs on.
type ClusterConfig struct {
	// Name is k8s.cluster.name, required here or in the environment: KOF_CLUSTER_NAME.
	Name string `mapstructure:"name"`

	// UID is k8s.cluster.uid, by convention the UID of the namespace kube-system. Environment: KOF_CLUSTER_UID.
	UID string `mapstructure:"uid"`

	// Namespace is kof.cluster.namespace, the namespace of the ClusterDeployment on the management cluster.
	// Environment: KOF_CLUSTER_NAMESPACE.
	Namespace string `mapstructure:"namespace"`
}

// Unattributed is what becomes of telemetry of unknown senders.
type Unattributed string

// The values of Unattributed.
const (
	UnattributedAccept Unattributed = "accept"
	UnattributedRefuse Unattributed = "refuse"
)

var _ component.Config = (*Config)(nil)

// setting is one attribute with its value and where that may come from.
type setting struct {
	attribute string
	path      string // in the configuration
	variable  string // in the environment
	value     string // "": in neither
	fromEnv   bool
}

func (cfg *Config) settings() []setting {
	settings := []setting{
		{attribute: attrCluster, path: "cluster.name", variable: "KOF_CLUSTER_NAME", value: cfg.Cluster.Name},
		{attribute: "k8s.cluster.uid", path: "cluster.uid", variable: "KOF_CLUSTER_UID", value: cfg.Cluster.UID},
		{attribute: "kof.cluster.namespace", path: "cluster.namespace", variable: "KOF_CLUSTER_NAMESPACE", value: cfg.Cluster.Namespace},
		// Not kof.region: the region exporter asks for that first, so it would send every tenant's data to the home region.
		{attribute: "cloud.region", path: "region", variable: "KOF_REGION", value: cfg.Region},
		{attribute: attrTenant, path: "tenant", variable: "KOF_TENANT", value: cfg.Tenant},
	}
	for i := range settings {
		if s := &settings[i]; s.value == "" {
			s.value = cfg.env[s.variable]
			s.fromEnv = s.value != ""
		}
	}
	return settings
}

// readEnvironment returns the variables that stand in for empty keys.
func readEnvironment(getenv func(string) string) map[string]string {
	env := make(map[string]string)
	for _, s := range (&Config{}).settings() {
		env[s.variable] = getenv(s.variable)
	}
	return env
}

// Validate returns all problems joined, each with the path of the key, and the variable if the value is from there.
func (cfg *Config) Validate() error {
	var errs []error
	settings := cfg.settings()
	attributes := make([]string, 0, len(settings))
	for _, s := range settings {
		attributes = append(attributes, s.attribute)
		source := s.path
		if s.fromEnv {
			source += " (environment variable " + s.variable + ")"
		}
		if s.value == "" && s.path == "cluster.name" {
			errs = append(errs, fmt.Errorf("%s: not set; set it in the configuration, or %s in the environment", s.path, s.variable))
		}
		if why := badValue(s.value); why != "" {
			errs = append(errs, fmt.Errorf("%s: found %s; allowed: up to %d bytes of UTF-8 without control characters", source, why, maxValueBytes))
		}
	}
	for i, key := range cfg.Overwrite {
		if !slices.Contains(attributes, key) {
			errs = append(errs, fmt.Errorf("overwrite[%d]: found %q; allowed: %s", i, key, strings.Join(attributes, ", ")))
		}
	}
	if cfg.Unattributed != UnattributedAccept && cfg.Unattributed != UnattributedRefuse {
		errs = append(errs, fmt.Errorf("unattributed: found %q; allowed: %s, %s", cfg.Unattributed, UnattributedAccept, UnattributedRefuse))
	}
	return errors.Join(errs...)
}

// badValue says what is wrong with a value, "" if nothing.
func badValue(s string) string {
	switch {
	case len(s) > maxValueBytes:
		return fmt.Sprintf("%d bytes", len(s))
	case !utf8.ValidString(s):
		return fmt.Sprintf("%q, which is not UTF-8", s)
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Sprintf("%q, which has control characters", s)
	default:
		return ""
	}
}
