{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- /* What a schema can't say. Each problem names the value, what was found, and what to do. */ -}}
{{- define "kof.validate" -}}
{{- $v := .Values -}}
{{- $problems := list -}}
{{- $names := keys $v.regions | sortAlpha -}}
{{- $external := $v.regionDirectory.configMap -}}
{{- if and $external (or $v.regions $v.tenants) -}}
{{- $problems = append $problems (printf "regionDirectory.configMap: found %q beside regions or tenants; set one of them: the ConfigMap already says which regions there are" $external) -}}
{{- end -}}
{{- if and (not $v.region) (gt (len $names) 1) -}}
{{- $problems = append $problems (printf "region: not set, and there are several regions; set it to the one that this cluster belongs to: %s" (join ", " $names)) -}}
{{- end -}}
{{- if and (not $v.region) $external -}}
{{- $problems = append $problems (printf "region: not set; set it to one of the regions in the ConfigMap %s" $external) -}}
{{- end -}}
{{- if and $v.region (not $external) (not (has $v.region (default (list "default") $names))) -}}
{{- $problems = append $problems (printf "region: found %q; set it to one of regions: %s" $v.region (join ", " (default (list "default") $names))) -}}
{{- end -}}
{{- if and (not $v.cluster.name) (or $v.regions $external) -}}
{{- $problems = append $problems "cluster.name: not set; set it to a name that no other cluster has: without it nobody could tell whose data it is" -}}
{{- end -}}
{{- range $tenant, $t := $v.tenants -}}
{{- if not (has $t.region (default (list "default") $names)) -}}
{{- $problems = append $problems (printf "tenants.%s.region: found %q; set it to one of regions: %s" $tenant $t.region (join ", " (default (list "default") $names))) -}}
{{- end -}}
{{- end -}}
{{- range $name, $r := $v.regions -}}
{{- range $r.failover -}}
{{- if not (hasKey $v.regions .) -}}
{{- $problems = append $problems (printf "regions.%s.failover: found %q; only other regions of the same zone are allowed" $name .) -}}
{{- else if ne (get $v.regions . ).zone $r.zone -}}
{{- $problems = append $problems (printf "regions.%s.failover: found %q, which is in zone %q; only other regions of zone %q are allowed" $name . (get $v.regions .).zone $r.zone) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $v.namespaces.include $v.namespaces.exclude -}}
{{- $problems = append $problems "namespaces.exclude: set beside namespaces.include; set one of them" -}}
{{- end -}}
{{- if and $v.otlp.tls.requireClientCertificate (not $v.otlp.tls.secretName) -}}
{{- $problems = append $problems "otlp.tls.requireClientCertificate: is true without otlp.tls.secretName; set the Secret that has the server's certificate and ca.crt" -}}
{{- end -}}
{{- if and $v.kof.instrumentation.enabled (not (and $v.agent.enabled $v.otlp.enabled)) -}}
{{- $problems = append $problems "kof.instrumentation.enabled: is true, but the agent doesn't take OTLP; set agent.enabled and otlp.enabled" -}}
{{- end -}}
{{- if and $v.kof.instrumentation.enabled $v.otlp.tls.secretName -}}
{{- $problems = append $problems "kof.instrumentation.enabled: is true with otlp.tls.secretName; instrumented pods would have to trust the agent's certificate, which this chart doesn't set up" -}}
{{- end -}}
{{- if and $v.agent.spanMetrics.enabled (not $v.otlp.enabled) -}}
{{- $problems = append $problems "agent.spanMetrics.enabled: is true, but the agent takes no traces; set otlp.enabled" -}}
{{- end -}}
{{- if and $v.clusterCollector.persistence.storageClassName (not $v.clusterCollector.persistence.enabled) -}}
{{- $problems = append $problems "clusterCollector.persistence.storageClassName: set without clusterCollector.persistence.enabled; set that to true, or remove the class" -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "\n\nThe values can't be used:\n  - %s\n" (join "\n  - " $problems)) -}}
{{- end -}}
{{- end -}}
