// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package kubeapi

import "syscall"

func endsWithParent() *syscall.SysProcAttr { return nil }
