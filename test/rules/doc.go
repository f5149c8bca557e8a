// SPDX-License-Identifier: Apache-2.0

// Package rules tests the alerts and recording rules of the charts as Helm renders them, with the real promtool: testdata holds a file for each
// group, in the format of Prometheus' unit tests (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/). Each alert has to be
// seen firing and silent, each recorded series with its values. It also holds together what belongs to an alert: its page in docs/runbooks.
//
// The rules are written in plain PromQL, as vmalert computes alerts over Promxy, whose engine is that of Prometheus.
package rules
