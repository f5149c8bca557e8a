{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- /* The name of the object of a file or folder: at most 63 characters. What is longer ends in a hash of its path. .root, .path */ -}}
{{- define "kof-dashboards.name" -}}
{{- $name := printf "%s-%s" (include "kof-common.fullname" .root) (regexReplaceAll "[^a-z0-9]+" (lower .path) "-" | trimAll "-") -}}
{{- if gt (len $name) 63 -}}
{{- $name = printf "%s-%s" (substr 0 54 $name | trimSuffix "-") (sha256sum .path | substr 0 8) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- /* A path without the endings that say how a file is read. */ -}}
{{- define "kof-dashboards.base" -}}
{{- regexReplaceAll "\\.(json|yaml|yml)(\\.tpl)?$" . "" -}}
{{- end -}}

{{- /* The folder of a path; "" for none. */ -}}
{{- define "kof-dashboards.folder" -}}
{{- if contains "/" . -}}{{- dir . -}}{{- end -}}
{{- end -}}

{{- /* Whether a folder and all that it is in are left out. .root, .folder */ -}}
{{- define "kof-dashboards.off" -}}
{{- $at := "" -}}
{{- range splitList "/" .folder -}}
{{- $at = ternary . (printf "%s/%s" $at .) (eq $at "") -}}
{{- if not (dig $at "enabled" true $.root.Values.folders) -}}off{{- end -}}
{{- end -}}
{{- end -}}

{{- /* How a folder is called: its title, or its own name with a capital letter, and spaces for dashes. .root, .folder */ -}}
{{- define "kof-dashboards.title" -}}
{{- $words := base .folder | replace "-" " " | replace "_" " " -}}
{{- dig .folder "title" (printf "%s%s" (substr 0 1 $words | upper) (substr 1 -1 $words)) .root.Values.folders -}}
{{- end -}}
