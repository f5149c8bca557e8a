{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- define "kof-mothership.validate" -}}
{{- $v := .Values -}}
{{- $problems := list -}}
{{- if and $v.promxy.enabled (not $v.operator.enabled) (not $v.promxy.serverGroups) -}}
{{- $problems = append $problems "promxy.serverGroups: empty without operator.enabled; Promxy would have nothing to ask: name the regions, or enable the operator" -}}
{{- end -}}
{{- if and $v.alerting.enabled (not $v.promxy.enabled) -}}
{{- $problems = append $problems "alerting.enabled: is true without promxy.enabled; rules are computed over Promxy: enable it" -}}
{{- end -}}
{{- if and $v.alerting.vmalert.remoteWriteSecret (not $v.alerting.vmalert.remoteWrite) -}}
{{- $problems = append $problems "alerting.vmalert.remoteWriteSecret: set without alerting.vmalert.remoteWrite; set the address that it is for" -}}
{{- end -}}
{{- if $v.dex.enabled -}}
{{- if not $v.grafana.enabled -}}
{{- $problems = append $problems "dex.enabled: is true without grafana.enabled; nothing would use it" -}}
{{- end -}}
{{- if not $v.grafana.host -}}
{{- $problems = append $problems "grafana.host: not set with dex.enabled; Dex sends browsers back to it: set the name that they reach Grafana by" -}}
{{- end -}}
{{- if not $v.dex.host -}}
{{- $problems = append $problems "dex.host: not set with dex.enabled; set the name that browsers reach Dex by" -}}
{{- end -}}
{{- if not (or $v.dex.connectors $v.dex.config.staticPasswords) -}}
{{- $problems = append $problems "dex.connectors: empty with dex.enabled; nobody could sign in: name an identity provider, as `corp: {type: ldap, name: …, config: {…}}`" -}}
{{- end -}}
{{- if not (or $v.grafana.roles $v.grafana.defaultRole) -}}
{{- $problems = append $problems "grafana.roles: empty, and no grafana.defaultRole; nobody could sign in: give a group a role" -}}
{{- end -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.grafana.host) -}}
{{- $problems = append $problems "grafana.host: not set with ingress.enabled; set the name that browsers reach Grafana by" -}}
{{- end -}}
{{- if and $v.ingress.selfSigned $v.ingress.clusterIssuer -}}
{{- $problems = append $problems (printf "ingress.selfSigned: is true beside ingress.clusterIssuer %q; set one of them" $v.ingress.clusterIssuer) -}}
{{- end -}}
{{- include "kof-common.refuse" $problems -}}
{{- end -}}
