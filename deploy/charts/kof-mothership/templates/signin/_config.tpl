{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- define "kof-mothership.clientSecret" -}}
{{- default (printf "%s-oauth" (include "kof-common.fullname" .)) .Values.dex.clientSecret -}}
{{- end -}}

{{- define "kof-mothership.dexConfig" -}}
{{- $v := .Values.dex -}}
{{- $connectors := list -}}
{{- range $id, $c := $v.connectors -}}
{{- if $c -}}{{- $connectors = append $connectors (merge (dict "id" $id) $c) -}}{{- end -}}
{{- end -}}
{{- $client := dict "id" "grafana" "name" "Grafana" "secretEnv" "KOF_CLIENT_SECRET" "redirectURIs" (list (printf "https://%s/login/generic_oauth" .Values.grafana.host)) -}}
{{- $config := dict "issuer" (printf "https://%s/dex" $v.host) -}}
{{- /* Who is signed in stays so in Grafana; what Dex forgets at a restart is who is just signing in. */ -}}
{{- $_ := set $config "storage" (dict "type" "memory") -}}
{{- $_ := set $config "web" (dict "http" ":5556") -}}
{{- $_ := set $config "telemetry" (dict "http" ":5558") -}}
{{- $_ := set $config "oauth2" (dict "responseTypes" (list "code") "skipApprovalScreen" true) -}}
{{- $_ := set $config "staticClients" (list $client) -}}
{{- with $connectors -}}{{- $_ := set $config "connectors" . -}}{{- end -}}
{{- mergeOverwrite $config (deepCopy $v.config) | toYaml -}}
{{- end -}}

{{- /* Grafana's expression (JMESPath) for a role: the first that a group has, in the order Admin, Editor, Viewer. `contains` is an error for who is in no group at all. */ -}}
{{- define "kof-mothership.rolePath" -}}
{{- $parts := list -}}
{{- range $role := list "Admin" "Editor" "Viewer" -}}
{{- range $group, $r := $.Values.grafana.roles -}}
{{- if eq $r $role -}}{{- $parts = append $parts (printf "groups && contains(groups, '%s') && '%s'" $group $role) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- with .Values.grafana.defaultRole -}}{{- $parts = append $parts (printf "'%s'" .) -}}{{- end -}}
{{- join " || " $parts -}}
{{- end -}}
