// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"path/filepath"
	"strconv"
	"strings"
)

// podID is what the name of a pod's log directory says: NAMESPACE_POD_UID (BuildPodLogsDirectory of the kubelet). None of the three
// can contain an underscore.
type podID struct{ namespace, pod, uid string }

func parsePodDir(name string) (podID, bool) {
	namespace, rest, ok := strings.Cut(name, "_")
	pod, uid, ok2 := strings.Cut(rest, "_")
	if !ok || !ok2 || namespace == "" || pod == "" || uid == "" || strings.Contains(uid, "_") {
		return podID{}, false
	}
	return podID{namespace, pod, uid}, true
}

// logName is what the name of a file in a container's log directory says.
type logName struct {
	restart int    // how often the container was restarted before
	suffix  string // of a rotated file, without the separator and `.gz`; "" is the one that the runtime writes to
	gz      bool
}

// parseLogName reads `N.log`, and `N.log.SUFFIX` or `N.log-SUFFIX` of rotated files, compressed or not. It refuses the temporary files of
// a compression under way.
func parseLogName(name string) (n logName, ok bool) {
	number, rest, ok := strings.Cut(name, ".log")
	restart, err := strconv.ParseUint(number, 10, 31)
	if !ok || err != nil {
		return n, false
	}
	n.restart = int(restart)
	return n, n.setSuffix(rest)
}

func (n *logName) setSuffix(rest string) bool {
	if rest == "" {
		return true
	}
	if rest[0] != '.' && rest[0] != '-' || strings.HasSuffix(rest, ".tmp") {
		return false
	}
	n.suffix, n.gz = strings.CutSuffix(rest[1:], ".gz")
	return n.suffix != ""
}

// compare orders the files of a container by when they were written: restarts; then rotated files, of which the kubelet's have the
// time as suffix and those of Docker and logrotate a number that grows with age; last the one that is written to.
func (n logName) compare(m logName) int {
	if n.restart != m.restart {
		return n.restart - m.restart
	}
	if n.suffix == "" || m.suffix == "" {
		return len(m.suffix) - len(n.suffix)
	}
	a, errA := strconv.ParseUint(n.suffix, 10, 16)
	b, errB := strconv.ParseUint(m.suffix, 10, 16)
	if errA == nil && errB == nil {
		return int(b) - int(a)
	}
	return strings.Compare(n.suffix, m.suffix)
}

// containerID is one container's log directory.
type containerID struct {
	podID
	container string
}

func (id containerID) dir(root string) string {
	return filepath.Join(root, id.podDir(), id.container)
}

func (id podID) podDir() string { return id.namespace + "_" + id.pod + "_" + id.uid }

// key names the container in the storage.
func (id containerID) key() string { return id.podDir() + "/" + id.container }
