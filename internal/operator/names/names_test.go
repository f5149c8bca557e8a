// SPDX-License-Identifier: Apache-2.0

package names

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/validation"
)

// TestNamesDiffer draws names that are alike, long and short, and requires all results to be valid and different.
func TestNamesDiffer(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	word := func(limit int) string {
		b := make([]byte, 1+random.IntN(limit))
		for i := range b {
			b[i] = "ab-."[random.IntN(4)]
		}
		b[0], b[len(b)-1] = 'a', 'b'
		return strings.NewReplacer(".-", ".a", "-.", "a.", "..", ".a").Replace(string(b))
	}
	across, in := map[string]string{}, map[string]string{}
	for range 20_000 {
		namespace, name := strings.ReplaceAll(word(63), ".", "-"), word(253)
		id := namespace + "/" + name
		got := Across("kof-user", namespace, name)
		require.Empty(t, validation.IsDNS1123Label(got), got)
		if other, found := across[got]; found {
			require.Equal(t, other, id)
		}
		across[got] = id

		got = In("kof-values", name)
		require.LessOrEqual(t, len(got), Max)
		if other, found := in[got]; found {
			require.Equal(t, other, name)
		}
		in[got] = name
		require.LessOrEqual(t, len(UID("kof-logs", namespace, name)), 40)
	}
	require.NotEqual(t, Across("k", "a-b", "c"), Across("k", "a", "b-c"))
	require.NotEqual(t, Across("k", "a", "b", "x"), Across("k", "a", "b", "y"))
}

// TestTemplate runs the template with functions of sprig's names and meanings.
func TestTemplate(t *testing.T) {
	tpl, err := template.New("").Funcs(template.FuncMap{
		"trunc": func(n int, s string) string { return s[:min(n, len(s))] },
		"sha256sum": func(s string) string {
			sum := sha256.Sum256([]byte(s))
			return hex.EncodeToString(sum[:])
		},
	}).Parse(InTemplate("kof-values"))
	require.NoError(t, err)
	for _, n := range []int{1, 10, 51, 52, 53, 54, 63, 100, 253} {
		name := strings.Repeat("c", n)
		var b strings.Builder
		require.NoError(t, tpl.Execute(&b, map[string]any{"Cluster": map[string]any{"metadata": map[string]any{"name": name}}}))
		require.Equal(t, In("kof-values", name), b.String())
	}
}
