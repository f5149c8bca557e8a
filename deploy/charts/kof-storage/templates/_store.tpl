{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}

{{- /* What the agent reads a pod's metrics by. The port. */ -}}
{{- define "kof-storage.scraped" -}}
annotations: {prometheus.io/scrape: "true", prometheus.io/port: {{ quote . }}}
{{- end -}}

{{- /* A store of one pod with a volume. .root, .component, .image, .port, .args, .resources, .claim: YAML of a claim's spec, or "" for none; .size */ -}}
{{- define "kof-storage.store" -}}
{{- $name := printf "%s-%s" (include "kof-common.fullname" .root) .component -}}
{{- $names := dict "root" .root "component" .component -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{ include "kof-common.labels" $names | nindent 4 }}
spec:
  serviceName: {{ $name }}
  replicas: 1
  selector:
    matchLabels: {{ include "kof-common.selectorLabels" $names | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "kof-common.selectorLabels" $names | nindent 8 }}
        app.kubernetes.io/part-of: kof
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: {{ .port | quote }}
    spec:
      serviceAccountName: {{ $name }}
      automountServiceAccountToken: false
      {{- include "kof-common.pullSecrets" .root | nindent 6 }}
      {{- include "kof-common.placement" .root.Values | nindent 6 }}
      # A store writes down what it has in memory first.
      terminationGracePeriodSeconds: 120
      securityContext: {{ include "kof-common.podSecurity" . | nindent 8 }}
      containers:
        - name: {{ .component }}
          image: {{ include "kof-common.image" .image | quote }}
          imagePullPolicy: {{ .image.pullPolicy }}
          args:
            - -httpListenAddr=:{{ .port }}
            - -storageDataPath=/data
            {{- range $flag, $value := .args }}
            - {{ printf "-%s=%s" $flag (include "kof-common.text" $value) | quote }}
            {{- end }}
          securityContext: {{ include "kof-common.containerSecurity" . | nindent 12 }}
          ports:
            - {name: http, containerPort: {{ .port }}, protocol: TCP}
          # Opening a large store takes minutes.
          startupProbe:
            httpGet: {path: /health, port: http}
            periodSeconds: 5
            failureThreshold: 120
          livenessProbe:
            httpGet: {path: /health, port: http}
            periodSeconds: 15
            timeoutSeconds: 5
            failureThreshold: 8
          readinessProbe:
            httpGet: {path: /health, port: http}
            timeoutSeconds: 5
          resources: {{ toYaml .resources | nindent 12 }}
          volumeMounts:
            - {name: data, mountPath: /data}
      {{- if not .claim }}
      volumes:
        - name: data
          emptyDir: {sizeLimit: {{ .size }}}
      {{- end }}
  {{- with .claim }}
  volumeClaimTemplates:
    - metadata: {name: data, labels: {app.kubernetes.io/part-of: kof}}
      spec: {{ . | nindent 8 }}
  {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{ include "kof-common.labels" $names | nindent 4 }}
spec:
  selector: {{ include "kof-common.selectorLabels" $names | nindent 4 }}
  ports:
    - {name: http, port: {{ .port }}, targetPort: http, protocol: TCP}
---
{{ include "kof-common.serviceAccount" $names }}
{{- if .root.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{ include "kof-common.labels" $names | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{ include "kof-common.selectorLabels" $names | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    - from: [podSelector: {}]
      ports:
        - {port: http, protocol: TCP}
{{- end }}
{{- end -}}
