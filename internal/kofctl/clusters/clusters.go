// SPDX-License-Identifier: Apache-2.0

// Package clusters is the command `kofctl clusters`: who sends where, since when, how much is held, when each was last heard of.
package clusters

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/kofctl/promql"
	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/kcm"
)

// Report is what the command found.
type Report struct {
	Clusters []Cluster `json:"clusters"`
	// Metrics tells whether the stores were asked: without, held and last_seen are not known.
	Metrics bool `json:"metrics"`

	now time.Time
}

// Cluster is one that sends telemetry.
type Cluster struct {
	Namespace         string `json:"namespace"`
	ClusterDeployment string `json:"cluster_deployment"`
	Name              string `json:"name"` // in telemetry
	Role              string `json:"role"` // child or regional; "" if the ClusterDeployment is gone
	Tenant            string `json:"tenant,omitempty"`

	Region string    `json:"region,omitempty"`
	Zone   string    `json:"zone,omitempty"`
	Rule   string    `json:"rule,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Moving *Moving   `json:"moving,omitempty"`

	Assigned bool `json:"assigned"`
	Settled  bool `json:"settled"`
	// Message of the first of the conditions Assigned, Settled, ValuesValid and Published that is false.
	Message string `json:"message,omitempty"`

	Held     *Held      `json:"held,omitempty"`      // nil: not known
	LastSeen *time.Time `json:"last_seen,omitempty"` // of the agents' own metrics; nil: not known, or not within [Window]
}

// Moving is a re-homing under way.
type Moving struct {
	Phase string    `json:"phase"`
	Other string    `json:"other"` // next region while Preparing, the one before while Draining
	Since time.Time `json:"since"`
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	var metrics promql.Config
	c := env.Command("clusters", "Which cluster sends its telemetry to which region, since when, what it holds, when it was last heard of",
		command.Args(), func(c *cobra.Command, _ []string) error {
			if err := metrics.Validate(); err != nil {
				return command.Usage(err)
			}
			reader, closeIdle, err := env.Client()
			if err != nil {
				return err
			}
			defer closeIdle()
			r, err := Get(c.Context(), reader, env.In(), metrics, time.Now())
			if err != nil {
				return err
			}
			return env.Print(r)
		})
	metrics.Flags(c.Flags())
	return c
}

// Get reads the clusters of the management cluster, and what the stores know of them.
func Get(ctx context.Context, reader client.Reader, in []client.ListOption, metrics promql.Config, now time.Time) (*Report, error) {
	var assignments v1beta1.RegionAssignmentList
	if err := reader.List(ctx, &assignments, in...); err != nil {
		return nil, fmt.Errorf("listing RegionAssignments: %w", err)
	}
	var deployments kcm.ClusterDeploymentList
	if err := reader.List(ctx, &deployments, append(slices.Clone(in), client.HasLabels{kcm.LabelRole})...); err != nil {
		return nil, fmt.Errorf("listing ClusterDeployments: %w", err)
	}
	byKey := map[types.NamespacedName]*Cluster{}
	for _, cd := range deployments.Items {
		role := cd.Labels[kcm.LabelRole]
		if role != kcm.RoleChild && role != kcm.RoleRegional {
			continue
		}
		byKey[client.ObjectKeyFromObject(&cd)] = &Cluster{
			Namespace: cd.Namespace, ClusterDeployment: cd.Name, Name: cd.TelemetryName(), Role: role, Tenant: cd.Labels[kcm.LabelTenant],
			Message: "there is no RegionAssignment: kof-operator has not seen the cluster",
		}
	}
	for _, a := range assignments.Items {
		key := client.ObjectKeyFromObject(&a)
		if byKey[key] == nil {
			byKey[key] = &Cluster{Namespace: a.Namespace, ClusterDeployment: a.Name}
		}
		byKey[key].read(a)
	}
	out := &Report{now: now, Clusters: []Cluster{}, Metrics: metrics.Set()}
	for _, c := range byKey {
		out.Clusters = append(out.Clusters, *c)
	}
	slices.SortFunc(out.Clusters, func(a, b Cluster) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.ClusterDeployment, b.ClusterDeployment))
	})
	if !out.Metrics {
		return out, nil
	}
	return out, out.measure(ctx, metrics)
}

func (c *Cluster) read(a v1beta1.RegionAssignment) {
	c.Name, c.Region, c.Zone, c.Rule, c.Message = a.Spec.ClusterName, a.Spec.Region, a.Spec.Zone, a.Spec.Rule, ""
	if a.Spec.Since != nil {
		c.Since = a.Spec.Since.UTC()
	}
	if m := a.Spec.Moving; m != nil {
		c.Moving = &Moving{Phase: m.Phase, Other: m.Other, Since: m.Since.UTC()}
	}
	c.Assigned = meta.IsStatusConditionTrue(a.Status.Conditions, v1beta1.ConditionAssigned)
	c.Settled = meta.IsStatusConditionTrue(a.Status.Conditions, v1beta1.ConditionSettled)
	for _, kind := range []string{v1beta1.ConditionAssigned, v1beta1.ConditionSettled, v1beta1.ConditionValuesValid, v1beta1.ConditionPublished} {
		if found := meta.FindStatusCondition(a.Status.Conditions, kind); found != nil && found.Status != "True" && c.Message == "" {
			c.Message = found.Message
		}
	}
	if c.Role == "" {
		c.Message = "the ClusterDeployment is gone"
	}
}
