{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- define "kof.directoryConfigMap" -}}
{{- default (printf "%s-regions" (include "kof.fullname" .)) .Values.regionDirectory.configMap -}}
{{- end -}}

{{- define "kof.directoryKey" -}}
{{- ternary .Values.regionDirectory.key "regions.yaml" (ne .Values.regionDirectory.configMap "") -}}
{{- end -}}

{{- /* The regions of the values, or the one of kof-storage beside this release: through its door, as the writer that it makes. */ -}}
{{- define "kof.regions" -}}
{{- if .Values.regions -}}
{{- toYaml .Values.regions -}}
{{- else -}}
default:
  zone: default
  metrics: {endpoint: "http://kof-storage-vmauth.{{ .Release.Namespace }}.svc:8427/vm/insert/0/prometheus/api/v1/write"}
  logs: {endpoint: "http://kof-storage-vmauth.{{ .Release.Namespace }}.svc:8427/vli/insert/opentelemetry/v1/logs"}
  traces: {endpoint: "http://kof-storage-vmauth.{{ .Release.Namespace }}.svc:8427/jaeger/insert/v1/traces"}
  auth: {basic: {secret: kof-storage-writer}}
{{- end -}}
{{- end -}}

{{- /* The region directory in the format of internal/region. Credentials are files, from Secrets. */ -}}
{{- define "kof.directory" -}}
{{- $regions := dict -}}
{{- range $name, $r := include "kof.regions" . | fromYaml -}}
{{- $files := printf "/etc/kof/credentials/%s" $name -}}
{{- $region := dict "zone" $r.zone -}}
{{- range $signal := list "metrics" "logs" "traces" -}}
{{- with get $r $signal -}}{{- $_ := set $region $signal . -}}{{- end -}}
{{- end -}}
{{- with $r.auth -}}
{{- with .basic -}}
{{- $_ := set $region "auth" (dict "basic" (dict "username_file" (printf "%s/auth/username" $files) "password_file" (printf "%s/auth/password" $files))) -}}
{{- end -}}
{{- with .bearer -}}
{{- $_ := set $region "auth" (dict "bearer" (dict "token_file" (printf "%s/auth/token" $files))) -}}
{{- end -}}
{{- end -}}
{{- with $r.tls -}}
{{- $tls := dict -}}
{{- if .ca -}}{{- $_ := set $tls "ca_file" (printf "%s/ca/ca.crt" $files) -}}{{- end -}}
{{- if .certificate -}}
{{- $_ := set $tls "cert_file" (printf "%s/client/tls.crt" $files) -}}
{{- $_ := set $tls "key_file" (printf "%s/client/tls.key" $files) -}}
{{- end -}}
{{- if .serverName -}}{{- $_ := set $tls "server_name" .serverName -}}{{- end -}}
{{- if .insecureSkipVerify -}}{{- $_ := set $tls "insecure_skip_verify" true -}}{{- end -}}
{{- if .minVersion -}}{{- $_ := set $tls "min_version" .minVersion -}}{{- end -}}
{{- $_ := set $region "tls" $tls -}}
{{- end -}}
{{- with $r.failover -}}{{- $_ := set $region "failover" . -}}{{- end -}}
{{- $_ := set $regions $name $region -}}
{{- end -}}
{{- $directory := dict "regions" $regions -}}
{{- with .Values.tenants -}}{{- $_ := set $directory "tenants" . -}}{{- end -}}
{{- toYaml $directory -}}
{{- end -}}

{{- /*
Sources of the projected volume that holds the regions' credentials, as a YAML list. The Secret of the default region may come later: until it is
there, what is collected is held on disk.
*/ -}}
{{- define "kof.credentialSources" -}}
{{- $sources := list -}}
{{- $regions := dict -}}
{{- if not .Values.regionDirectory.configMap -}}{{- $regions = include "kof.regions" . | fromYaml -}}{{- end -}}
{{- range $name, $r := $regions -}}
{{- with $r.auth -}}
{{- with .basic -}}
{{- $items := list (dict "key" (default "username" .usernameKey) "path" (printf "%s/auth/username" $name)) (dict "key" (default "password" .passwordKey) "path" (printf "%s/auth/password" $name)) -}}
{{- $secret := dict "name" .secret "items" $items -}}
{{- if not $.Values.regions -}}{{- $_ := set $secret "optional" true -}}{{- end -}}
{{- $sources = append $sources (dict "secret" $secret) -}}
{{- end -}}
{{- with .bearer -}}
{{- $sources = append $sources (dict "secret" (dict "name" .secret "items" (list (dict "key" (default "token" .tokenKey) "path" (printf "%s/auth/token" $name))))) -}}
{{- end -}}
{{- end -}}
{{- with $r.tls -}}
{{- with .ca -}}
{{- $items := list (dict "key" (default "ca.crt" .key) "path" (printf "%s/ca/ca.crt" $name)) -}}
{{- if .secret -}}
{{- $sources = append $sources (dict "secret" (dict "name" .secret "items" $items)) -}}
{{- else -}}
{{- $sources = append $sources (dict "configMap" (dict "name" .configMap "items" $items)) -}}
{{- end -}}
{{- end -}}
{{- with .certificate -}}
{{- $items := list (dict "key" "tls.crt" "path" (printf "%s/client/tls.crt" $name)) (dict "key" "tls.key" "path" (printf "%s/client/tls.key" $name)) -}}
{{- $sources = append $sources (dict "secret" (dict "name" .secret "items" $items)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $sources -}}
{{- end -}}
