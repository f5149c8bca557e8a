// SPDX-License-Identifier: Apache-2.0

package identityprocessor

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	// rememberFor is how long it is remembered whose a namespace was after the last record that said it.
	rememberFor = time.Hour
	// refreshAfter is how old what is remembered gets before it is written anew.
	refreshAfter = time.Minute
	// maxNamespaces bounds the namespaces that are remembered; beyond, any one makes room for the next.
	maxNamespaces = 10_000
)

const (
	attrTenant    = "kof.tenant"
	attrRegion    = "kof.region"
	attrNamespace = "k8s.namespace.name"
	attrCluster   = "k8s.cluster.name"
)

// namespace names a namespace among those of all clusters.
type namespace struct{ cluster, name string }

// owner is whose a namespace is, as its labels said.
type owner struct {
	tenant, region string
	seen           time.Time
}

// memory knows whose namespaces are. Kubernetes forgets a namespace's labels with the namespace, while there still is telemetry of it: what waits
// for room in a queue, what the kubelet still shows of its containers. That must not go to another region then, nor lose its tenant.
type memory struct {
	now func() time.Time

	mu     sync.RWMutex
	owners map[namespace]owner // at most maxNamespaces
}

func newMemory() *memory { return &memory{now: time.Now, owners: map[namespace]owner{}} }

// complete notes whose the resource's namespace is where the resource says so, and says so where the resource doesn't any more.
func (m *memory) complete(attributes pcommon.Map) {
	name := text(attributes, attrNamespace)
	if name == "" {
		return
	}
	key := namespace{text(attributes, attrCluster), name}
	now := m.now()
	m.mu.RLock()
	known, found := m.owners[key]
	m.mu.RUnlock()
	said := owner{text(attributes, attrTenant), text(attributes, attrRegion), now}
	if said.tenant == "" && said.region == "" {
		if found && now.Sub(known.seen) < rememberFor {
			put(attributes, attrTenant, known.tenant)
			put(attributes, attrRegion, known.region)
		}
		return
	}
	if !found || known.tenant != said.tenant || known.region != said.region || now.Sub(known.seen) >= refreshAfter {
		m.note(key, said)
	}
}

func (m *memory) note(key namespace, o owner) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, found := m.owners[key]; !found && len(m.owners) >= maxNamespaces {
		// Any one. Of a cluster with one namespace too many, each would be the oldest just before it comes again.
		for other := range m.owners {
			delete(m.owners, other)
			break
		}
	}
	m.owners[key] = o
}

// text returns an attribute that is a string, else "".
func text(attributes pcommon.Map, key string) string {
	v, ok := attributes.Get(key)
	if !ok || v.Type() != pcommon.ValueTypeStr {
		return ""
	}
	return v.Str()
}

func put(attributes pcommon.Map, key, value string) {
	if value != "" {
		attributes.PutStr(key, value)
	}
}
