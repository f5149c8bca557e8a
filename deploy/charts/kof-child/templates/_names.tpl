{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- /* kof-collectors-0-1-0 is the same in all releases; that of the operators is needed by two charts. */ -}}
{{- define "kof-child.template" -}}
{{- $name := printf "%s-%s" .chart (.version | replace "." "-" | replace "+" "-") -}}
{{- ternary (printf "%s-child" $name) $name (eq .chart "kof-operators") -}}
{{- end -}}

{{- define "kof-child.validate" -}}
{{- $problems := list -}}
{{- if contains "`" (toYaml .Values.collectors.values) -}}
{{- $problems = append $problems "collectors.values: found a backquote, which ends the text in k0rdent's template; leave it out" -}}
{{- end -}}
{{- include "kof-common.refuse" $problems -}}
{{- end -}}
