// SPDX-License-Identifier: Apache-2.0

// Package dashboards tests that no panel of the chart kof-dashboards is empty, and no rule of the charts without input.
//
// The static part parses every query with the engines that answer them, and looks at units, legends, variables, links and the grid. The live part feeds
// real stores by the real agent, installed by its chart on a real Kubernetes of one node (package test/kube), and runs every query of every
// panel, variable and rule: it has to return data, with the labels that legends and columns name. What can't run there is exposed by pods that
// serve testdata/expositions, whose README names each. What returns nothing even so is listed in testdata/exceptions.yaml, with its reason;
// an exception that does return data fails the test as well. TestHoursAreTheCosts compares costs with the counters of a fleet, and counts what is read.
//
//	make dashboards-check
//
// The live part needs root and bin/kof-otelcol (`make build`); it runs where KOF_REQUIRE_KUBERNETES is 1, as make sets it for root.
package dashboards
