{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- /* Groups in Prometheus' format, as a YAML list: recording rules, and alerts if they have somewhere to go. */ -}}
{{- define "kof-storage.groups" -}}
{{- $v := .Values.rules -}}
{{- $common := dict "root" . "interval" $v.interval -}}
{{- $groups := include "kof-common.ruleGroups" (merge (dict "files" "files/rules/*.yaml" "groups" $v.groups "path" "rules.groups" "kind" "record") $common) | fromYamlArray -}}
{{- if $v.alerts.notifier -}}
{{- $alerts := dict "files" "files/alerts/*.yaml" "groups" $v.alerts.groups "path" "rules.alerts.groups" "kind" "alert" "runbooks" $v.alerts.runbooks -}}
{{- $groups = concat $groups (include "kof-common.ruleGroups" (merge $alerts $common) | fromYamlArray) -}}
{{- end -}}
{{- toYaml $groups -}}
{{- end -}}
