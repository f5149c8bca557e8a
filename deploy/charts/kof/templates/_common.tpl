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

{{- /* An authority of the release's own, and the Issuer .name that signs with it. .root, .name, .labels: YAML */ -}}
{{- define "kof-common.selfSigned" -}}
apiVersion: cert-manager.io/v1
kind: Issuer
metadata:
  name: {{ .name }}-self-signed
  namespace: {{ .root.Release.Namespace }}
  labels: {{ .labels | nindent 4 }}
spec:
  selfSigned: {}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: {{ .name }}-ca
  namespace: {{ .root.Release.Namespace }}
  labels: {{ .labels | nindent 4 }}
spec:
  isCA: true
  commonName: {{ .name }}-ca
  secretName: {{ .name }}-ca
  privateKey: {algorithm: ECDSA, size: 256, rotationPolicy: Always}
  issuerRef: {name: {{ .name }}-self-signed, kind: Issuer, group: cert-manager.io}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{ .labels | nindent 4 }}
spec:
  ca: {secretName: {{ .name }}-ca}
{{- end -}}

{{- /* A value as text. Numbers of YAML have become floating point, which would be written as 1e+06. */ -}}
{{- define "kof-common.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{- /* Writes the values of the map .from over those of .into: maps key by key, null takes a key away. */ -}}
{{- define "kof-common.override" -}}
{{- $into := .into -}}
{{- range $key, $value := .from -}}
{{- if kindIs "invalid" $value -}}
{{- $_ := unset $into $key -}}
{{- else if and (kindIs "map" $value) (kindIs "map" (get $into $key)) -}}
{{- include "kof-common.override" (dict "into" (get $into $key) "from" $value) -}}
{{- else -}}
{{- $_ := set $into $key $value -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /*
Groups of rules in Prometheus' format, as a YAML list: those of the chart's files, changed by the values, which have the same shape.
.root; .files: pattern of the files; .groups: of the values; .path: where these are; .kind: alert or record; .interval of groups that name none; .runbooks: what
the address of the page of each alert of the files begins with, or ""
*/ -}}
{{- define "kof-common.ruleGroups" -}}
{{- $all := dict -}}
{{- range $file, $_ := .root.Files.Glob .files -}}
{{- $all = merge $all ($.root.Files.Get $file | fromYaml) -}}
{{- end -}}
{{- if .runbooks -}}
{{- range $g := $all -}}
{{- range $id, $r := $g.rules -}}
{{- $page := printf "%s/%s.md" (trimSuffix "/" $.runbooks) (default $id $r.alert) -}}
{{- $_ := set $r "annotations" (merge (default dict $r.annotations) (dict "runbook_url" $page)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "kof-common.override" (dict "into" $all "from" (deepCopy .groups)) -}}
{{- $groups := list -}}
{{- $problems := list -}}
{{- range $group, $g := $all -}}
{{- $rules := list -}}
{{- range $id, $r := $g.rules -}}
{{- if not (get $r "expr") -}}
{{- $problems = append $problems (printf "%s.%s.rules.%s.expr: not set; the chart has no rule of this name that could be changed: set it, or correct the names" $.path $group $id) -}}
{{- else if ne (toString (get $r "enabled")) "false" -}}
{{- $rules = append $rules (merge (omit $r "enabled") (dict $.kind $id)) -}}
{{- end -}}
{{- end -}}
{{- if and $rules (ne (toString (get $g "enabled")) "false") -}}
{{- $groups = append $groups (dict "name" $group "interval" (default $.interval $g.interval) "rules" $rules) -}}
{{- end -}}
{{- end -}}
{{- include "kof-common.refuse" $problems -}}
{{- toYaml $groups -}}
{{- end -}}

{{- define "kof-common.refuse" -}}
{{- if . -}}
{{- fail (printf "\n\nThe values can't be used:\n  - %s\n" (join "\n  - " .)) -}}
{{- end -}}
{{- end -}}
