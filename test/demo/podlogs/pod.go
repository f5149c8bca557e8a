// SPDX-License-Identifier: Apache-2.0

// Package podlogs writes log files in the layout that the kubelet uses (/var/log/pods) and in the format that CRI
// runtimes write, and rotates them as the kubelet does.
package podlogs

import (
	"fmt"
	"path/filepath"

	"github.com/k0rdent/kof/test/demo/truth"
)

// Pod is one container that writes logs.
type Pod struct {
	Namespace string
	Name      string
	// UID has the form of a Kubernetes UID.
	UID       string
	Container string
	// Region is where the pod's logs belong.
	Region string
}

// Dir returns the folder of the container's log files below root:
// <root>/<namespace>_<pod>_<uid>/<container>.
func (p Pod) Dir(root string) string {
	return filepath.Join(root, fmt.Sprintf("%s_%s_%s", p.Namespace, p.Name, p.UID), p.Container)
}

// Source returns the pod as a source of log records.
func (p Pod) Source() truth.Source {
	return truth.Source{Name: p.Namespace + "." + p.Name, Region: p.Region, Signal: truth.Logs}
}
