{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- /* kof-storage-0-1-0 is the same in all releases; that of the operators is needed by two charts. */ -}}
{{- define "kof-regional.template" -}}
{{- $name := printf "%s-%s" .chart (.version | replace "." "-" | replace "+" "-") -}}
{{- ternary (printf "%s-regional" $name) $name (eq .chart "kof-operators") -}}
{{- end -}}

{{- define "kof-regional.validate" -}}
{{- $problems := list -}}
{{- if contains "`" (toYaml .Values.storage.values) -}}
{{- $problems = append $problems "storage.values: found a backquote, which ends the text in k0rdent's template; leave it out" -}}
{{- end -}}
{{- include "kof-common.refuse" $problems -}}
{{- end -}}
