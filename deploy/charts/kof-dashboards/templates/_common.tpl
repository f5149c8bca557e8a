{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- /* Written by hack/charts from hack/charts/common.tpl: the same in each chart, so that one chart's can stand in for another's. */ -}}

{{- define "kof-common.fullname" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $name = ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- end -}}
{{- $name | trunc 40 | trimSuffix "-" | trimSuffix "." -}}
{{- end -}}

{{- define "kof-common.selectorLabels" -}}
app.kubernetes.io/name: {{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{- /* .root, .component */ -}}
{{- define "kof-common.labels" -}}
{{ include "kof-common.selectorLabels" . }}
app.kubernetes.io/part-of: kof
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "kof-common.image" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag }}
{{- end -}}
{{- end -}}

{{- define "kof-common.pullSecrets" -}}
{{- $names := list -}}
{{- range $name, $on := .Values.imagePullSecrets -}}
{{- if $on -}}{{- $names = append $names (dict "name" $name) -}}{{- end -}}
{{- end -}}
{{- with $names }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{- define "kof-common.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "kof-common.podSecurity" -}}
runAsUser: 65534
runAsGroup: 65534
fsGroup: 65534
fsGroupChangePolicy: OnRootMismatch
runAsNonRoot: true
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- /* Where pods run, of .nodeSelector, .tolerations and .affinity. */ -}}
{{- define "kof-common.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* A ServiceAccount without rights. .root, .component */ -}}
{{- define "kof-common.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "kof-common.fullname" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{ include "kof-common.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- end -}}

{{- /* A value as text. Numbers of YAML have become floating point, which would be written as 1e+06. */ -}}
{{- define "kof-common.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{- define "kof-common.refuse" -}}
{{- if . -}}
{{- fail (printf "\n\nThe values can't be used:\n  - %s\n" (join "\n  - " .)) -}}
{{- end -}}
{{- end -}}
