// SPDX-License-Identifier: Apache-2.0

// Package faultproxy is an HTTP/1.1 reverse proxy in front of one real server, on loopback, that breaks on request. It stands
// between what sends telemetry and a backend, so that a test has faults of the network and of servers without giving up the
// real server.
//
//	proxy, err := faultproxy.Start(region.Metrics.URL)
//	// … send to proxy.URL() …
//	err = proxy.Set(faultproxy.Fault{Kind: faultproxy.Answer, Status: 503})
//	err = proxy.Set(faultproxy.Fault{}) // pass again
//
// A fault is put in force while the proxy runs and holds for all requests that begin after that, or for some of them. What
// waits in a fault is cut off when the next one is set; what is being passed on is left to end, but for Refuse, which cuts
// every connection as the death of a process does.
package faultproxy
