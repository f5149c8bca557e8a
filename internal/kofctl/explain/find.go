// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"context"
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/operator/kcm"
)

// find returns the one ClusterDeployment of a name, its own or that in telemetry, as NAME or NAMESPACE/NAME.
func find(ctx context.Context, reader client.Reader, env *command.Env, name string) (*kcm.ClusterDeployment, error) {
	in := env.In()
	wanted := name
	if namespace, rest, qualified := strings.Cut(name, "/"); qualified {
		in, wanted = []client.ListOption{client.InNamespace(namespace)}, rest
	}
	var list kcm.ClusterDeploymentList
	if err := reader.List(ctx, &list, in...); err != nil {
		return nil, fmt.Errorf("listing ClusterDeployments: %w", err)
	}
	var found []*kcm.ClusterDeployment
	var ids []string
	for i := range list.Items {
		if cd := &list.Items[i]; cd.Name == wanted || cd.TelemetryName() == wanted {
			found = append(found, cd)
			ids = append(ids, cd.Namespace+"/"+cd.Name)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("found no ClusterDeployment %q, by its own name or the one in telemetry; allowed: those of `kofctl clusters`", name)
	case 1:
	default:
		return nil, fmt.Errorf("found %d ClusterDeployments %q: %s; allowed: one of these", len(found), name, strings.Join(ids, ", "))
	}
	if role := found[0].Labels[kcm.LabelRole]; role != kcm.RoleChild && role != kcm.RoleRegional {
		return nil, fmt.Errorf("ClusterDeployment %s: label %s: found %q; allowed: %s, %s", ids[0], kcm.LabelRole, role, kcm.RoleChild, kcm.RoleRegional)
	}
	return found[0], nil
}
