{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- /* Groups in Prometheus' format, as a YAML list. */ -}}
{{- define "kof-mothership.groups" -}}
{{- $groups := list -}}
{{- range $group, $g := .Values.alerting.groups -}}
{{- if $g -}}
{{- $rules := list -}}
{{- range $id, $r := $g.rules -}}
{{- if $r -}}{{- $rules = append $rules (mergeOverwrite (dict "alert" $id) $r) -}}{{- end -}}
{{- end -}}
{{- if $rules -}}
{{- $groups = append $groups (dict "name" $group "interval" (default $.Values.alerting.interval $g.interval) "rules" $rules) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $groups -}}
{{- end -}}
