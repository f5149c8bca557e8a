// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"errors"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/internal/operator/rules"
)

const (
	// LabelRules marks ConfigMaps of the system namespace with rules; with kcm.LabelName they are a cluster's.
	LabelRules = "k0rdent.mirantis.com/kof-rules"
	// AnnotationProblem of such a ConfigMap says what can't be used of it.
	AnnotationProblem = "kof.k0rdent.mirantis.com/rules-problem"
	rulesName         = "kof-rules"
)

// rules keeps the ConfigMap of all rules for the alerting engine.
func (r *platform) rules(ctx context.Context) error {
	var list corev1.ConfigMapList
	if err := r.client.List(ctx, &list, client.InNamespace(r.SystemNamespace), client.HasLabels{LabelRules}); err != nil {
		return err
	}
	var old corev1.ConfigMap
	u := output.RulesConfigMap(r.SystemNamespace, rulesName, nil)
	if err := r.client.Get(ctx, client.ObjectKeyFromObject(u), &old); client.IgnoreNotFound(err) != nil {
		return err
	}
	var sources []rules.Source
	for _, c := range list.Items {
		if c.DeletionTimestamp == nil {
			sources = append(sources, rules.Source{Name: c.Name, Cluster: c.Labels[kcm.LabelName], Files: c.Data})
		}
	}
	got := rules.Merge(sources, old.Data)
	if _, _, err := r.apply(ctx, output.RulesConfigMap(r.SystemNamespace, rulesName, got.Files), nil); err != nil {
		return err
	}
	var errs []error
	for i := range list.Items {
		c := &list.Items[i]
		problem := ""
		if err := errors.Join(got.Problems[c.Name]...); err != nil {
			problem = short(err.Error())
		}
		errs = append(errs, r.rulesProblem(ctx, c, problem))
	}
	return errors.Join(errs...)
}

// rulesProblem says on a ConfigMap what is wrong with it, or that nothing is any more.
func (r *platform) rulesProblem(ctx context.Context, c *corev1.ConfigMap, problem string) error {
	if c.Annotations[AnnotationProblem] == problem {
		return nil
	}
	if problem != "" {
		r.recorder.Eventf(c, nil, corev1.EventTypeWarning, "BadRules", "Merge", "%s", problem)
	}
	var value any // null removes it
	if problem != "" {
		value = problem
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{AnnotationProblem: value}}})
	if err != nil {
		return err
	}
	return client.IgnoreNotFound(r.client.Patch(ctx, c, client.RawPatch("application/merge-patch+json", patch), fieldOwner))
}
