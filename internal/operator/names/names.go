// SPDX-License-Identifier: Apache-2.0

// Package names makes names of objects: at most 63 characters, so that they also serve as label values and host names, and
// different for different clusters.
package names

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	// Max is the length of a DNS label, the shortest of the bounds that names have to keep.
	Max = 63

	hashLength = 8
	keep       = Max - hashLength - 1
)

// In returns the name of an object in the namespace of what it belongs to: "kind-name", or its beginning and a hash where that is
// too long. Two of one kind and namespace differ, but for a hash of 32 bits that would have to collide below equal beginnings.
func In(kind, name string) string {
	full := kind + "-" + name
	if len(full) <= Max {
		return full
	}
	return full[:keep] + "-" + hash(full)[:hashLength]
}

// InTemplate is [In] for a Sveltos template, where the name is that of the cluster.
func InTemplate(kind string) string {
	return `{{ $n := printf "` + kind + `-%s" .Cluster.metadata.name }}` +
		`{{ if le (len $n) 63 }}{{ $n }}{{ else }}{{ printf "%s-%s" (trunc 54 $n) (trunc 8 (sha256sum $n)) }}{{ end }}`
}

// Across returns the name of an object in a namespace or cluster that it shares with those of other namespaces: always with a hash of
// 64 bits over namespace and name, as "a-b" of "c" and "b" of "a-c" must differ. extra are further parts of the identity.
func Across(kind, namespace, name string, extra ...string) string {
	sum := hash(strings.Join(append([]string{namespace, name}, extra...), "/"))[:2*hashLength]
	beginning := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(kind+"-"+name))
	if limit := Max - len(sum) - 1; len(beginning) > limit {
		beginning = beginning[:limit]
	}
	return strings.TrimRight(beginning, "-") + "-" + sum
}

// UID returns a stable identifier of at most 40 letters, digits and dashes, as Grafana takes them.
func UID(kind, namespace, name string) string {
	return kind + "-" + hash(namespace + "/" + name)[:24]
}

// Label returns a label value that identifies an object of any namespace.
func Label(namespace, name string) string {
	return hash(namespace + "/" + name)[:4*hashLength]
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
