// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"syscall"
)

// removeScript removes the folder when its standard input ends. A server that
// dies at the same moment may still add a file, so it tries again for 5 seconds.
const removeScript = `cat >/dev/null; n=0
while ! rm -rf -- "$1" 2>/dev/null && [ $n -lt 50 ]; do n=$((n+1)); sleep 0.1; done`

var unsafeInPath = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// tempDir is a temporary folder that goes away with this process, also when it
// is killed: a small shell in a session of its own holds the reading end of a
// pipe whose other end closes when this process ends, however it ends.
type tempDir struct {
	path    string
	alive   io.Closer
	remover *exec.Cmd
}

func newTempDir(name string) (*tempDir, error) {
	path, err := os.MkdirTemp("", "kof-"+unsafeInPath.ReplaceAllString(name, "-")+"-")
	if err != nil {
		return nil, err
	}
	remover := exec.Command("sh", "-c", removeScript, "sh", path)
	remover.Dir = "/" // not in a folder that someone may want to remove
	remover.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	alive, err := remover.StdinPipe()
	if err == nil {
		err = remover.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("temporary folder: %w", err), os.RemoveAll(path))
	}
	return &tempDir{path: path, alive: alive, remover: remover}, nil
}

// remove removes the folder; what writes to it has to have ended.
func (d *tempDir) remove() error {
	return errors.Join(os.RemoveAll(d.path), d.alive.Close(), d.remover.Wait())
}
