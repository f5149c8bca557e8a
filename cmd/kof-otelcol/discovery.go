// SPDX-License-Identifier: Apache-2.0

package main

// kof_pod_sd_configs of the prometheus receivers.
import _ "github.com/k0rdent/kof/internal/podtargets"
