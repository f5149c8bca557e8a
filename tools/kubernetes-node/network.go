// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
)

// The machine's network: a bridge without ports that carries the node's address, and one that stands for the world outside,
// where package test/kube forwards connections of pods to servers of tests. There is no way out.
const (
	bridgeName     = "node0"
	nodeAddress    = "10.99.0.1/24"
	outsideAddress = "10.98.0.1/32"
)

func network() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridgeName}}
	if err := netlink.LinkAdd(bridge); err != nil {
		return fmt.Errorf("network bridge: %w", err)
	}
	for _, text := range []string{nodeAddress, outsideAddress} {
		address, err := netlink.ParseAddr(text)
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(bridge, address); err != nil {
			return fmt.Errorf("address %s: %w", text, err)
		}
	}
	if err := netlink.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("network bridge: %w", err)
	}
	everywhere := &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}
	// Several parts look for the device of the default route.
	if err := netlink.RouteAdd(&netlink.Route{LinkIndex: bridge.Attrs().Index, Scope: netlink.SCOPE_LINK, Dst: everywhere}); err != nil {
		return fmt.Errorf("default route: %w", err)
	}
	return nil
}
