{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- /* Merges .from into .into, in place: maps key by key; null removes; everything else replaces. */ -}}
{{- define "kof.merge" -}}
{{- $into := .into -}}
{{- range $key, $value := .from -}}
{{- if kindIs "invalid" $value -}}
{{- $_ := unset $into $key -}}
{{- else if and (kindIs "map" $value) (kindIs "map" (get $into $key)) -}}
{{- include "kof.merge" (dict "into" (get $into $key) "from" $value) -}}
{{- else if kindIs "map" $value -}}
{{- /* Copied, so that nulls below are removed here as well, and the values stay as they are. */ -}}
{{- $fresh := dict -}}
{{- include "kof.merge" (dict "into" $fresh "from" $value) -}}
{{- $_ := set $into $key $fresh -}}
{{- else -}}
{{- $_ := set $into $key $value -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Takes receivers (or connectors) .ids out of .config, in place, with the pipelines that are empty then. */ -}}
{{- define "kof.drop" -}}
{{- $config := .config -}}
{{- range $id := .ids -}}
{{- range $name, $pipeline := deepCopy $config.service.pipelines -}}
{{- if has $id $pipeline.receivers -}}
{{- $rest := without $pipeline.receivers $id -}}
{{- if $rest -}}
{{- $_ := set (get $config.service.pipelines $name) "receivers" $rest -}}
{{- else -}}
{{- $_ := unset $config.service.pipelines $name -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $_ := unset $config.receivers $id -}}
{{- if hasKey $config "connectors" -}}
{{- $_ := unset $config.connectors $id -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Takes extension .id out of .config, in place. */ -}}
{{- define "kof.dropExtension" -}}
{{- $_ := unset .config.extensions .id -}}
{{- $_ := set .config.service "extensions" (without .config.service.extensions .id) -}}
{{- end -}}

{{- /* The labels and annotations of .Values.enrichment, on all signals; only those of namespaces where .sources says so. */ -}}
{{- define "kof.enrich" -}}
{{- $e := .root.Values.enrichment -}}
{{- $extract := .config.processors.k8s_attributes.extract -}}
{{- $labels := list -}}
{{- range $source := list (list "pod" "label" "labels" $e.podLabels) (list "pod" "annotation" "annotations" $e.podAnnotations) (list "namespace" "label" "labels" $e.namespaceLabels) (list "node" "label" "labels" $e.nodeLabels) -}}
{{- if has (first $source) $.sources -}}
{{- range $key, $label := index $source 3 -}}
{{- $attribute := printf "k8s.%s.%s.%s" (index $source 0) (index $source 1) $key -}}
{{- $list := append (default list (get $extract (index $source 2))) (dict "from" (index $source 0) "key" $key "tag_name" $attribute) -}}
{{- $_ := set $extract (index $source 2) $list -}}
{{- if $label -}}
{{- $labels = append $labels (list $attribute $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $labels -}}
{{- $names := dict -}}
{{- range $labels -}}
{{- $_ := set $names (first .) (last .) -}}
{{- end -}}
{{- $_ := set .config.exporters.region "metrics" (dict "resource_labels" $names) -}}
{{- end -}}
{{- end -}}

{{- /* Names of namespaces as a regular expression. */ -}}
{{- define "kof.namespacesRegexp" -}}
{{- $names := list -}}
{{- range $name, $on := . -}}
{{- if $on -}}{{- $names = append $names (replace "." "\\." $name) -}}{{- end -}}
{{- end -}}
{{- join "|" $names -}}
{{- end -}}

{{- define "kof.agentConfig" -}}
{{- $v := .Values -}}
{{- $config := .Files.Get "files/agent.yaml" | fromYaml -}}
{{- $drop := list -}}
{{- if not $v.nodeMetrics.enabled -}}{{- $drop = append $drop "node_exporter" -}}{{- end -}}
{{- if not $v.podMetrics.enabled -}}{{- $drop = append $drop "prometheus" -}}{{- end -}}
{{- if not $v.logs.enabled -}}{{- $drop = append $drop "pod_logs" -}}{{- end -}}
{{- if not $v.costs.enabled -}}{{- $drop = append $drop "opencost" -}}{{- end -}}
{{- if not $v.otlp.enabled -}}{{- $drop = concat $drop (list "otlp" "forward/otlp") -}}{{- end -}}
{{- $kubelet := index $config.receivers "prometheus/kubelet" "config" "scrape_configs" | first -}}
{{- $pages := list -}}
{{- range $kubelet.static_configs -}}
{{- $path := get .labels "__metrics_path__" -}}
{{- if get $v.kubelet.endpoints (ternary "metrics" (base $path) (eq $path "/metrics")) -}}{{- $pages = append $pages . -}}{{- end -}}
{{- end -}}
{{- $_ := set $kubelet "static_configs" $pages -}}
{{- /* The last rule drops what cadvisor's page has too. */ -}}
{{- if not $v.kubelet.endpoints.cadvisor -}}{{- $_ := set $kubelet "metric_relabel_configs" (initial $kubelet.metric_relabel_configs) -}}{{- end -}}
{{- if not (and $v.kubelet.enabled $pages) -}}{{- $drop = concat $drop (list "prometheus/kubelet" "forward/kubelet") -}}{{- end -}}

{{- if $v.logs.audit.enabled -}}
{{- $audit := dict "include" (list (printf "%s/*.log" $v.logs.audit.path)) "include_file_name" false "start_at" "beginning" "storage" "file_storage/checkpoints" -}}
{{- /* A file waits until its records are taken; it is never skipped. */ -}}
{{- $_ := set $audit "retry_on_failure" (dict "enabled" true "max_elapsed_time" "0s") -}}
{{- $_ := set $audit "resource" (dict "service.name" "kube-apiserver-audit") -}}
{{- $_ := set $config.receivers "file_log/audit" $audit -}}
{{- $_ := set $config.service.pipelines.logs "receivers" (append $config.service.pipelines.logs.receivers "file_log/audit") -}}
{{- end -}}

{{- $pods := index $config.receivers.prometheus.config.scrape_configs 0 -}}
{{- $include := include "kof.namespacesRegexp" $v.namespaces.include -}}
{{- $exclude := include "kof.namespacesRegexp" $v.namespaces.exclude -}}
{{- if $include -}}
{{- $_ := set $pods "relabel_configs" (prepend $pods.relabel_configs (dict "source_labels" (list "__meta_kubernetes_namespace") "action" "keep" "regex" $include)) -}}
{{- $only := list -}}
{{- range $name, $on := $v.namespaces.include -}}
{{- if $on -}}{{- $only = append $only (dict "namespace" $name) -}}{{- end -}}
{{- end -}}
{{- $_ := set $config.receivers.pod_logs "include" $only -}}
{{- else if $exclude -}}
{{- $_ := set $pods "relabel_configs" (prepend $pods.relabel_configs (dict "source_labels" (list "__meta_kubernetes_namespace") "action" "drop" "regex" $exclude)) -}}
{{- range $name, $on := $v.namespaces.exclude -}}
{{- if $on -}}
{{- $_ := set $config.receivers.pod_logs "exclude" (append $config.receivers.pod_logs.exclude (dict "namespace" $name)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- if $v.otlp.tls.secretName -}}
{{- range $protocol := $config.receivers.otlp.protocols -}}
{{- $tls := dict "cert_file" "/etc/kof/otlp-tls/tls.crt" "key_file" "/etc/kof/otlp-tls/tls.key" "reload_interval" "1h" -}}
{{- if $v.otlp.tls.requireClientCertificate -}}{{- $_ := set $tls "client_ca_file" "/etc/kof/otlp-tls/ca.crt" -}}{{- end -}}
{{- $_ := set $protocol "tls" $tls -}}
{{- end -}}
{{- end -}}

{{- if $v.otlp.trustAttributes -}}
{{- range $signal := list "metrics" "logs" "traces" -}}
{{- $_ := set (get $config.service.pipelines (printf "%s/otlp" $signal)) "processors" (list "memory_limiter") -}}
{{- end -}}
{{- $_ := unset $config.processors "resource/untrusted" -}}
{{- $_ := unset $config.processors "transform/untrusted" -}}
{{- end -}}

{{- with $v.agent.spanMetrics -}}
{{- if .enabled -}}
{{- $dimensions := list -}}
{{- range $name, $default := .dimensions -}}
{{- $dimensions = append $dimensions (ternary (dict "name" $name "default" $default) (dict "name" $name) (ne $default "")) -}}
{{- end -}}
{{- $spans := dict "metrics_flush_interval" "${env:KOF_SCRAPE_INTERVAL:-30s}" "aggregation_cardinality_limit" (int64 .maxSeriesPerService) "max_series" (int64 .maxSeries) "metrics_expiration" .expiration -}}
{{- if $dimensions -}}{{- $_ := set $spans "dimensions" $dimensions -}}{{- end -}}
{{- $_ := set $config.connectors "span_metrics" $spans -}}
{{- $_ := set $config.service.pipelines.traces "exporters" (append $config.service.pipelines.traces.exporters "span_metrics") -}}
{{- /* Who the spans are of is on them already. */ -}}
{{- $_ := set $config.service.pipelines "metrics/spans" (dict "receivers" (list "span_metrics") "processors" (list "memory_limiter") "exporters" (list "region")) -}}
{{- end -}}
{{- end -}}

{{- include "kof.drop" (dict "config" $config "ids" $drop) -}}
{{- include "kof.enrich" (dict "root" . "config" $config "sources" (list "pod" "namespace" "node")) -}}
{{- include "kof.merge" (dict "into" $config "from" $v.agent.config) -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* What becomes of OTLP of unknown senders: refused where it could be a tenant's, or belong to another zone than the home region's. */ -}}
{{- define "kof.unattributed" -}}
{{- $v := .Values -}}
{{- $zones := dict -}}
{{- range $v.regions -}}{{- $_ := set $zones .zone true -}}{{- end -}}
{{- if $v.otlp.unattributed -}}
{{- $v.otlp.unattributed -}}
{{- else if and (not $v.otlp.trustAttributes) (or $v.tenants $v.regionDirectory.configMap (gt (len $zones) 1)) -}}
refuse
{{- else -}}
accept
{{- end -}}
{{- end -}}

{{- /* .component: cluster (elected), or state (what is scraped). */ -}}
{{- define "kof.clusterConfig" -}}
{{- $v := .root.Values -}}
{{- $config := .root.Files.Get "files/cluster.yaml" | fromYaml -}}
{{- include "kof.enrich" (dict "root" .root "config" $config "sources" (list "namespace")) -}}
{{- /* With what each lane may have beyond, and what belongs to no known region, below the limit at which the pod would be evicted. */ -}}
{{- $queue := dict "max_bytes" (include "kof.bytes" (dict "quantity" $v.clusterCollector.queueSize "share" 0.4) | int64) "max_total_bytes" (include "kof.bytes" (dict "quantity" $v.clusterCollector.queueSize "share" 0.6) | int64) "max_unknown_bytes" (include "kof.bytes" (dict "quantity" $v.clusterCollector.queueSize "share" 0.06) | int64) -}}
{{- /* What isn't delivered when a pod without a volume ends is lost, so that it has all the time there is, but for the end itself. */ -}}
{{- if not $v.clusterCollector.persistence.enabled -}}
{{- $_ := set $queue "drain_at_shutdown" (printf "%ds" (max 0 (sub $v.clusterCollector.terminationGracePeriodSeconds 10))) -}}
{{- end -}}
{{- $_ := set $config.exporters.region "queue" $queue -}}
{{- /* First, as both components have the same values, and each drops what the other one does. */ -}}
{{- include "kof.merge" (dict "into" $config "from" $v.clusterCollector.config) -}}
{{- $drop := list -}}
{{- if or (eq .component "state") (not $v.events.enabled) -}}
{{- $drop = append $drop "k8s_events" -}}
{{- include "kof.dropExtension" (dict "config" $config "id" "k8s_leader_elector/events") -}}
{{- end -}}
{{- if or (eq .component "state") (not $v.costs.enabled) -}}
{{- $drop = append $drop "opencost" -}}
{{- include "kof.dropExtension" (dict "config" $config "id" "k8s_leader_elector/opencost") -}}
{{- end -}}
{{- if or (eq .component "cluster") (not $v.kubeStateMetrics.enabled) -}}{{- $drop = append $drop "prometheus/kube-state-metrics" -}}{{- end -}}
{{- if or (eq .component "cluster") (not $v.apiServer.enabled) -}}{{- $drop = append $drop "prometheus/apiserver" -}}{{- end -}}
{{- include "kof.drop" (dict "config" $config "ids" $drop) -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* Which of the cluster's collectors have something to do, as a YAML list. */ -}}
{{- define "kof.clusterComponents" -}}
{{- $v := .Values -}}
{{- $components := list -}}
{{- if $v.clusterCollector.enabled -}}
{{- if or $v.events.enabled $v.costs.enabled -}}{{- $components = append $components "cluster" -}}{{- end -}}
{{- if or $v.kubeStateMetrics.enabled $v.apiServer.enabled -}}{{- $components = append $components "state" -}}{{- end -}}
{{- end -}}
{{- toYaml $components -}}
{{- end -}}
