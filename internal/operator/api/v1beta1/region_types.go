// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// RegionSpec describes one region. For a ClusterDeployment of the role "regional" the operator writes it; fields that the
// operator doesn't derive may be set by others, and Regions may be written by hand.
//
// +kubebuilder:validation:XValidation:rule="has(self.domain) || has(self.endpoints)",message="one of domain and endpoints is required"
// +kubebuilder:validation:XValidation:rule="has(self.zone) == has(oldSelf.zone) && (!has(self.zone) || self.zone == oldSelf.zone)",message="the zone of a region can't change: data already stored or held belongs to it; make a region of another name"
type RegionSpec struct {
	// Name of the region in the region directory and in the attribute kof.region.
	//
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="the name of a region can't change"
	Name string `json:"name"`

	// Zone of residency: data decided for this region is only ever sent to regions of this zone. Default: the region's name.
	//
	// +optional
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`
	// +kubebuilder:validation:MaxLength=63
	Zone string `json:"zone,omitempty"`

	// Cloud that the region is in: aws, azure, gcp, openstack or vsphere.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Cloud string `json:"cloud,omitempty"`

	// Location in that cloud, as the cloud names it.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Location string `json:"location,omitempty"`

	// Fallback makes this the region of clusters that match no other. In the topology without regional clusters it is the only one.
	//
	// +optional
	Fallback bool `json:"fallback,omitempty"`

	// Domain that the endpoints are derived from: paths of https://vmauth.DOMAIN.
	//
	// +optional
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`
	// +kubebuilder:validation:MaxLength=200
	Domain string `json:"domain,omitempty"`

	// Endpoints in place of those derived from the domain, each by itself.
	//
	// +optional
	Endpoints *Endpoints `json:"endpoints,omitempty"`

	// Failover names other regions of the same zone that take over when this one fails, in order of preference.
	//
	// +optional
	// +kubebuilder:validation:MaxItems=5
	// +kubebuilder:validation:items:MaxLength=63
	// +listType=set
	Failover []string `json:"failover,omitempty"`

	// ClusterDeployment of the regional cluster, in this namespace. None: the region is on the management cluster.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ClusterDeployment string `json:"clusterDeployment,omitempty"`
}

// Endpoints of a region's backends: absolute http or https URLs.
type Endpoints struct {
	// Metrics takes Prometheus remote write.
	// +optional
	// +kubebuilder:validation:Pattern=`^https?://[^@#\s]+$`
	// +kubebuilder:validation:MaxLength=1024
	Metrics string `json:"metrics,omitempty"`
	// Logs takes OTLP over HTTP.
	// +optional
	// +kubebuilder:validation:Pattern=`^https?://[^@#\s]+$`
	// +kubebuilder:validation:MaxLength=1024
	Logs string `json:"logs,omitempty"`
	// Traces takes OTLP over HTTP.
	// +optional
	// +kubebuilder:validation:Pattern=`^https?://[^@#\s]+$`
	// +kubebuilder:validation:MaxLength=1024
	Traces string `json:"traces,omitempty"`
	// MetricsQuery answers PromQL.
	// +optional
	// +kubebuilder:validation:Pattern=`^https?://[^@#\s]+$`
	// +kubebuilder:validation:MaxLength=1024
	MetricsQuery string `json:"metricsQuery,omitempty"`
	// LogsQuery answers LogsQL.
	// +optional
	// +kubebuilder:validation:Pattern=`^https?://[^@#\s]+$`
	// +kubebuilder:validation:MaxLength=1024
	LogsQuery string `json:"logsQuery,omitempty"`
	// TracesQuery is Jaeger's query service.
	// +optional
	// +kubebuilder:validation:Pattern=`^https?://[^@#\s]+$`
	// +kubebuilder:validation:MaxLength=1024
	TracesQuery string `json:"tracesQuery,omitempty"`
}

// RegionStatus is what the operator says of a region.
type RegionStatus struct {
	// Clusters that send to the region, and of those that are on their way to or from it.
	// +optional
	Clusters int32 `json:"clusters"`
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Region is a place that stores telemetry.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=kof
// +kubebuilder:printcolumn:name="Region",type=string,JSONPath=`.spec.name`
// +kubebuilder:printcolumn:name="Zone",type=string,JSONPath=`.spec.zone`
// +kubebuilder:printcolumn:name="Cloud",type=string,JSONPath=`.spec.cloud`
// +kubebuilder:printcolumn:name="Location",type=string,JSONPath=`.spec.location`
// +kubebuilder:printcolumn:name="Clusters",type=integer,JSONPath=`.status.clusters`
// +kubebuilder:printcolumn:name="Accepted",type=string,JSONPath=`.status.conditions[?(@.type=="Accepted")].status`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Accepted")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Region struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   RegionSpec   `json:"spec"`
	Status RegionStatus `json:"status,omitempty"`
}

// RegionList is a list of regions.
//
// +kubebuilder:object:root=true
type RegionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Region `json:"items"`
}
