{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- /*
What a user may do, as a list of {name, paths, url, drop, query, headers}: paths are whole-path expressions, drop is how many parts of the path the
store doesn't see. .root, .access, .tenant: "" for none.

A tenant's label is forced by the argument extra_label, for which the store takes the door's value and drops the sender's; extra_filters[] wouldn't
do, as several of them widen a query. Tenants have no paths that take no filter.
*/ -}}
{{- define "kof-storage.routes" -}}
{{- $b := include "kof-storage.backends" .root | fromYaml -}}
{{- $v := .root.Values -}}
{{- $routes := list -}}
{{- $metrics := dict -}}
{{- $logsWrite := dict -}}
{{- $logsRead := dict -}}
{{- with .tenant -}}
{{- $metrics = dict "extra_label" (printf "tenant=%s" .) -}}
{{- $logsWrite = dict "extra_fields" (printf "kof.tenant=%s" .) -}}
{{- $logsRead = dict "extra_filters" (printf "\"kof.tenant\":=%q" .) -}}
{{- end -}}
{{- /* A sender can't choose another account of VictoriaLogs. */ -}}
{{- $account := list "AccountID: 0" "ProjectID: 0" -}}
{{- if has .access (list "write" "all") -}}
{{- if $v.victoriametrics.enabled -}}
{{- $routes = append $routes (dict "name" "metrics-insert" "paths" (list "/vm/insert/0/prometheus/api/v1/write") "backend" $b.metricsWrite "query" $metrics) -}}
{{- end -}}
{{- if (get $v "victoria-logs-cluster").enabled -}}
{{- $routes = append $routes (dict "name" "logs-insert" "paths" (list "/vli/insert/opentelemetry/v1/logs") "backend" $b.logsWrite "query" $logsWrite "headers" $account) -}}
{{- end -}}
{{- if and $v.jaeger.enabled (not .tenant) -}}
{{- $routes = append $routes (dict "name" "traces-insert" "paths" (list "/jaeger/insert/v1/traces") "backend" $b.tracesWrite) -}}
{{- end -}}
{{- end -}}
{{- if has .access (list "read" "all") -}}
{{- if $v.victoriametrics.enabled -}}
{{- $api := "/vm/select/0/prometheus/api/v1/" -}}
{{- $paths := list (printf "%s(query|query_range|series|labels|label/[^/]+/values|export)" $api) -}}
{{- if not .tenant -}}
{{- $paths = append $paths (printf "%s(metadata|status/[a-z_]+|query_exemplars|format_query|export/csv|export/native)" $api) -}}
{{- $paths = append $paths "/vm/select/0/prometheus/vmui(/.*)?" -}}
{{- end -}}
{{- $routes = append $routes (dict "name" "metrics-select" "paths" $paths "backend" $b.metricsRead "query" $metrics) -}}
{{- end -}}
{{- if (get $v "victoria-logs-cluster").enabled -}}
{{- $paths := list "/vls/select/logsql/(query|hits|facets|tail|stats_query|stats_query_range|field_names|field_values|stream_field_names|stream_field_values|streams|stream_ids)" -}}
{{- if not .tenant -}}
{{- $paths = append $paths "/vls/select/vmui(/.*)?" -}}
{{- end -}}
{{- $routes = append $routes (dict "name" "logs-select" "paths" $paths "backend" $b.logsRead "query" $logsRead "headers" $account) -}}
{{- end -}}
{{- if and $v.jaeger.enabled (not .tenant) -}}
{{- $routes = append $routes (dict "name" "traces-select" "paths" (list "/jaeger(/(api|static)/.*|/search|/trace/.*)?") "backend" $b.tracesRead) -}}
{{- end -}}
{{- end -}}
{{- toYaml $routes -}}
{{- end -}}

{{- /* All users, also those of tenants, by name: {access, secret, tenant}. */ -}}
{{- define "kof-storage.users" -}}
{{- $name := include "kof-common.fullname" . -}}
{{- $all := dict -}}
{{- range $user, $u := .Values.users -}}
{{- if $u -}}{{- $_ := set $all $user (dict "access" $u.access "tenant" "" "own" (not $u.secret) "secret" (default (printf "%s-%s" $name $user) $u.secret)) -}}{{- end -}}
{{- end -}}
{{- range $tenant, $t := .Values.tenants -}}
{{- range $user, $u := $t.users -}}
{{- $_ := set $all $user (dict "access" $u.access "tenant" $tenant "own" (not $u.secret) "secret" (default (printf "%s-%s" $name $user) $u.secret)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}

{{- /* auth.config of vmauth. Passwords are in its environment: KOF_PASSWORD_n, in the order of names. */ -}}
{{- define "kof-storage.authConfig" -}}
{{- $users := list -}}
{{- $all := include "kof-storage.users" . | fromYaml -}}
{{- range $i, $user := keys $all | sortAlpha -}}
{{- $u := get $all $user -}}
{{- $map := list -}}
{{- range include "kof-storage.routes" (dict "root" $ "access" $u.access "tenant" $u.tenant) | fromYamlArray -}}
{{- $args := list -}}
{{- range $k, $arg := .query -}}{{- $args = append $args (printf "%s=%s" $k (urlquery $arg)) -}}{{- end -}}
{{- $target := dict "src_paths" .paths "url_prefix" (printf "%s/%s" .backend.url (ternary (printf "?%s" (join "&" $args)) "" (not (empty $args)))) "drop_src_path_prefix_parts" (int .backend.drop) -}}
{{- with .headers -}}{{- $_ := set $target "headers" . -}}{{- end -}}
{{- $map = append $map $target -}}
{{- end -}}
{{- $users = append $users (dict "name" $user "username" $user "password" (printf "%%{KOF_PASSWORD_%d}" $i) "url_map" $map) -}}
{{- end -}}
{{- toYaml (dict "users" $users) -}}
{{- end -}}
