// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"fmt"
	"io"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Options says how a cluster is run. The zero value is ready to use.
type Options struct {
	// Dir holds what the cluster writes, and is removed with it: absolute, not yet there, and short, as it holds a socket
	// whose path has at most 107 bytes. "" means a temporary one.
	Dir string
	// Stay lets the cluster go on after the end of this process, until Down. Else it ends with the process, however that ends.
	Stay bool
	// Progress takes what there is to tell while programs are built and started; nil means standard error.
	Progress io.Writer
	// Kubelet are settings of the node's kubelet.
	Kubelet KubeletOptions
}

// KubeletOptions are the fields of the same names of the kubelet's configuration; a zero value leaves the kubelet's default.
type KubeletOptions struct {
	// ContainerLogMaxSize is the size, such as "10Mi", at which a container's log is rotated. The default is 10Mi.
	ContainerLogMaxSize string
	// ContainerLogMaxFiles is how many files a container's log may have, at least 2. The default is 5.
	ContainerLogMaxFiles int
	// ContainerLogMonitorInterval is how often the size is looked at, at least 3 s. The default is 10 s.
	ContainerLogMonitorInterval time.Duration
}

func (o Options) validate() error {
	var errs []error
	if size := o.Kubelet.ContainerLogMaxSize; size != "" {
		if _, err := resource.ParseQuantity(size); err != nil {
			errs = append(errs, fmt.Errorf("ContainerLogMaxSize %q: must be a quantity such as 10Mi: %w", size, err))
		}
	}
	if n := o.Kubelet.ContainerLogMaxFiles; n != 0 && n < 2 {
		errs = append(errs, fmt.Errorf("ContainerLogMaxFiles %d: must be at least 2", n))
	}
	if d := o.Kubelet.ContainerLogMonitorInterval; d != 0 && d < 3*time.Second {
		errs = append(errs, fmt.Errorf("ContainerLogMonitorInterval %s: must be at least 3s", d))
	}
	return errors.Join(errs...)
}
