{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- /* What the topology gives each chart, as YAML by the chart's name. */ -}}
{{- define "kof.topology" -}}
{{- $v := .Values -}}
{{- $ns := .Release.Namespace -}}
{{- $door := printf "kof-storage-vmauth.%s.svc:8427" $ns -}}
{{- $regionless := eq $v.topology "regionless" -}}
{{- $forOthers := and $regionless (ne $v.domain "") -}}
kof-operators: {}
kof-storage:
  form: single
  {{- if $forOthers }}
  global: {domain: {{ $v.domain }}}
  {{- end }}
kof-mothership:
  operator:
    collectorsTemplate: kof-collectors-{{ $v.version | replace "." "-" | replace "+" "-" }}
    storageTemplate: {{ ternary "" (printf "kof-storage-%s" ($v.version | replace "." "-" | replace "+" "-")) $regionless | quote }}
    {{- if $forOthers }}
    regions:
      {{ $v.cluster.name }}:
        fallback: true
        endpoints:
          metrics: https://vmauth.{{ $v.domain }}/vm/insert/0/prometheus/api/v1/write
          logs: https://vmauth.{{ $v.domain }}/vli/insert/opentelemetry/v1/logs
          traces: https://vmauth.{{ $v.domain }}/jaeger/insert/v1/traces
          metricsQuery: http://{{ $door }}/vm/select/0/prometheus
          logsQuery: http://{{ $door }}/vls
          tracesQuery: http://{{ $door }}/jaeger
    {{- end }}
  {{- if not $forOthers }}
  promxy:
    serverGroups:
      {{ $v.cluster.name }}:
        targets: {{ dict $door true | toJson }}
        pathPrefix: /vm/select/0/prometheus
        secret: kof-storage-reader
  {{- end }}
  alerting:
    vmalert:
      remoteWrite: http://{{ $door }}/vm/insert/0/prometheus
      remoteWriteSecret: kof-storage-writer
kof-dashboards: {}
kof-regional:
  namespace: {{ $ns }}
  repository: {{ dict "url" $v.repository.url | toJson }}
  operators: {version: {{ $v.version | quote }}}
  storage: {version: {{ $v.version | quote }}}
kof-child:
  namespace: {{ $ns }}
  repository: {{ dict "url" $v.repository.url | toJson }}
  operators: {version: {{ $v.version | quote }}}
  collectors: {version: {{ $v.version | quote }}}
kof-collectors:
  cluster: {name: {{ $v.cluster.name }}}
  regions:
    {{ $v.cluster.name }}:
      zone: {{ $v.cluster.name }}
      metrics: {endpoint: "http://{{ $door }}/vm/insert/0/prometheus/api/v1/write"}
      logs: {endpoint: "http://{{ $door }}/vli/insert/opentelemetry/v1/logs"}
      traces: {endpoint: "http://{{ $door }}/jaeger/insert/v1/traces"}
      auth: {basic: {secret: kof-storage-writer}}
{{- end -}}

{{- define "kof.validateUmbrella" -}}
{{- $problems := list -}}
{{- $c := .Values.charts -}}
{{- if and (index $c "kof-mothership").enabled (not (index $c "kof-storage").enabled) (not (dig "promxy" "serverGroups" dict (index $c "kof-mothership").values)) -}}
{{- $problems = append $problems "charts.kof-storage.enabled: is false, and charts.kof-mothership.values.promxy.serverGroups names no other store; enable it or name one" -}}
{{- end -}}
{{- include "kof-common.refuse" $problems -}}
{{- end -}}
