// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
)

var (
	decisions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kof_operator_decisions_total", Help: "Decisions on the region of a cluster, by event.",
	}, []string{"event"})
	rotations = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kof_operator_login_steps_total", Help: "Steps of credential rotations, by the phase they led to; empty: stable.",
	}, []string{"phase"})
	promxyWrites = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "kof_operator_promxy_config_writes_total", Help: "Writes of Promxy's configuration; each makes Promxy reload.",
	})
)

func init() { metrics.Registry.MustRegister(decisions, rotations, promxyWrites) }

// states counts, at each scrape, what the cache holds.
type states struct {
	client  client.Reader
	options Options
}

var (
	assignmentsDesc = prometheus.NewDesc("kof_operator_assignments", "Clusters that send telemetry, by whether they have a region and are settled in it.", []string{"assigned", "settled"}, nil)
	regionsDesc     = prometheus.NewDesc("kof_operator_regions", "Regions, by whether they are accepted.", []string{"accepted"}, nil)
)

func (s states) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{assignmentsDesc, regionsDesc, groupsDesc, loginAgeDesc, loginIntervalDesc, rulesDesc} {
		out <- d
	}
}

func (s states) Collect(out chan<- prometheus.Metric) {
	s.collectPlatform(out)
	text := map[bool]string{true: "true", false: "false"}
	var assignments v1beta1.RegionAssignmentList
	if s.client.List(context.Background(), &assignments, client.UnsafeDisableDeepCopy) == nil {
		counts := map[[2]bool]float64{}
		for _, a := range assignments.Items {
			counts[[2]bool{
				meta.IsStatusConditionTrue(a.Status.Conditions, v1beta1.ConditionAssigned),
				meta.IsStatusConditionTrue(a.Status.Conditions, v1beta1.ConditionSettled),
			}]++
		}
		for k, n := range counts {
			out <- prometheus.MustNewConstMetric(assignmentsDesc, prometheus.GaugeValue, n, text[k[0]], text[k[1]])
		}
	}
	var list v1beta1.RegionList
	if s.client.List(context.Background(), &list, client.UnsafeDisableDeepCopy) == nil {
		counts := map[bool]float64{}
		for _, r := range list.Items {
			counts[meta.IsStatusConditionTrue(r.Status.Conditions, v1beta1.ConditionAccepted)]++
		}
		for k, n := range counts {
			out <- prometheus.MustNewConstMetric(regionsDesc, prometheus.GaugeValue, n, text[k])
		}
	}
}
