// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

func TestExamplesAreSecure(t *testing.T) {
	eachExample(t, func(t *testing.T, o options) { require.Empty(t, breaches(t, objects(t, render(t, o)))) })
	t.Run("before Kubernetes 1.33", func(t *testing.T) {
		require.Empty(t, breaches(t, objects(t, render(t, options{kubeVersion: "1.32.0"}))))
	})
}

func TestBreachesAreFound(t *testing.T) {
	const bad = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: bad}
rules:
  - {apiGroups: ["*"], resources: [pods], verbs: [get]}
  - {apiGroups: [""], resources: [secrets], verbs: [list]}
  - {apiGroups: [""], resources: [pods/exec], verbs: [create]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: bad, namespace: kof}
spec:
  template:
    spec:
      hostNetwork: true
      containers:
        - name: c
          image: i
          securityContext: {privileged: true, capabilities: {add: [SYS_ADMIN]}}
          volumeMounts: [{name: host, mountPath: /host}]
      volumes: [{name: host, hostPath: {path: /etc}}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: idle, namespace: kof}
`
	got := breaches(t, objects(t, bad))
	require.ElementsMatch(t, []string{
		`ClusterRole/bad: rule 0: "*"`,
		"ClusterRole/bad: rule 1: list of secrets",
		"ClusterRole/bad: rule 2: create of pods/exec",
		"Deployment/bad: shares a namespace of the node",
		"Deployment/bad: runs as the default service account",
		"Deployment/bad: no seccomp profile RuntimeDefault",
		"Deployment/bad: c: privileged",
		"Deployment/bad: c: adds capabilities [SYS_ADMIN]",
		"Deployment/bad: c: doesn't drop all capabilities",
		"Deployment/bad: c: root file system can be written",
		"Deployment/bad: c: can gain privileges",
		"Deployment/bad: c: may run as root",
		"Deployment/bad: c: no limit of memory",
		"Deployment/bad: c: writes to /etc of the node",
		"ServiceAccount/idle: of nothing",
	}, got)
}

// allowedWrites are the rights to change something, as resource and verbs.
var allowedWrites = map[string][]string{"leases": {"create", "update"}}

// breaches returns how objects break the rules that hold for everything that KOF installs.
func breaches(t *testing.T, all []*unstructured.Unstructured) []string {
	t.Helper()
	var out []string
	accounts := map[string]bool{}
	for _, o := range all {
		where := o.GetKind() + "/" + o.GetName()
		report := func(format string, args ...any) { out = append(out, where+": "+fmt.Sprintf(format, args...)) }
		if o.GetKind() == "ClusterRole" || o.GetKind() == "Role" {
			var role rbacv1.ClusterRole
			require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &role))
			for i, rule := range role.Rules {
				checkRule(rule, allowedOf(o), func(format string, args ...any) { report(fmt.Sprintf("rule %d: ", i)+format, args...) })
			}
		}
		if spec, found, err := unstructured.NestedMap(o.Object, "spec", "template", "spec"); found {
			require.NoError(t, err)
			var pod corev1.PodSpec
			require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(spec, &pod))
			checkPod(pod, o.GetKind() == "DaemonSet", report)
			accounts[pod.ServiceAccountName] = true
		}
	}
	for _, o := range all {
		if o.GetKind() == "ServiceAccount" && !accounts[o.GetName()] {
			out = append(out, "ServiceAccount/"+o.GetName()+": of nothing")
		}
	}
	return out
}

// operatorWrites are what kof-operator writes everywhere; Secrets and ConfigMaps only in the namespaces that it is given.
var operatorWrites = map[string][]string{
	"multiclusterservices": {"create", "patch"}, "regions": {"create", "patch", "delete"}, "regionassignments": {"create", "patch", "delete"},
	"promxyservergroups": {"create", "patch", "delete"}, "regions/status": {"patch"}, "regionassignments/status": {"patch"},
	"promxyservergroups/status": {"patch"}, "grafanadatasources": {"create", "patch", "delete"}, "vmusers": {"create", "patch", "delete"},
	"events": {"create", "patch"},
}

var operatorWritesInNamespace = map[string][]string{
	"secrets": {"get", "list", "watch", "create", "patch", "delete"}, "configmaps": {"create", "patch", "delete"},
	"leases": {"create", "update"}, "events": {"create", "patch"},
}

// allowedOf returns what the holders of a role may change, and which rights to Secrets they may have.
func allowedOf(role *unstructured.Unstructured) map[string][]string {
	switch {
	case role.GetLabels()["app.kubernetes.io/name"] != "kof-operator":
		return allowedWrites
	case role.GetKind() == "Role":
		return operatorWritesInNamespace
	}
	return operatorWrites
}

func checkRule(rule rbacv1.PolicyRule, allowed map[string][]string, report func(string, ...any)) {
	for _, names := range [][]string{rule.APIGroups, rule.Resources, rule.Verbs, rule.NonResourceURLs} {
		if slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, "*") }) {
			report("%q", "*")
		}
	}
	for _, resource := range rule.Resources {
		for _, verb := range rule.Verbs {
			read := resource != "secrets" && slices.Contains([]string{"get", "list", "watch"}, verb)
			if !read && !slices.Contains(allowed[resource], verb) {
				report("%s of %s", verb, resource)
			}
		}
	}
}

func checkPod(pod corev1.PodSpec, onNode bool, report func(string, ...any)) {
	if pod.HostNetwork || pod.HostPID || pod.HostIPC {
		report("shares a namespace of the node")
	}
	if pod.ServiceAccountName == "" || pod.ServiceAccountName == "default" {
		report("runs as the default service account")
	}
	security := pod.SecurityContext
	if security == nil {
		security = &corev1.PodSecurityContext{}
	}
	if security.SeccompProfile == nil || security.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		report("no seccomp profile RuntimeDefault")
	}
	host := map[string]string{}
	for _, v := range pod.Volumes {
		if v.HostPath != nil {
			host[v.Name] = v.HostPath.Path
		}
	}
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		checkContainer(c, func(format string, args ...any) { report(c.Name+": "+format, args...) })
		// Root only where files of the node are read.
		if !onNode && (security.RunAsNonRoot == nil || !*security.RunAsNonRoot) {
			report(c.Name + ": may run as root")
		}
		for _, m := range c.VolumeMounts {
			path, isHost := host[m.Name]
			if isHost && !m.ReadOnly && !strings.HasPrefix(path, "/var/lib/kof-otelcol/") {
				report("%s: writes to %s of the node", c.Name, path)
			}
		}
	}
}

func checkContainer(c corev1.Container, report func(string, ...any)) {
	s := c.SecurityContext
	if s == nil {
		s = &corev1.SecurityContext{}
	}
	if s.Privileged != nil && *s.Privileged {
		report("privileged")
	}
	if s.Capabilities == nil || !slices.Contains(s.Capabilities.Drop, "ALL") {
		report("doesn't drop all capabilities")
	}
	if s.Capabilities != nil && len(s.Capabilities.Add) > 0 {
		report("adds capabilities %v", s.Capabilities.Add)
	}
	if s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
		report("root file system can be written")
	}
	if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation {
		report("can gain privileges")
	}
	if c.Resources.Limits.Memory().IsZero() {
		report("no limit of memory")
	}
}
