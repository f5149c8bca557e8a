// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/output"
)

var (
	groupsDesc        = prometheus.NewDesc("kof_operator_server_groups", "1 for each PromxyServerGroup, by its cluster name, which is the label promxyCluster of what it answers.", []string{"group"}, nil)
	loginAgeDesc      = prometheus.NewDesc("kof_operator_login_oldest_age_seconds", "Time since the last step of the credential that waits longest for its next one.", nil, nil)
	loginIntervalDesc = prometheus.NewDesc("kof_operator_login_rotation_interval_seconds", "Age at which credentials are rotated; 0: on request only.", nil, nil)
	rulesDesc         = prometheus.NewDesc("kof_operator_rules_problems", "ConfigMaps with rules or budgets of which something can't be used.", nil, nil)
)

// collectPlatform tells what alerts about the platform itself need.
func (s states) collectPlatform(out chan<- prometheus.Metric) {
	ctx := context.Background()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	gauge(loginIntervalDesc, s.options.Rotation.Interval.Seconds())
	var groups v1beta1.PromxyServerGroupList
	if s.client.List(ctx, &groups, client.UnsafeDisableDeepCopy) == nil {
		names := map[string]bool{}
		for _, g := range groups.Items {
			names[g.Spec.ClusterName] = true
		}
		for name := range names {
			gauge(groupsDesc, 1, name)
		}
	}
	var logins corev1.SecretList
	if s.client.List(ctx, &logins, client.MatchingLabels{output.LabelManagedBy: output.ManagedBy, output.LabelPart: output.PartLogin}, client.UnsafeDisableDeepCopy) == nil {
		oldest := 0.0
		for _, l := range logins.Items {
			if since := output.LoginState(l.Annotations, l.Data).Since; !since.IsZero() {
				oldest = max(oldest, s.options.now().Sub(since).Seconds())
			}
		}
		gauge(loginAgeDesc, oldest)
	}
	var maps corev1.ConfigMapList
	if s.client.List(ctx, &maps, client.InNamespace(s.options.SystemNamespace), client.UnsafeDisableDeepCopy) == nil {
		problems := 0.0
		for _, c := range maps.Items {
			if c.Annotations[AnnotationProblem] != "" {
				problems++
			}
		}
		gauge(rulesDesc, problems)
	}
}
