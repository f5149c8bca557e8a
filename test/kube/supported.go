// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// ErrUnsupported is the error of a machine on which a cluster can't run; what is missing is named.
var ErrUnsupported = errors.New("no Kubernetes can run here")

// Supported says whether a cluster can run on this machine; the error is ErrUnsupported with what is missing.
func Supported() error {
	var missing []error
	if runtime.GOOS != "linux" {
		missing = append(missing, errors.New("it needs Linux"))
	} else if os.Getuid() != 0 {
		missing = append(missing, errors.New("it needs root, for namespaces, mounts and cgroups"))
	} else if err := tryNamespaces(); err != nil {
		missing = append(missing, fmt.Errorf("it needs namespaces: %w", err))
	} else if err := cgroupsVersion1(); err != nil {
		missing = append(missing, err)
	}
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, fmt.Errorf("it needs Debian's %s, for containerd and others", program))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrUnsupported, errors.Join(missing...))
}
