{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- define "kof.fullname" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $name = ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- end -}}
{{- $name | trunc 40 | trimSuffix "-" | trimSuffix "." -}}
{{- end -}}

{{- /* Name of what has no namespace. A namespace has no dot in its name, so two releases never share one. */ -}}
{{- define "kof.clusterWideName" -}}
{{ include "kof.fullname" .root }}-{{ .component }}.{{ .root.Release.Namespace }}
{{- end -}}

{{- define "kof.selectorLabels" -}}
app.kubernetes.io/name: {{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{- define "kof.labels" -}}
{{ include "kof.selectorLabels" . }}
app.kubernetes.io/part-of: kof
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "kof.image" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag }}
{{- end -}}
{{- end -}}

{{- define "kof.collectorImage" -}}
{{- include "kof.image" (dict "repository" .Values.image.repository "digest" .Values.image.digest "tag" (default (printf "v%s" .Chart.AppVersion) .Values.image.tag)) -}}
{{- end -}}

{{- define "kof.priorityClassName" -}}
{{- if .name -}}
{{ .name }}
{{- else if .root.Values.priorityClass.create -}}
{{ include "kof.clusterWideName" (dict "root" .root "component" "collectors") }}
{{- end -}}
{{- end -}}

{{- define "kof.clusterName" -}}
{{- default "default" .Values.cluster.name -}}
{{- end -}}

{{- /* The home region. Only called after kof.validate. */ -}}
{{- define "kof.homeRegion" -}}
{{- if .Values.region -}}
{{ .Values.region }}
{{- else if .Values.regions -}}
{{ keys .Values.regions | first }}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{- /* A value as text. Numbers of YAML have become floating point, which would be written as 1e+06. */ -}}
{{- define "kof.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{- /* .share of a .quantity of bytes, as Kubernetes writes them. */ -}}
{{- define "kof.bytes" -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 -}}
{{- $quantity := include "kof.text" .quantity -}}
{{- $number := regexFind "^[0-9.]+" $quantity -}}
{{- mulf (float64 $number) (get $units (trimPrefix $number $quantity)) .share | floor | int64 -}}
{{- end -}}
