{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- define "kof.pullSecrets" -}}
{{- $names := list -}}
{{- range $name, $on := .Values.imagePullSecrets -}}
{{- if $on -}}{{- $names = append $names (dict "name" $name) -}}{{- end -}}
{{- end -}}
{{- with $names }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{- /* Of every collector. .root, .limit: its memory limit, .env: variables of the values */ -}}
{{- define "kof.env" -}}
{{- $v := .root.Values -}}
- {name: KOF_REGION, value: {{ include "kof.homeRegion" .root | quote }}}
- {name: KOF_CLUSTER_NAME, value: {{ include "kof.clusterName" .root | quote }}}
{{- with $v.cluster.uid }}
- {name: KOF_CLUSTER_UID, value: {{ quote . }}}
{{- end }}
{{- with $v.cluster.namespace }}
- {name: KOF_CLUSTER_NAMESPACE, value: {{ quote . }}}
{{- end }}
{{- with $v.tenant }}
- {name: KOF_TENANT, value: {{ quote . }}}
{{- end }}
- {name: KOF_POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
- {name: KOF_POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: KOF_POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
- {name: KOF_DIRECTORY, value: /etc/kof/directory/regions.yaml}
- {name: KOF_SCRAPE_INTERVAL, value: {{ $v.scrapeInterval | quote }}}
- {name: GOMEMLIMIT, value: {{ include "kof.bytes" (dict "quantity" .limit "share" 0.8) | quote }}}
{{- range $name, $value := .env }}
- {name: {{ $name }}, value: {{ include "kof.text" $value | quote }}}
{{- end }}
{{- end -}}

{{- /* .config: name of the ConfigMap, .root, .mode: of credentials */ -}}
{{- define "kof.volumes" -}}
- name: config
  configMap: {name: {{ .config }}}
- name: directory
  configMap:
    name: {{ include "kof.directoryConfigMap" .root }}
    items: [{key: {{ include "kof.directoryKey" .root | quote }}, path: regions.yaml}]
{{- with include "kof.credentialSources" .root | fromYamlArray }}
- name: credentials
  projected:
    defaultMode: {{ $.mode }}
    sources: {{ toYaml . | nindent 6 }}
{{- end }}
{{- range $i, $folder := keys .root.Values.regionDirectory.credentials | sortAlpha }}
- name: credentials-{{ $i }}
  secret:
    secretName: {{ (get $.root.Values.regionDirectory.credentials $folder).secret }}
    defaultMode: {{ $.mode }}
{{- end }}
{{- end -}}

{{- define "kof.volumeMounts" -}}
- {name: config, mountPath: /etc/kof/config, readOnly: true}
# A folder, not the file in it: so that the collector sees a new directory without a restart.
- {name: directory, mountPath: /etc/kof/directory, readOnly: true}
{{- if include "kof.credentialSources" . | fromYamlArray }}
- {name: credentials, mountPath: /etc/kof/credentials, readOnly: true}
{{- end }}
{{- range $i, $folder := keys .Values.regionDirectory.credentials | sortAlpha }}
- {name: credentials-{{ $i }}, mountPath: {{ printf "/etc/kof/credentials/%s" $folder | quote }}, readOnly: true}
{{- end }}
{{- end -}}

{{- define "kof.probes" -}}
# The start waits up to a minute for what the API server says of namespaces and pods.
startupProbe:
  httpGet: {path: /, port: health}
  periodSeconds: 5
  failureThreshold: 36
livenessProbe:
  httpGet: {path: /, port: health}
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 4
readinessProbe:
  httpGet: {path: /, port: health}
  periodSeconds: 10
  timeoutSeconds: 5
{{- end -}}

{{- define "kof.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}
