// SPDX-License-Identifier: Apache-2.0

// Package v1beta1 holds KOF's own kinds on the management cluster.
//
// +kubebuilder:object:generate=true
// +groupName=kof.k0rdent.mirantis.com
package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

//go:generate sh -c "cd ../../../.. && exec go run ./hack/operator"

// GroupVersion of every kind here.
var GroupVersion = schema.GroupVersion{Group: "kof.k0rdent.mirantis.com", Version: "v1beta1"}

// AddToScheme makes the kinds known to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &Region{}, &RegionList{}, &RegionAssignment{}, &RegionAssignmentList{},
		&PromxyServerGroup{}, &PromxyServerGroupList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}

// Condition types. Each has a status, a reason of the list in docs/operator.md and a message.
const (
	// ConditionAccepted of a Region: it is in the region directory.
	ConditionAccepted = "Accepted"
	// ConditionValuesValid of a Region or RegionAssignment: the values of the annotations could be read.
	ConditionValuesValid = "ValuesValid"
	// ConditionAssigned of a RegionAssignment: the cluster has a region.
	ConditionAssigned = "Assigned"
	// ConditionSettled of a RegionAssignment: the cluster has the region that its labels and place ask for, and nothing is being moved.
	ConditionSettled = "Settled"
	// ConditionPublished of a Region, RegionAssignment or PromxyServerGroup: its outputs are as they should be.
	ConditionPublished = "Published"
)
