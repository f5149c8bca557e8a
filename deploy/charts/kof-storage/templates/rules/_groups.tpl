{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- /* Groups in Prometheus' format, as a YAML list. */ -}}
{{- define "kof-storage.groups" -}}
{{- $groups := list -}}
{{- range $group, $g := .Values.rules.groups -}}
{{- if $g -}}
{{- $rules := list -}}
{{- range $record, $r := $g.rules -}}
{{- if $r -}}{{- $rules = append $rules (merge (dict "record" $record) $r) -}}{{- end -}}
{{- end -}}
{{- if $rules -}}
{{- $groups = append $groups (dict "name" $group "interval" (default $.Values.rules.interval $g.interval) "rules" $rules) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $groups -}}
{{- end -}}
