// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"k8s.io/apimachinery/pkg/api/resource"
)

// maxInterned bounds the table of strings: past it, what isn't used any more is dropped with all the rest.
const maxInterned = 20_000

// interner gives equal bytes the same string, so that a document that hardly changes costs no memory.
type interner struct {
	strings    map[string]string
	quantities map[string]float64
}

func newInterner() interner {
	return interner{strings: map[string]string{}, quantities: map[string]float64{}}
}

func (in *interner) string(b []byte) string {
	if s, ok := in.strings[string(b)]; ok {
		return s
	}
	if len(in.strings) >= maxInterned {
		clear(in.strings)
	}
	s := string(b)
	in.strings[s] = s
	return s
}

// quantity parses Kubernetes' notation, such as 100m and 1Gi.
func (in *interner) quantity(b []byte) (float64, error) {
	if v, ok := in.quantities[string(b)]; ok {
		return v, nil
	}
	q, err := resource.ParseQuantity(string(b))
	if err != nil {
		return 0, err
	}
	if len(in.quantities) >= maxInterned {
		clear(in.quantities)
	}
	v := q.AsApproximateFloat64()
	in.quantities[string(b)] = v
	return v, nil
}
