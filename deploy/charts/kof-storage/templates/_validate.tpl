{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- define "kof-storage.validate" -}}
{{- $v := .Values -}}
{{- $problems := list -}}
{{- $logs := get $v "victoria-logs-cluster" -}}
{{- if not (or $v.victoriametrics.enabled $logs.enabled $v.jaeger.enabled) -}}
{{- $problems = append $problems "victoriametrics.enabled, victoria-logs-cluster.enabled, jaeger.enabled: all false; enable one of them, or uninstall the release" -}}
{{- end -}}
{{- range $tenant, $t := $v.tenants -}}
{{- range $user, $u := $t.users -}}
{{- if get $v.users $user -}}
{{- $problems = append $problems (printf "tenants.%s.users.%s: also among users; give it another name" $tenant $user) -}}
{{- end -}}
{{- range $other, $o := $v.tenants -}}
{{- if and (gt $other $tenant) (hasKey $o.users $user) -}}
{{- $problems = append $problems (printf "tenants.%s.users.%s: also of tenant %s; give it another name" $tenant $user $other) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with $v.jaeger.storage -}}
{{- if and (eq .type "opensearch") (not (index .options.opensearch "server-urls")) -}}
{{- $problems = append $problems "jaeger.storage.options.opensearch.server-urls: empty with type opensearch; set its addresses, as [\"https://opensearch.example:9200\"]" -}}
{{- end -}}
{{- end -}}
{{- if and (eq $v.form "cluster") $v.victoriametrics.enabled -}}
{{- $factor := int (dig "replicationFactor" 1 $v.victoriametrics.vmcluster.spec) -}}
{{- $pods := int (dig "vmstorage" "replicaCount" 1 $v.victoriametrics.vmcluster.spec) -}}
{{- if gt $factor $pods -}}
{{- $problems = append $problems (printf "victoriametrics.vmcluster.spec.replicationFactor: found %d with %d pods of vmstorage; set vmstorage.replicaCount to at least %d" $factor $pods (sub (mul 2 $factor) 1)) -}}
{{- end -}}
{{- end -}}
{{- if and $v.victoriametrics.enabled (not (dig "retentionPeriod" "" $v.victoriametrics.vmcluster.spec)) -}}
{{- $problems = append $problems "victoriametrics.vmcluster.spec.retentionPeriod: not set; set how long metrics are kept, as 30d" -}}
{{- end -}}
{{- if and $v.victoriametrics.enabled (not (dig "vmstorage" "storage" "volumeClaimTemplate" "spec" "resources" "requests" "storage" "" $v.victoriametrics.vmcluster.spec)) -}}
{{- $problems = append $problems "victoriametrics.vmcluster.spec.vmstorage.storage.volumeClaimTemplate.spec.resources.requests.storage: not set; set the size of the volume, as 50Gi" -}}
{{- end -}}
{{- if and $v.victoriametrics.enabled (not (dig "vmstorage" "resources" "limits" "memory" "" $v.victoriametrics.vmcluster.spec)) -}}
{{- $problems = append $problems "victoriametrics.vmcluster.spec.vmstorage.resources.limits.memory: not set; the store sizes its caches by it, set it to at least 512Mi" -}}
{{- end -}}
{{- if and $logs.enabled (not (get $logs.vlstorage.extraArgs "retentionPeriod")) -}}
{{- $problems = append $problems "victoria-logs-cluster.vlstorage.extraArgs.retentionPeriod: not set; set how long logs are kept, as 30d" -}}
{{- end -}}
{{- if and $v.vmauth.ingress.enabled (not (include "kof-storage.host" .)) -}}
{{- $problems = append $problems "vmauth.ingress.host: not set with vmauth.ingress.enabled; set the name that agents reach this region by" -}}
{{- end -}}
{{- if $v.tls.enabled -}}
{{- if and (eq $v.tls.issuer.type "acme") (not (include "kof-storage.acmeEmail" .)) -}}
{{- $problems = append $problems "tls.issuer.email: not set with type acme; set an address that someone reads" -}}
{{- end -}}
{{- if and (eq $v.tls.issuer.type "acme") (not (include "kof-storage.host" .)) -}}
{{- $problems = append $problems "tls.issuer.type: found \"acme\" without vmauth.ingress.host; Let's Encrypt signs public names only, set the host" -}}
{{- end -}}
{{- if and (eq $v.tls.issuer.type "existing") (not $v.tls.issuer.name) -}}
{{- $problems = append $problems "tls.issuer.name: not set with type existing; set the name of the Issuer or ClusterIssuer" -}}
{{- end -}}
{{- end -}}
{{- with $v.grafana.datasources -}}
{{- $user := default dict (get $v.users .user) -}}
{{- if and .enabled (not (has $user.access (list "read" "all"))) -}}
{{- $problems = append $problems (printf "grafana.datasources.user: found %q; set it to one of users that has access read or all" .user) -}}
{{- end -}}
{{- end -}}
{{- include "kof-common.refuse" $problems -}}
{{- end -}}
