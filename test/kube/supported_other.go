// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package kube

import "errors"

func tryNamespaces() error { return errors.ErrUnsupported }

func cgroupsVersion1() error { return errors.ErrUnsupported }
