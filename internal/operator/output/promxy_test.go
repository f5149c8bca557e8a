// SPDX-License-Identifier: Apache-2.0

package output

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/test/promxyconfig"
)

// TestPromxyFormat has every key that a group can lead to read as Promxy's own.
func TestPromxyFormat(t *testing.T) {
	secret := PromxySecret("kof", []Group{
		{
			Spec: v1beta1.PromxyServerGroupSpec{
				ClusterName: "eu", Targets: []string{"a:443", "b:443"}, Scheme: "https", PathPrefix: "/vm/select/0/prometheus", RequireAnswer: true,
				HTTPClient: &v1beta1.HTTPClient{
					DialTimeout: &metav1.Duration{Duration: 1500 * time.Millisecond}, TLS: &v1beta1.TLS{ServerName: "a", InsecureSkipVerify: true},
				},
			},
			Login: &Login{"user", "pa\"ss: #word"}, CA: "PEM", Identity: "kof/eu",
		},
		{Spec: v1beta1.PromxyServerGroupSpec{ClusterName: "us", Targets: []string{"c:80"}, Scheme: "http"}, Identity: "kof/us"},
	})
	text := decode(t, secret.Object["data"].(map[string]any)[PromxyKey].(string))
	config, err := promxyconfig.Parse(text)
	require.NoError(t, err, "%s", text)
	eu, us := config.Promxy.ServerGroups[0], config.Promxy.ServerGroups[1]
	require.Equal(t, []string{"a:443", "b:443"}, eu.Targets())
	require.EqualValues(t, "eu", eu.Labels["promxyCluster"])
	require.False(t, eu.IgnoreError)
	require.Equal(t, 1500*time.Millisecond, eu.HTTPClient.DialTimeout)
	client := eu.HTTPClient.HTTPClientConfig
	require.Equal(t, "user", client.BasicAuth.Username)
	require.EqualValues(t, "pa\"ss: #word", client.BasicAuth.Password)
	require.Contains(t, client.TLSConfig.CAFile, "/etc/promxy/")
	require.Equal(t, "a", client.TLSConfig.ServerName)
	require.True(t, us.IgnoreError)
	require.Nil(t, us.HTTPClient.HTTPClientConfig.BasicAuth)
}
