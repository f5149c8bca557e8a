// SPDX-License-Identifier: Apache-2.0

package identityprocessor

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// identified is what becomes of a resource.
func identified(t testing.TB, p *identityProcessor, given raw) raw {
	r := pcommon.NewResource()
	require.NoError(t, r.Attributes().FromRaw(given))
	p.identify(r)
	return r.Attributes().AsRaw()
}

func TestNamespacesAreRemembered(t *testing.T) {
	p := newT(t, &Config{Cluster: ClusterConfig{Name: "c"}, Tenant: "all"})
	now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	p.memory.now = func() time.Time { return now }
	shop := raw{"k8s.namespace.name": "shop"}
	cluster := func(more raw) raw {
		out := raw{"k8s.cluster.name": "c"}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	everyones := cluster(raw{"k8s.namespace.name": "shop", "kof.tenant": "all"})
	require.Equal(t, everyones, identified(t, p, shop), "the cluster's tenant, until another one is said")

	acme := raw{"k8s.namespace.name": "shop", "kof.tenant": "acme", "kof.region": "us"}
	require.Equal(t, cluster(acme), identified(t, p, acme))
	require.Equal(t, cluster(acme), identified(t, p, shop), "the namespace is gone, and was acme's")
	require.Equal(t, cluster(raw{"k8s.namespace.name": "other", "kof.tenant": "all"}), identified(t, p, raw{"k8s.namespace.name": "other"}))
	require.Equal(t, raw{"k8s.cluster.name": "d", "k8s.namespace.name": "shop", "kof.tenant": "all"},
		identified(t, p, raw{"k8s.cluster.name": "d", "k8s.namespace.name": "shop"}), "of another cluster")
	require.Equal(t, cluster(raw{"kof.tenant": "all"}), identified(t, p, raw{}))

	beta := raw{"k8s.namespace.name": "shop", "kof.tenant": "beta"}
	require.Equal(t, cluster(beta), identified(t, p, beta), "what is said counts")
	require.Equal(t, cluster(beta), identified(t, p, shop), "and is what is remembered")

	now = now.Add(rememberFor - time.Second)
	require.Equal(t, cluster(beta), identified(t, p, beta))
	now = now.Add(rememberFor - time.Second)
	require.Equal(t, cluster(beta), identified(t, p, shop), "since it was said last")
	now = now.Add(time.Second)
	require.Equal(t, everyones, identified(t, p, shop), "not for ever")
}

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory()
	for i := range maxNamespaces + 5 {
		m.note(namespace{name: fmt.Sprint(i)}, owner{tenant: "t"})
	}
	require.Len(t, m.owners, maxNamespaces)
	require.Contains(t, m.owners, namespace{name: fmt.Sprint(maxNamespaces + 4)}, "the last one")

	// Each in turn, as with every scrape.
	forgotten := 0
	for i := range maxNamespaces + 5 {
		key := namespace{name: fmt.Sprint(i)}
		if _, found := m.owners[key]; !found {
			forgotten++
			m.note(key, owner{tenant: "t"})
		}
	}
	require.Less(t, forgotten, maxNamespaces/10, "a few too many don't make all others be forgotten")
}

func TestMemoryOfManyAtOnce(t *testing.T) {
	p := newT(t, &Config{Cluster: ClusterConfig{Name: "c"}})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 1000 {
				name := fmt.Sprint(i % 10)
				identified(t, p, raw{"k8s.namespace.name": name, "kof.tenant": "t"})
				require.Equal(t, "t", identified(t, p, raw{"k8s.namespace.name": name})["kof.tenant"])
			}
		})
	}
	wg.Wait()
}
