// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"maps"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

type matcher = labels.Matcher

// labelsOf returns the labels that a query's result can have; false if they depend on the data.
func labelsOf(expr parser.Expr) (map[string]bool, bool) {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return labelsOf(e.Expr)
	case *parser.UnaryExpr:
		return labelsOf(e.Expr)
	case *parser.StepInvariantExpr:
		return labelsOf(e.Expr)
	case *parser.SubqueryExpr:
		return labelsOf(e.Expr)
	case *parser.NumberLiteral:
		return map[string]bool{}, true
	case *parser.AggregateExpr:
		if e.Op == parser.TOPK || e.Op == parser.BOTTOMK {
			return labelsOf(e.Expr)
		}
		return set(e.Grouping...), !e.Without
	case *parser.Call:
		switch e.Func.Name {
		case "vector", "scalar", "time", "days_in_month", "day_of_month", "hour":
			return map[string]bool{}, true
		case "sum_over_time", "avg_over_time", "count_over_time":
			return labelsOf(e.Args[0])
		case "histogram_quantile":
			of, known := labelsOf(e.Args[1])
			delete(of, "le")
			return of, known
		}
	case *parser.BinaryExpr:
		return labelsOfBinary(e)
	}
	return nil, false
}

func labelsOfBinary(e *parser.BinaryExpr) (map[string]bool, bool) {
	left, known := labelsOf(e.LHS)
	if e.LHS.Type() == parser.ValueTypeScalar {
		return labelsOf(e.RHS)
	}
	if !known || e.RHS.Type() == parser.ValueTypeScalar || e.VectorMatching == nil {
		return left, known
	}
	switch e.VectorMatching.Card {
	case parser.CardManyToOne:
		for _, l := range e.VectorMatching.Include {
			left[l] = true
		}
	case parser.CardOneToOne:
		if e.VectorMatching.On {
			return set(e.VectorMatching.MatchingLabels...), true
		}
	}
	if right, known := labelsOf(e.RHS); known && e.Op == parser.LOR {
		// Of one or the other; what is missing on one side is empty there.
		maps.Copy(left, right)
	}
	return left, true
}

func set(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}

func TestLabelsOf(t *testing.T) {
	for query, want := range map[string][]string{
		`sum by (a, b) (x)`: {"a", "b"}, `topk(3, sum by (a) (x))`: {"a"}, `sum(x) or vector(0)`: {}, `1 - avg by (a) (rate(x[1m]))`: {"a"},
		`sum_over_time((sum by (a) (x) * (time() > bool 3))[1d:1h])`: {"a"}, `count by (a) (sum_over_time((sum by (a, b) (x))[1d:1h]))`: {"a"},
		`histogram_quantile(0.9, sum by (a, le) (rate(x[1m])))`: {"a"}, `sum by (a) (x) / on (a) sum by (a, b) (y)`: {"a"},
		`sum by (a) (x) * on (a) group_left (b) max by (a, b) (y)`: {"a", "b"},
	} {
		expr, err := parser.ParseExpr(query)
		require.NoError(t, err)
		got, known := labelsOf(expr)
		require.True(t, known, query)
		require.Equal(t, set(want...), got, query)
	}
	expr, err := parser.ParseExpr("rate(x[1m])")
	require.NoError(t, err)
	_, known := labelsOf(expr)
	require.False(t, known)
}
