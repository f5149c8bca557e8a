// SPDX-License-Identifier: Apache-2.0

// Package kcm reads what KOF needs of k0rdent's ClusterDeployment (k0rdent.mirantis.com/v1beta1). It is never written, so
// that the fields left out here are safe.
//
// +kubebuilder:object:generate=true
package kcm

import (
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion of ClusterDeployment.
var GroupVersion = schema.GroupVersion{Group: "k0rdent.mirantis.com", Version: "v1beta1"}

// Labels and annotations of users. Annotations are those of spec.config.clusterAnnotations.
const (
	prefix = "k0rdent.mirantis.com/"

	LabelRole              = prefix + "kof-cluster-role"
	LabelName              = prefix + "kof-cluster-name"
	LabelRegional          = prefix + "kof-regional-cluster-name"
	LabelRegionalNamespace = prefix + "kof-regional-cluster-namespace"
	LabelTenant            = prefix + "kof-tenant-id"

	AnnotationDomain       = prefix + "kof-regional-domain"
	AnnotationZone         = prefix + "kof-zone"
	AnnotationStorageClass = prefix + "kof-storage-class"
	AnnotationStorage      = prefix + "kof-storage-values"
	AnnotationCollectors   = prefix + "kof-collectors-values"
	AnnotationCertEmail    = prefix + "kof-cert-email"
	// AnnotationRotate of the ClusterDeployment itself: each new value rotates the cluster's credentials once.
	AnnotationRotate = prefix + "kof-rotate-credentials"
)

// Roles of clusters.
const (
	RoleChild    = "child"
	RoleRegional = "regional"
)

// ClusterDeployment is the part of k0rdent's kind that is read here.
//
// +kubebuilder:object:root=true
type ClusterDeployment struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec Spec `json:"spec"`
}

// Spec of a ClusterDeployment.
type Spec struct {
	Template string               `json:"template"`
	Config   runtime.RawExtension `json:"config,omitempty"`
	DryRun   bool                 `json:"dryRun,omitempty"`
}

// ClusterDeploymentList is a list of them.
//
// +kubebuilder:object:root=true
type ClusterDeploymentList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClusterDeployment `json:"items"`
}

// AddToScheme makes the kind known to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &ClusterDeployment{}, &ClusterDeploymentList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}

// Config is what spec.config says, as far as it is of interest. Templates have parameters of other types under these names,
// if at all: those are left out rather than refused.
type Config struct {
	Region      string
	Location    string
	OpenStack   string
	Datacenter  string
	Annotations map[string]string
}

// Config reads spec.config. The error is of a config that isn't an object.
func (c *ClusterDeployment) Config() (Config, error) {
	var out Config
	if len(c.Spec.Config.Raw) == 0 || string(c.Spec.Config.Raw) == "null" {
		return out, nil
	}
	var raw map[string]any
	if err := json.Unmarshal(c.Spec.Config.Raw, &raw); err != nil {
		return out, fmt.Errorf("spec.config: %w", err)
	}
	text := func(m any, key string) string {
		object, _ := m.(map[string]any)
		s, _ := object[key].(string)
		return s
	}
	out.Region, out.Location = text(raw, "region"), text(raw, "location")
	out.OpenStack, out.Datacenter = text(raw["identityRef"], "region"), text(raw["vsphere"], "datacenter")
	annotations, _ := raw["clusterAnnotations"].(map[string]any)
	for k := range annotations {
		if strings.HasPrefix(k, prefix) {
			if out.Annotations == nil {
				out.Annotations = map[string]string{}
			}
			out.Annotations[k] = text(annotations, k)
		}
	}
	return out, nil
}

// Cloud is the first part of the template's name, as in aws-standalone-cp-1-0-14.
func (c *ClusterDeployment) Cloud() string {
	cloud, _, _ := strings.Cut(c.Spec.Template, "-")
	return cloud
}

// Place returns where a cluster runs. The location is empty for clouds that have none: adopted, remote and all others.
func (c *ClusterDeployment) Place(config Config) (cloud, location string) {
	switch cloud = c.Cloud(); cloud {
	case "aws", "gcp":
		location = config.Region
	case "azure":
		location = config.Location
	case "openstack":
		location = config.OpenStack
	case "vsphere":
		location = config.Datacenter
	}
	return cloud, location
}

// TelemetryName is the cluster's name in telemetry.
func (c *ClusterDeployment) TelemetryName() string {
	if name := c.Labels[LabelName]; name != "" {
		return name
	}
	return c.Name
}
