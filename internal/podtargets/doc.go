// SPDX-License-Identifier: Apache-2.0

// Package podtargets is a service discovery for Prometheus' scrape configurations, kof_pod_sd_configs: that of kubernetes_sd_configs with
// role pod and the same options, but that a pod whose annotation prometheus.io/port names a port is one target and not one per port, with the
// container that declares that port.
//
// Relabelling alone can't do this: it sees one port at a time, so a pod of several containers becomes several targets that only differ in
// their container, of which Prometheus keeps one, not the right one. Which container a target is of:
//
//   - the one that declares the port, also an init container, which then is a sidecar;
//   - where no container declares it, the pod's default container: that of the annotation kubectl.kubernetes.io/default-container, else the
//     first one. So kubectl does it too.
//
// A pod without the annotation, or whose annotation is no port number, stays as it is: a target for each declared port.
//
// A binary gets it by importing the package, before a configuration is read.
package podtargets
