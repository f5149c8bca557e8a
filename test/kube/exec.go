// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// maxStderr is how much of a command's standard error an error shows, in bytes.
const maxStderr = 4 << 10

// Command returns a command that runs inside the cluster's machine, where kubectl, helm, ctr and others are in PATH with
// an administrator's kubeconfig. The file system is that of this machine but for /run, /var/lib, /var/log and /sys. It is
// killed when ctx is done.
func (c *Cluster) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.programs.Tools[nodeTool], append([]string{"exec", "-dir", c.dir, "--", name}, args...)...)
	cmd.Env = c.environ
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// Exec runs such a command and returns its standard output. The error has what it printed to standard error. Nil means no
// input.
func (c *Cluster) Exec(ctx context.Context, stdin io.Reader, name string, args ...string) (string, error) {
	cmd := c.Command(ctx, name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		text := bytes.TrimSpace(stderr.Bytes())
		return stdout.String(), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, text[max(0, len(text)-maxStderr):])
	}
	return stdout.String(), nil
}

// start starts a program inside that runs until the machine ends.
func (c *Cluster) start(name string, args ...string) error {
	log, err := os.OpenFile(filepath.Join(c.dir, "log", name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(c.programs.Tools[nodeTool], append([]string{"exec", "-dir", c.dir, "-d", "--", name}, args...)...)
	cmd.Env = c.environ
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("starting %s: %w\n%s", name, err, c.logTail(name))
	}
	return nil
}
