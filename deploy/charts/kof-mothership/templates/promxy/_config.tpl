{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- /* Promxy's configuration where there is no operator to write it. */ -}}
{{- define "kof-mothership.promxyConfig" -}}
{{- $groups := list -}}
{{- range $name, $g := .Values.promxy.serverGroups -}}
{{- $targets := list -}}
{{- range $target, $on := $g.targets }}{{ if $on }}{{ $targets = append $targets $target }}{{ end }}{{ end -}}
{{- $client := dict "dial_timeout" "5s" -}}
{{- if $g.secret -}}
{{- $_ := set $client "basic_auth" (dict "username_file" (printf "/etc/promxy-secrets/%s/username" $name) "password_file" (printf "/etc/promxy-secrets/%s/password" $name)) -}}
{{- end -}}
{{- if $g.caSecret -}}
{{- $_ := set $client "tls_config" (dict "ca_file" (printf "/etc/promxy-secrets/%s/ca.crt" $name)) -}}
{{- end -}}
{{- $groups = append $groups (dict "static_configs" (list (dict "targets" $targets)) "labels" (dict "promxyCluster" $name) "scheme" (default "http" $g.scheme) "path_prefix" (default "" $g.pathPrefix) "ignore_error" true "http_client" $client) -}}
{{- end -}}
{{- toYaml (dict "global" (dict "evaluation_interval" "30s") "promxy" (dict "server_groups" $groups)) -}}
{{- end -}}
