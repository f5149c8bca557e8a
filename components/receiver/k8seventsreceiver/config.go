// SPDX-License-Identifier: Apache-2.0

package k8seventsreceiver

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
)

// The values of auth_type.
const (
	authServiceAccount = "serviceAccount"
	authKubeConfig     = "kubeConfig"
)

// maxNamespaces bounds the watches.
const maxNamespaces = 64

// Config is the receiver's configuration. README.md explains every key.
type Config struct {
	AuthType      string              `mapstructure:"auth_type"`
	Kubeconfig    string              `mapstructure:"kubeconfig"`
	Namespaces    []string            `mapstructure:"namespaces"`
	LeaderElector *component.ID       `mapstructure:"k8s_leader_elector"`
	Storage       *component.ID       `mapstructure:"storage"`
	PositionLease PositionLeaseConfig `mapstructure:"position_lease"`
	MaxAge        time.Duration       `mapstructure:"max_age"`
	Timeout       time.Duration       `mapstructure:"timeout"` // of a single request; watches have none
}

// PositionLeaseConfig names the Lease object that keeps the position; without a name, none does.
type PositionLeaseConfig struct {
	Name      string `mapstructure:"name"`
	Namespace string `mapstructure:"namespace"`
}

func createDefaultConfig() component.Config {
	return &Config{AuthType: authServiceAccount, MaxAge: time.Hour, Timeout: 30 * time.Second}
}

// label and subdomain are the forms of a namespace's and an object's name (RFC 1123).
var (
	label     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	subdomain = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)
)

// problems collects what is wrong, each with the path of its key.
type problems []error

func (p *problems) add(path string, found any, allowed string) {
	*p = append(*p, fmt.Errorf("%s: %v: %s", path, found, allowed))
}

// Validate returns all problems of the configuration, each with the path of the key, what was found and what is allowed.
func (c *Config) Validate() error {
	var p problems
	if c.AuthType != authServiceAccount && c.AuthType != authKubeConfig {
		p.add("auth_type", fmt.Sprintf("%q", c.AuthType), "must be serviceAccount or kubeConfig")
	}
	if c.Kubeconfig != "" && c.AuthType == authServiceAccount {
		p.add("kubeconfig", fmt.Sprintf("%q", c.Kubeconfig), "is for auth_type kubeConfig only")
	}
	if len(c.Namespaces) > maxNamespaces {
		p.add("namespaces", len(c.Namespaces), fmt.Sprintf("must not be more than %d names: leave it out to watch all", maxNamespaces))
	}
	for i, ns := range c.Namespaces {
		path := fmt.Sprintf("namespaces[%d]", i)
		if !label.MatchString(ns) {
			p.add(path, fmt.Sprintf("%q", ns), "must be the name of a namespace")
		} else if slices.Index(c.Namespaces, ns) < i {
			p.add(path, fmt.Sprintf("%q", ns), "must not be there twice")
		}
	}
	if l := c.PositionLease; l != (PositionLeaseConfig{}) {
		if !subdomain.MatchString(l.Name) {
			p.add("position_lease::name", fmt.Sprintf("%q", l.Name), "must be the name of a Lease")
		}
		if !label.MatchString(l.Namespace) {
			p.add("position_lease::namespace", fmt.Sprintf("%q", l.Namespace), "must be the name of a namespace, for instance ${env:KOF_POD_NAMESPACE}")
		}
		if c.Storage != nil {
			p.add("storage", *c.Storage, "must not be given together with position_lease")
		}
	}
	if c.MaxAge < 0 {
		p.add("max_age", c.MaxAge, "must not be negative")
	}
	if c.Timeout <= 0 {
		p.add("timeout", c.Timeout, "must be more than 0")
	}
	return errors.Join(p...)
}
