// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/budget"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/internal/operator/regions"
	"github.com/k0rdent/kof/internal/operator/rules"
)

const (
	// LabelRules marks ConfigMaps of the system namespace with rules; with kcm.LabelName they are a cluster's.
	LabelRules = "k0rdent.mirantis.com/kof-rules"
	// LabelBudgets marks ConfigMaps of the system namespace with budgets.
	LabelBudgets = budget.Label
	// AnnotationProblem of such a ConfigMap says what can't be used of it.
	AnnotationProblem = "kof.k0rdent.mirantis.com/rules-problem"
	rulesName         = "kof-rules"
)

// rules keeps the ConfigMap of all rules for the alerting engine.
func (r *platform) rules(ctx context.Context) error {
	list, err := r.ruleMaps(ctx)
	if err != nil {
		return err
	}
	var old corev1.ConfigMap
	u := output.RulesConfigMap(r.SystemNamespace, rulesName, nil)
	if err := r.client.Get(ctx, client.ObjectKeyFromObject(u), &old); client.IgnoreNotFound(err) != nil {
		return err
	}
	var sources []rules.Source
	budgets := map[string]string{}
	for _, c := range list {
		s := rules.Source{Name: c.Name, Cluster: c.Labels[kcm.LabelName], Files: c.Data, AlertsOnly: !r.RecordingRules}
		if _, found := c.Labels[LabelBudgets]; found {
			s = r.budgets(&c, budgets)
		}
		sources = append(sources, s)
	}
	got := rules.Merge(sources, old.Data)
	if _, _, err := r.apply(ctx, output.RulesConfigMap(r.SystemNamespace, rulesName, got.Files), nil); err != nil {
		return err
	}
	var errs []error
	for i := range list {
		c := &list[i]
		problem := ""
		if err := errors.Join(got.Problems[c.Name]...); err != nil {
			problem = regions.Short(err.Error())
		}
		errs = append(errs, r.rulesProblem(ctx, c, problem))
	}
	return errors.Join(errs...)
}

// ruleMaps returns the ConfigMaps with rules or budgets, in the order of their names.
func (r *platform) ruleMaps(ctx context.Context) ([]corev1.ConfigMap, error) {
	found := map[string]corev1.ConfigMap{}
	for _, label := range []string{LabelRules, LabelBudgets} {
		var list corev1.ConfigMapList
		if err := r.client.List(ctx, &list, client.InNamespace(r.SystemNamespace), client.HasLabels{label}); err != nil {
			return nil, err
		}
		for _, c := range list.Items {
			if c.DeletionTimestamp == nil {
				found[c.Name] = c
			}
		}
	}
	out := make([]corev1.ConfigMap, 0, len(found))
	for _, name := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[name])
	}
	return out, nil
}

// budgets makes rules of a ConfigMap's budgets. owners is which ConfigMap each name belongs to, so that no two alerts are the same.
func (r *platform) budgets(c *corev1.ConfigMap, owners map[string]string) rules.Source {
	out := rules.Source{Name: c.Name, Files: map[string]string{}, Problems: map[string]error{}, AlertsOnly: !r.RecordingRules}
	for _, key := range slices.Sorted(maps.Keys(c.Data)) {
		file := strings.TrimSuffix(key, ".yaml") + ".budgets.yaml"
		parsed, err := budget.Parse(c.Data[key])
		err = errors.Join(err, budget.Claim(owners, parsed, "ConfigMap "+c.Name+", key "+key))
		if err == nil {
			out.Files[file], err = budget.Rules(parsed, budget.MonthOf(r.now()), budget.Options{Runbooks: r.RunbookURL, Record: r.RecordingRules})
		}
		if err != nil {
			out.Problems[file] = err
			delete(out.Files, file)
		}
	}
	return out
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
