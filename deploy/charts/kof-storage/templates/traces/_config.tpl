{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- define "kof-storage.jaegerConfig" -}}
{{- $s := .Values.jaeger.storage -}}
{{- $backend := dict -}}
{{- if eq $s.type "memory" -}}
{{- $backend = dict "memory" (dict "max_traces" (int (index $s.options.memory "max-traces"))) -}}
{{- else if eq $s.type "badger" -}}
{{- $backend = dict "badger" (dict "ephemeral" false "directories" (dict "keys" "/data/keys" "values" "/data/values") "ttl" (dict "spans" (index $s.options.badger "span-store-ttl"))) -}}
{{- else -}}
{{- $o := $s.options.opensearch -}}
{{- $os := dict "server_urls" (index $o "server-urls") "indices" (dict "index_prefix" (index $o "index-prefix")) -}}
{{- if $o.secret -}}
{{- $_ := set $os "auth" (dict "basic" (dict "username" "${env:KOF_OPENSEARCH_USERNAME}" "password" "${env:KOF_OPENSEARCH_PASSWORD}")) -}}
{{- end -}}
{{- $backend = dict "opensearch" $os -}}
{{- end -}}
{{- $config := `
service:
  extensions: [jaeger_storage, jaeger_query, healthcheckv2]
  pipelines:
    traces: {receivers: [otlp], exporters: [jaeger_storage_exporter]}
  telemetry:
    metrics: {readers: [{pull: {exporter: {prometheus: {host: "${env:KOF_POD_IP}", port: 8888}}}}]}
extensions:
  healthcheckv2:
    use_v2: true
    http: {endpoint: "${env:KOF_POD_IP}:13133"}
  jaeger_query:
    storage: {traces: traces}
    # Links and answers say the path that VMAuth knows it by.
    base_path: /jaeger
    http: {endpoint: "${env:KOF_POD_IP}:16686"}
    grpc: {endpoint: "${env:KOF_POD_IP}:16685"}
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "${env:KOF_POD_IP}:4317"}
      http: {endpoint: "${env:KOF_POD_IP}:4318"}
exporters:
  jaeger_storage_exporter: {trace_storage: traces}
` | fromYaml -}}
{{- $_ := set $config.extensions "jaeger_storage" (dict "backends" (dict "traces" $backend)) -}}
{{- mergeOverwrite $config (deepCopy .Values.jaeger.config) | toYaml -}}
{{- end -}}
