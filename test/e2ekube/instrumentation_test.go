// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"github.com/k0rdent/kof/test/kube"
	"github.com/k0rdent/kof/test/kubeapi/pki"
	"github.com/k0rdent/kof/test/toolcache"
)

const (
	operatorName   = "opentelemetry-operator"
	operatorModule = "github.com/open-telemetry/opentelemetry-operator"
	operatorImage  = "localhost/kof/opentelemetry-operator"
	webhookPort    = 9443
)

// installOperator runs the OpenTelemetry operator as its own manifests do, as far as instrumentation goes: the CRD, the manager, and the
// webhooks that see to Instrumentations and to pods.
func (w *world) installOperator(t *testing.T) {
	binary, err := toolcache.Binary(t.Context(), operatorName, os.Stderr)
	require.NoError(t, err)
	image := kube.Image{Files: map[string]string{"/manager": binary}, Entrypoint: []string{"/manager"}, User: "65532:65532"}
	require.NoError(t, w.cluster.LoadImage(t.Context(), operatorImage+":"+imageTag, image))
	manifests := operatorManifests(t)
	_, err = w.cluster.Exec(t.Context(), nil, "kubectl", "apply", "--server-side", "-f", filepath.Join(manifests, "crd", "bases", "opentelemetry.io_instrumentations.yaml"))
	require.NoError(t, err)

	ctx, client, meta := t.Context(), w.cluster.Client, metav1.ObjectMeta{Name: operatorName, Namespace: operatorName}
	_, err = client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: operatorName}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = client.CoreV1().ServiceAccounts(operatorName).Create(ctx, &corev1.ServiceAccount{ObjectMeta: meta}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: operatorName},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: operatorName, Namespace: operatorName}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	ca, err := pki.NewAuthority()
	require.NoError(t, err)
	cert, key, err := ca.Issue(pki.Certificate{Name: operatorName, Hosts: []string{operatorName + "." + operatorName + ".svc"}})
	require.NoError(t, err)
	_, err = client.CoreV1().Secrets(operatorName).Create(ctx, &corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{"tls.crt": cert, "tls.key": key}}, metav1.CreateOptions{})
	require.NoError(t, err)
	labels := map[string]string{"app": operatorName}
	_, err = client.CoreV1().Services(operatorName).Create(ctx, &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{
		Selector: labels, Ports: []corev1.ServicePort{{Port: 443, TargetPort: intstr.FromInt32(webhookPort)}},
	}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = client.AppsV1().Deployments(operatorName).Create(ctx, &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
			ServiceAccountName: operatorName,
			Containers: []corev1.Container{{
				Name: "manager", Image: operatorImage + ":" + imageTag, ImagePullPolicy: corev1.PullNever,
				Args:           []string{"--enable-go-instrumentation", "--ignore-missing-collector-crds"},
				ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(webhookPort)}}, PeriodSeconds: 1},
				VolumeMounts:   []corev1.VolumeMount{{Name: "cert", MountPath: "/tmp/k8s-webhook-server/serving-certs", ReadOnly: true}},
			}},
			Volumes: []corev1.Volume{{Name: "cert", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: operatorName}}}},
		}},
	}}, metav1.CreateOptions{})
	require.NoError(t, err)
	if _, err = w.cluster.Exec(ctx, nil, "kubectl", "-n", operatorName, "rollout", "status", "deployment", operatorName, "--timeout=90s"); err != nil {
		log, _ := w.cluster.Exec(ctx, nil, "kubectl", "-n", operatorName, "logs", "deployment/"+operatorName, "--tail=30")
		t.Log(log)
	}
	require.NoError(t, err)
	_, err = client.AdmissionregistrationV1().MutatingWebhookConfigurations().Create(ctx, operatorWebhooks(t, manifests, ca.PEM), metav1.CreateOptions{})
	require.NoError(t, err)
}

// operatorManifests is the folder with the operator's own manifests, of the version of tools/opentelemetry-operator.
func operatorManifests(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", operatorModule)
	cmd.Dir, cmd.Env = "../../tools/opentelemetry-operator", append(os.Environ(), "GOFLAGS=")
	out, err := cmd.Output()
	require.NoError(t, err)
	return filepath.Join(strings.TrimSpace(string(out)), "config")
}

// operatorWebhooks are the operator's for pods and Instrumentations, at its Service here.
func operatorWebhooks(t *testing.T, manifests string, ca []byte) *admissionv1.MutatingWebhookConfiguration {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(manifests, "webhook", "manifests.yaml"))
	require.NoError(t, err)
	first := bytes.Split(bytes.TrimPrefix(text, []byte("---\n")), []byte("\n---\n"))[0]
	var c admissionv1.MutatingWebhookConfiguration
	require.NoError(t, yaml.UnmarshalStrict(first, &c))
	require.Equal(t, "MutatingWebhookConfiguration", c.Kind)
	c.Name = operatorName
	c.Webhooks = slices.DeleteFunc(c.Webhooks, func(h admissionv1.MutatingWebhook) bool {
		return h.Name != "mpod.kb.io" && h.Name != "minstrumentation.kb.io"
	})
	require.Len(t, c.Webhooks, 2)
	for i := range c.Webhooks {
		c.Webhooks[i].ClientConfig.CABundle = ca
		c.Webhooks[i].ClientConfig.Service.Namespace, c.Webhooks[i].ClientConfig.Service.Name = operatorName, operatorName
	}
	return &c
}

// testInstrumentation asks the API server what becomes of pods that are annotated for each language: the operator's webhook adds the language's
// instrumentation, which sends to the agent of the pod's node.
func testInstrumentation(t *testing.T, w *world) {
	for language, env := range map[string]string{
		"java": "JAVA_TOOL_OPTIONS", "nodejs": "NODE_OPTIONS", "python": "PYTHONPATH", "dotnet": "CORECLR_ENABLE_PROFILING", "go": "OTEL_GO_AUTO_TARGET_EXE",
	} {
		t.Run(language, func(t *testing.T) {
			prefix := "instrumentation.opentelemetry.io/"
			pod := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Name: language, Annotations: map[string]string{
					prefix + "inject-" + language: namespace + "/" + release, prefix + "otel-go-auto-target-exe": "/app",
				}},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: container, Image: "an-application"}}},
			}
			got, err := w.cluster.Client.CoreV1().Pods(homeNamespace).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			require.NoError(t, err)
			i := slices.IndexFunc(got.Spec.Containers, func(c corev1.Container) bool {
				return slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == env })
			})
			require.GreaterOrEqual(t, i, 0, "a container with %s: %+v", env, got.Spec)
			instrumented := got.Spec.Containers[i]
			if language == "go" {
				require.NotEqual(t, container, instrumented.Name, "a sidecar")
			} else {
				require.Len(t, got.Spec.InitContainers, 1)
				require.Contains(t, got.Spec.InitContainers[0].Image, "autoinstrumentation-"+language)
			}
			at := func(name string) int {
				return slices.IndexFunc(instrumented.Env, func(e corev1.EnvVar) bool { return e.Name == name })
			}
			endpoint, node, protocol := at("OTEL_EXPORTER_OTLP_ENDPOINT"), at("OTEL_NODE_IP"), at("OTEL_EXPORTER_OTLP_PROTOCOL")
			require.GreaterOrEqual(t, min(endpoint, node, protocol), 0, "%+v", instrumented.Env)
			require.Equal(t, "http://$(OTEL_NODE_IP):4318", instrumented.Env[endpoint].Value)
			require.Equal(t, "status.hostIP", instrumented.Env[node].ValueFrom.FieldRef.FieldPath)
			require.Less(t, node, endpoint, "what it refers to comes first")
			require.Equal(t, "http/protobuf", instrumented.Env[protocol].Value)
		})
	}
}
