// SPDX-License-Identifier: Apache-2.0

package nodeexporterreceiver

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// optionKind is what values an option of a collector takes.
type optionKind int

const (
	optionRegexp optionKind = iota
	optionBool
	optionCount
	optionText
)

// check keeps from node_exporter what it would end the process for.
func (k optionKind) check(v any) error {
	s, isText := v.(string)
	switch k {
	case optionBool:
		if _, ok := v.(bool); !ok {
			return errors.New("must be true or false")
		}
	case optionCount:
		if n, ok := v.(int); !ok || n < 1 || n > 64 {
			return errors.New("must be a number from 1 to 64")
		}
	case optionRegexp:
		if !isText {
			return errors.New("must be a regular expression")
		}
		if _, err := regexp.Compile(s); err != nil {
			return fmt.Errorf("must be a regular expression: %w", err)
		}
	case optionText:
		if !isText {
			return errors.New("must be a text")
		}
	}
	return nil
}

// podDevices are the node's ends of the network of its pods, as common network plugins name them: they come and go with the pods.
const podDevices = `^(veth.*|cali[0-9a-f]{11}|lxc[0-9a-f]{12}|lxc_health|eni[0-9a-f]{11}|azv[0-9a-f]+|gke[0-9a-f]{11}|tap.*|[0-9a-f]{15})$`

// podMounts are kernel file systems, and what container runtimes and the kubelet mount for containers.
const podMounts = `^/(dev|proc|sys|run/(credentials|containerd|crio|k3s|netns|docker|user)/.+|var/lib/(docker|containerd|containers|kubelet|rancher)/.+)($|/)`

// defaultOptions differ from node_exporter's own.
var defaultOptions = map[string]map[string]string{
	"arp":        {"device_exclude": podDevices},
	"filesystem": {"mount_points_exclude": podMounts},
	"netclass":   {"ignored_devices": podDevices},
	"netdev":     {"device_exclude": podDevices},
}

// flags are node_exporter's settings for the configuration, by the names of its command line, with the node's process file
// system at proc.
func (c *Config) flags(proc string) map[string]string {
	p := c.paths()
	flags := map[string]string{
		"path.procfs": proc, "path.sysfs": p.sys, "path.rootfs": p.root, "path.udev.data": p.udevData,
		// Netlink speaks of the network of the process that asks.
		"collector.arp.netlink": "false", "collector.netdev.netlink": "false",
	}
	for name := range collectors {
		for key, v := range defaultOptions[name] {
			flags[flagName(name, key)] = v
		}
		for key, v := range c.Collectors[name].Options {
			flags[flagName(name, key)] = fmt.Sprint(v)
			// An exclusion by default, ours or node_exporter's, gives way to an inclusion.
			if other, ok := excludeOf(key); ok && v != "" {
				flags[flagName(name, other)] = ""
			}
		}
	}
	return flags
}

func flagName(collector, option string) string {
	return "collector." + collector + "." + strings.ReplaceAll(option, "_", "-")
}
