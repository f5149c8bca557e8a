// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// RegionAssignmentSpec is where the telemetry of one cluster goes. The operator writes it: it is the record of a decision, kept in
// the spec so that a backup has it. What to change instead: the labels of the ClusterDeployment.
type RegionAssignmentSpec struct {
	// ClusterName is the cluster's name in telemetry.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ClusterName string `json:"clusterName"`
	// Region that the cluster's agents have as their home. Empty: none yet.
	// +optional
	Region string `json:"region,omitempty"`
	// Zone of the region when it was assigned. The operator never moves a cluster to another zone by itself.
	// +optional
	Zone string `json:"zone,omitempty"`
	// Rule that the region was chosen by.
	// +optional
	// +kubebuilder:validation:Enum=Label;Location;Fallback
	Rule string `json:"rule,omitempty"`
	// Since when the region is the home.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
	// Moving is there while the cluster is re-homed.
	// +optional
	Moving *Moving `json:"moving,omitempty"`
}

// Moving is a re-homing under way.
type Moving struct {
	// Phase: Preparing gives the agents access to the new region while they still send to the old one; Draining has them send to the
	// new one and deliver what they hold for the old one.
	// +kubebuilder:validation:Enum=Preparing;Draining
	Phase string `json:"phase"`
	// Other region: the next one while preparing, the one before while draining.
	// +kubebuilder:validation:MaxLength=63
	Other string `json:"other"`
	// Rule that the next region was chosen by.
	// +optional
	// +kubebuilder:validation:Enum=Label;Location;Fallback
	Rule string `json:"rule,omitempty"`
	// Since when the phase lasts.
	Since metav1.Time `json:"since"`
}

// RegionAssignmentStatus is what the operator says of a cluster.
type RegionAssignmentStatus struct {
	// History of the decisions, newest first, at most 10.
	// +optional
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	History []Decision `json:"history,omitempty"`
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Decision is one entry of the history.
type Decision struct {
	Time   metav1.Time `json:"time"`
	Event  string      `json:"event"`
	Region string      `json:"region,omitempty"`
	Other  string      `json:"other,omitempty"`
	Rule   string      `json:"rule,omitempty"`
}

// RegionAssignment says which region a child cluster belongs to, and why.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=kof
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.spec.clusterName`
// +kubebuilder:printcolumn:name="Region",type=string,JSONPath=`.spec.region`
// +kubebuilder:printcolumn:name="Rule",type=string,JSONPath=`.spec.rule`
// +kubebuilder:printcolumn:name="Since",type=date,JSONPath=`.spec.since`
// +kubebuilder:printcolumn:name="Moving",type=string,JSONPath=`.spec.moving.phase`
// +kubebuilder:printcolumn:name="Assigned",type=string,JSONPath=`.status.conditions[?(@.type=="Assigned")].status`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Assigned")].message`
type RegionAssignment struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   RegionAssignmentSpec   `json:"spec"`
	Status RegionAssignmentStatus `json:"status,omitempty"`
}

// RegionAssignmentList is a list of assignments.
//
// +kubebuilder:object:root=true
type RegionAssignmentList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []RegionAssignment `json:"items"`
}
