// SPDX-License-Identifier: Apache-2.0

// Package explain is the command `kofctl explain`: which region a cluster or a pod belongs to, by which rule, through which endpoints,
// and what a file would change about that.
package explain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/choice"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/regions"
)

// Report is what the command found of a cluster.
type Report struct {
	Namespace         string `json:"namespace"`
	ClusterDeployment string `json:"cluster_deployment"`
	Name              string `json:"name"` // in telemetry

	Now  View  `json:"now"`
	With *View `json:"with,omitempty"` // as it would be with the file
	// Changes between the two, and what is wrong with the file; empty: the file changes nothing for the cluster.
	Changes  []Change `json:"changes,omitempty"`
	Problems []string `json:"problems,omitempty"`
}

// Change is one difference that a file would make.
type Change struct {
	What string `json:"what"`
	Now  string `json:"now,omitempty"`
	With string `json:"with,omitempty"`
}

// New returns the command.
func New(env *command.Env) *cobra.Command {
	var o options
	c := env.Command("explain [pod] NAME", "Which region a cluster or a pod belongs to, by which rule, through which endpoints; what a file would change",
		func(c *cobra.Command, given []string) error {
			if len(given) == 1 && given[0] != "pod" || len(given) == 2 && given[0] == "pod" {
				return nil
			}
			return fmt.Errorf("%s: found the arguments %q; allowed: [NAMESPACE/]CLUSTER, or pod NAMESPACE/NAME", c.CommandPath(), given)
		},
		func(c *cobra.Command, args []string) error {
			if len(args) == 2 {
				return explainPod(c.Context(), env, o, args[1])
			}
			return explainCluster(c.Context(), env, o, args[0])
		})
	c.Example = `  kofctl explain team-a/shop
  kofctl explain team-a/shop --with new-regions.yaml
  kofctl explain pod store/api-0 --cluster team-a/shop --cluster-kubeconfig shop.kubeconfig`
	c.Flags().StringVar(&o.system, "system-namespace", "kof", "namespace of kof-operator: its Regions are for clusters of all namespaces")
	c.Flags().StringVar(&o.with, "with", "", `file with Region manifests or a region directory, as if it were in force; "-": standard input`)
	c.Flags().StringVar(&o.cluster, "cluster", "", "of a pod: the cluster that it runs on, as [NAMESPACE/]CLUSTER")
	c.Flags().StringVar(&o.clusterKubeconfig, "cluster-kubeconfig", "", "of a pod: kubeconfig of that cluster")
	c.Flags().StringVar(&o.agents, "agent-namespace", "kof", "of a pod: namespace of the agents on that cluster")
	return c
}

type options struct{ system, with, cluster, clusterKubeconfig, agents string }

func explainCluster(ctx context.Context, env *command.Env, o options, name string) error {
	reader, closeIdle, err := env.Client()
	if err != nil {
		return err
	}
	defer closeIdle()
	w, err := load(ctx, reader, env, o.system, name)
	if err != nil {
		return err
	}
	r := &Report{Namespace: w.cd.Namespace, ClusterDeployment: w.cd.Name, Name: w.cd.TelemetryName(), Now: w.view(w.items)}
	if o.with != "" {
		if err := w.with(r, o.with); err != nil {
			return err
		}
	}
	if err := env.Print(r); err != nil {
		return err
	}
	if !r.Now.served() || len(r.Problems) > 0 || r.With != nil && !r.With.served() {
		return command.ErrFound
	}
	return nil
}

// world is what the explanation of a cluster goes by.
type world struct {
	system     string
	cd         kcm.ClusterDeployment
	assignment v1beta1.RegionAssignment // zero: none
	items      []v1beta1.Region
	now        time.Time
}

func load(ctx context.Context, reader client.Reader, env *command.Env, system, name string) (*world, error) {
	w := &world{system: system, now: time.Now()}
	cd, err := find(ctx, reader, env, name)
	if err != nil {
		return nil, err
	}
	w.cd = *cd
	if err := reader.Get(ctx, client.ObjectKeyFromObject(cd), &w.assignment); err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading the RegionAssignment: %w", err)
	}
	var list v1beta1.RegionList
	if err := reader.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("listing Regions: %w", err)
	}
	w.items = regions.InOrder(list.Items)
	return w, nil
}

// choose returns what the rules say of the cluster with a set of Regions, apart from where it is now.
func (w *world) choose(set *regions.Set) (choice.Region, choice.Rule, *choice.Error) {
	config, err := w.cd.Config()
	if err != nil {
		return choice.Region{}, "", &choice.Error{Reason: choice.ReasonBadDeployment, Message: regions.Short(err.Error())}
	}
	chosen, rule, err := choice.Choose(regions.Wanted(&w.cd, config), w.system, set.Candidates)
	var failed *choice.Error
	if errors.As(err, &failed) {
		return choice.Region{}, rule, failed
	}
	return chosen, rule, nil
}
