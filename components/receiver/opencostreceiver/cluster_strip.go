// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

// allow is a list of labels that are kept.
type allow []string

func (a allow) of(labels map[string]string) map[string]string {
	var out map[string]string
	for _, k := range a {
		if v, ok := labels[k]; ok {
			if out == nil {
				out = make(map[string]string, len(a))
			}
			out[k] = v
		}
	}
	return out
}

// feeLabels tell the platform, which the management fee depends on, and the region.
var feeLabels = allow{
	"eks.amazonaws.com/nodegroup", "cloud.google.com/gke-nodepool", "kops.k8s.io/instancegroup",
	"topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region",
}

func stripClusterNode(labels allow) cache.TransformFunc {
	keep := append(append(allow(nil), labels...), feeLabels...)
	return func(obj any) (any, error) {
		if n, ok := obj.(*corev1.Node); ok {
			m := slim(&n.ObjectMeta)
			m.Labels = keep.of(n.Labels)
			*n = corev1.Node{ObjectMeta: m}
		}
		return obj, nil
	}
}

func stripNamespace(labels allow) cache.TransformFunc {
	return func(obj any) (any, error) {
		if n, ok := obj.(*corev1.Namespace); ok {
			m := slim(&n.ObjectMeta)
			m.Labels = labels.of(n.Labels)
			*n = corev1.Namespace{ObjectMeta: m}
		}
		return obj, nil
	}
}

func stripPod(labels allow) cache.TransformFunc {
	return func(obj any) (any, error) {
		p, ok := obj.(*corev1.Pod)
		if !ok {
			return obj, nil
		}
		var volumes []corev1.Volume
		for _, name := range podClaims(p) {
			volumes = append(volumes, corev1.Volume{VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name},
			}})
		}
		m := slim(&p.ObjectMeta)
		m.Labels = labels.of(p.Labels)
		*p = corev1.Pod{ObjectMeta: m, Spec: corev1.PodSpec{Volumes: volumes}, Status: corev1.PodStatus{Phase: p.Status.Phase}}
		return p, nil
	}
}

// podClaims names the claims of a pod, those of ephemeral volumes by the name that Kubernetes gives them.
func podClaims(p *corev1.Pod) []string {
	var out []string
	for i := range p.Spec.Volumes {
		v := &p.Spec.Volumes[i]
		switch {
		case v.PersistentVolumeClaim != nil:
			out = append(out, v.PersistentVolumeClaim.ClaimName)
		case v.Ephemeral != nil:
			out = append(out, p.Name+"-"+v.Name)
		}
	}
	return out
}

func stripVolume(obj any) (any, error) {
	v, ok := obj.(*corev1.PersistentVolume)
	if !ok {
		return obj, nil
	}
	m := slim(&v.ObjectMeta)
	m.Labels, m.Annotations = v.Labels, v.Annotations // a price list may name any of them
	*v = corev1.PersistentVolume{
		ObjectMeta: m, Status: corev1.PersistentVolumeStatus{Phase: v.Status.Phase},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: v.Spec.Capacity, ClaimRef: v.Spec.ClaimRef, StorageClassName: v.Spec.StorageClassName,
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				CSI: v.Spec.CSI, AWSElasticBlockStore: v.Spec.AWSElasticBlockStore,
				GCEPersistentDisk: v.Spec.GCEPersistentDisk, AzureDisk: v.Spec.AzureDisk,
			},
		},
	}
	return v, nil
}

func stripClaim(obj any) (any, error) {
	c, ok := obj.(*corev1.PersistentVolumeClaim)
	if !ok {
		return obj, nil
	}
	*c = corev1.PersistentVolumeClaim{
		ObjectMeta: slim(&c.ObjectMeta),
		Spec: corev1.PersistentVolumeClaimSpec{
			VolumeName: c.Spec.VolumeName, AccessModes: c.Spec.AccessModes,
			Resources: corev1.VolumeResourceRequirements{Requests: c.Spec.Resources.Requests},
		},
		Status: corev1.PersistentVolumeClaimStatus{Phase: c.Status.Phase},
	}
	return c, nil
}

func stripService(obj any) (any, error) {
	s, ok := obj.(*corev1.Service)
	if !ok {
		return obj, nil
	}
	status := corev1.ServiceStatus{}
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer {
		status = s.Status
	}
	*s = corev1.Service{ObjectMeta: slim(&s.ObjectMeta), Spec: corev1.ServiceSpec{Type: s.Spec.Type}, Status: status}
	return s, nil
}
