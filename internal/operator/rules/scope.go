// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// ClusterLabel tells series of one cluster from another's.
const ClusterLabel = "cluster"

// Scope returns an expression that only sees one cluster's series.
func Scope(expr, cluster string) (string, error) {
	return restrict(expr, labels.MustNewMatcher(labels.MatchEqual, ClusterLabel, cluster))
}

// Except returns an expression that sees all series but those of some clusters.
func Except(expr string, clusters []string) (string, error) {
	clusters = slices.Clone(clusters)
	slices.Sort(clusters)
	clusters = slices.Compact(clusters)
	if len(clusters) == 1 {
		return restrict(expr, labels.MustNewMatcher(labels.MatchNotEqual, ClusterLabel, clusters[0]))
	}
	for i, c := range clusters {
		clusters[i] = regexp.QuoteMeta(c)
	}
	return restrict(expr, labels.MustNewMatcher(labels.MatchNotRegexp, ClusterLabel, strings.Join(clusters, "|")))
}

// restrict adds a matcher to every selector. One of the expression's own on the same label stays: both have to hold.
func restrict(expr string, m *labels.Matcher) (string, error) {
	parsed, err := parser.ParseExpr(expr)
	if err != nil {
		return "", err
	}
	found := false
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		if selector, is := n.(*parser.VectorSelector); is {
			selector.LabelMatchers = append(selector.LabelMatchers, m)
			found = true
		}
		return nil
	})
	if !found {
		return "", errors.New("found an expression without series, which belongs to no cluster; allowed: one with series")
	}
	return parsed.String(), nil
}
