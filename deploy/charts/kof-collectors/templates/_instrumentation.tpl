{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- define "kof.instrumentationName" -}}
{{- default (include "kof.fullname" .) .Values.kof.instrumentation.name -}}
{{- end -}}

{{- /* off, rendered, or missing: asked for on a cluster that doesn't know the kind. Without a cluster (helm template) it is rendered. */ -}}
{{- define "kof.instrumentationState" -}}
{{- if not .Values.kof.instrumentation.enabled -}}
off
{{- else if .Capabilities.APIVersions.Has "opentelemetry.io/v1alpha1/Instrumentation" -}}
rendered
{{- else if lookup "v1" "Namespace" "" "kube-system" -}}
missing
{{- else -}}
rendered
{{- end -}}
{{- end -}}
