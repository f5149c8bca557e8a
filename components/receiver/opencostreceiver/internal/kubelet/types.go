// SPDX-License-Identifier: Apache-2.0

// Package kubelet reads from the kubelet of a node what costs need: its pods (/pods) and the containers' usage
// (/metrics/resource). Documents are decoded as a stream into memory that is used again, since this runs on every node.
package kubelet

import "time"

// Quantity is an amount of a resource: cores, bytes or units.
type Quantity struct {
	Resource string
	Value    float64
}

// ContainerKind tells how long a container's requests are held.
type ContainerKind uint8

// The kinds of containers.
const (
	Regular ContainerKind = iota
	Init                  // runs to its end before the regular ones
	Sidecar               // an init container with restartPolicy Always: runs beside the regular ones
)

// Container is one container of a pod.
type Container struct {
	Name     string
	Kind     ContainerKind
	Requests []Quantity
	Limits   []Quantity

	Running  bool
	Started  time.Time // start of the present or last run, zero if it never ran
	Finished time.Time // end of the last run, zero while it runs
	Earlier  time.Time // start of the run before, zero if there was none
}

// Pod is what costs need of a pod.
type Pod struct {
	UID          string
	Name         string
	Namespace    string
	Phase        string // Pending, Running, Succeeded or Failed
	OwnerKind    string // of the controller, "" if there is none
	OwnerName    string
	TemplateHash string // label pod-template-hash, which a ReplicaSet's name ends with
	Claims       []string
	Containers   []Container
}

// Usage is what the kubelet measured of a container.
type Usage struct {
	CPUSeconds float64
	CPUAt      time.Time
	Memory     float64 // working set, bytes
}

// ContainerID names a container on a node.
type ContainerID struct{ Namespace, Pod, Container string }
