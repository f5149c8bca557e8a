{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- /* The objects that kube-state-metrics watches, by API group, as YAML. */ -}}
{{- define "kof.stateObjects" -}}
{{- $groups := dict
  "certificatesigningrequests" "certificates.k8s.io" "cronjobs" "batch" "daemonsets" "apps" "deployments" "apps"
  "endpointslices" "discovery.k8s.io" "horizontalpodautoscalers" "autoscaling" "ingresses" "networking.k8s.io" "jobs" "batch"
  "leases" "coordination.k8s.io" "networkpolicies" "networking.k8s.io" "poddisruptionbudgets" "policy" "replicasets" "apps"
  "statefulsets" "apps" "storageclasses" "storage.k8s.io" "volumeattachments" "storage.k8s.io" -}}
{{- $byGroup := dict -}}
{{- range $object, $on := .Values.kubeStateMetrics.objects -}}
{{- if $on -}}
{{- $group := default "" (get $groups $object) -}}
{{- $_ := set $byGroup $group (append (default list (get $byGroup $group)) $object) -}}
{{- end -}}
{{- end -}}
{{- toYaml $byGroup -}}
{{- end -}}
