// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

var (
	promqlBlock = regexp.MustCompile("(?s)```promql\n(.*?)```")
	variable    = regexp.MustCompile(`\$[A-Z_]+`)
)

// TestQueriesOfRunbooks: what a page says to ask can be asked. In a block, each line is a query, but for those that go on with the one before.
func TestQueriesOfRunbooks(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "runbooks", "*.md"))
	require.NoError(t, err)
	asked := 0
	for _, page := range pages {
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, block := range promqlBlock.FindAllStringSubmatch(string(content), -1) {
			for _, query := range strings.Split(strings.ReplaceAll(strings.TrimSpace(block[1]), "\n  ", " "), "\n") {
				query, _, _ = strings.Cut(query, " #")
				_, err := parser.ParseExpr(variable.ReplaceAllString(query, "x"))
				require.NoError(t, err, "%s: %s", filepath.Base(page), query)
				asked++
			}
		}
	}
	require.Greater(t, asked, 50)
}
