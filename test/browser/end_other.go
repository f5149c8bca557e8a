// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package browser

import "os/exec"

func endTogether(*exec.Cmd) {}
