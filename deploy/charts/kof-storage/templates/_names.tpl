{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- /* Addresses of the stores, and how many parts of VMAuth's path come before theirs. */ -}}
{{- define "kof-storage.backends" -}}
{{- $name := include "kof-common.fullname" . -}}
{{- $host := printf "%s.svc" .Release.Namespace -}}
{{- if eq .Values.form "cluster" }}
metricsWrite: {url: "http://vminsert-{{ $name }}.{{ $host }}:8480", drop: 1}
metricsRead: {url: "http://vmselect-{{ $name }}.{{ $host }}:8481", drop: 1}
metricsQuery: http://vmselect-{{ $name }}.{{ $host }}:8481/select/0/prometheus
metricsRecord: http://vminsert-{{ $name }}.{{ $host }}:8480/insert/0/prometheus
logsWrite: {url: "http://vlinsert-{{ $name }}.{{ $host }}:9481", drop: 1}
logsRead: {url: "http://vlselect-{{ $name }}.{{ $host }}:9471", drop: 1}
{{- else }}
{{- $metrics := ternary (printf "http://vmsingle-%s.%s:8428" $name $host) (printf "http://%s-victoria-metrics.%s:8428" $name $host) (eq .Values.form "single") }}
{{- $logs := ternary (printf "http://vlsingle-%s.%s:9428" $name $host) (printf "http://%s-victoria-logs.%s:9428" $name $host) (eq .Values.form "single") }}
metricsWrite: {url: {{ $metrics | quote }}, drop: 4}
metricsRead: {url: {{ $metrics | quote }}, drop: 4}
metricsQuery: {{ $metrics }}
metricsRecord: {{ $metrics }}
logsWrite: {url: {{ $logs | quote }}, drop: 1}
logsRead: {url: {{ $logs | quote }}, drop: 1}
{{- end }}
tracesWrite: {url: "http://{{ $name }}-jaeger.{{ $host }}:4318", drop: 2}
tracesRead: {url: "http://{{ $name }}-jaeger.{{ $host }}:16686", drop: 0}
{{- end -}}

{{- /* Name of the VMAuth's Service; with the operator an additional one, as its own is vmauth-NAME. */ -}}
{{- define "kof-storage.vmauth" -}}
{{ include "kof-common.fullname" . }}-vmauth
{{- end -}}

{{- /* Name that agents reach VMAuth by from outside, or "". kof-operator gives global.domain. */ -}}
{{- define "kof-storage.host" -}}
{{- $host := .Values.vmauth.ingress.host -}}
{{- $domain := dig "domain" "" (default dict .Values.global) -}}
{{- if and (not $host) $domain }}{{ $host = printf "vmauth.%s" $domain }}{{ end -}}
{{- if or .Values.vmauth.ingress.enabled $domain }}{{ $host }}{{ end -}}
{{- end -}}

{{- define "kof-storage.issuerType" -}}
{{ ternary "acme" .Values.tls.issuer.type (and (ne .Values.certManager.email "") (not .Values.tls.enabled)) }}
{{- end -}}

{{- define "kof-storage.acmeEmail" -}}
{{ default .Values.certManager.email .Values.tls.issuer.email }}
{{- end -}}

{{- /* "true" if there is a certificate. */ -}}
{{- define "kof-storage.certificate" -}}
{{- if or .Values.tls.enabled (and .Values.certManager.email (include "kof-storage.host" .)) }}true{{ end -}}
{{- end -}}

{{- /* "true" if VMAuth itself speaks TLS. A public authority doesn't sign the Service's names: then the Ingress does. */ -}}
{{- define "kof-storage.tls" -}}
{{- if and (include "kof-storage.certificate" .) (ne (include "kof-storage.issuerType" .) "acme") }}true{{ end -}}
{{- end -}}

{{- define "kof-storage.scheme" -}}
{{ ternary "https" "http" (include "kof-storage.tls" . | not | not) }}
{{- end -}}

{{- define "kof-storage.storageClass" -}}
{{- default .Values.storageClass (dig "storageClass" "" (default dict .Values.global)) -}}
{{- end -}}

{{- define "kof-storage.tlsSecret" -}}
{{- default (printf "%s-tls" (include "kof-common.fullname" .)) .Values.tls.secretName -}}
{{- end -}}

{{- /* Size of the volume of metrics: of the one place where it is set. */ -}}
{{- define "kof-storage.metricsVolume" -}}
{{- $claim := dig "vmstorage" "storage" "volumeClaimTemplate" "spec" dict .Values.victoriametrics.vmcluster.spec | deepCopy -}}
{{- $class := include "kof-storage.storageClass" . -}}
{{- if and $class (not $claim.storageClassName) -}}
{{- $_ := set $claim "storageClassName" $class -}}
{{- end -}}
{{- toYaml $claim -}}
{{- end -}}

{{- /* .size and .storageClassName as the spec of a claim. */ -}}
{{- define "kof-storage.claim" -}}
accessModes: [ReadWriteOnce]
resources: {requests: {storage: {{ .volume.size }}}}
{{- with default (include "kof-storage.storageClass" .root) .volume.storageClassName }}
storageClassName: {{ . }}
{{- end }}
{{- end -}}
