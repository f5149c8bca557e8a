// SPDX-License-Identifier: Apache-2.0

package simnode

import (
	"context"
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Allow gives User the rights that the chart gives the agent.
func (c *Chart) Allow(ctx context.Context, client kubernetes.Interface) error {
	if _, err := client.RbacV1().ClusterRoles().Create(ctx, c.Role, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("agent's role: %w", err)
	}
	_, err := client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: c.Role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: c.Role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: User}},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("agent's role: %w", err)
	}
	return nil
}
