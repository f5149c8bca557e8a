// SPDX-License-Identifier: Apache-2.0

package validate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/k0rdent/kof/internal/kofctl/command"
)

const (
	collectorName = "kof-otelcol"
	// collectorTimeout bounds its check, which starts nothing but is of 100 MB.
	collectorTimeout = time.Minute
)

// config has the collector itself check a configuration: what it takes depends on the components that are in it.
func config(env *command.Env) *cobra.Command {
	var binary string
	c := fileKind{"config", "A collector's configuration, by kof-otelcol itself", func(c *cobra.Command, file string, text []byte) ([]Problem, []string, error) {
		path, err := collector(binary)
		if err != nil {
			return nil, nil, err
		}
		problems, err := checkConfig(c.Context(), path, text)
		return problems, []string{"by " + path + ", in this environment: ${env:…} are the variables of this shell"}, err
	}}.command(env)
	c.Flags().StringVar(&binary, "collector", "", "path of kof-otelcol (default: beside kofctl, or in $PATH)")
	return c
}

// collector returns where the binary is.
func collector(given string) (string, error) {
	if given != "" {
		return exec.LookPath(given)
	}
	if own, err := os.Executable(); err == nil {
		if path, err := exec.LookPath(filepath.Join(filepath.Dir(own), collectorName)); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(collectorName)
	if err != nil {
		return "", errors.New("found no kof-otelcol beside kofctl or in $PATH, and nothing else knows what a configuration may hold; allowed: --collector PATH (`make build` makes bin/kof-otelcol)")
	}
	return path, nil
}

func checkConfig(ctx context.Context, path string, text []byte) ([]Problem, error) {
	ctx, cancel := context.WithTimeout(ctx, collectorTimeout)
	defer cancel()
	// By a file and not by yaml:TEXT, which others could read from the list of processes.
	dir, err := os.MkdirTemp("", "kofctl-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, "validate", "--config=file:"+file)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return nil, nil
	case ctx.Err() != nil || !errors.As(err, &ended):
		return nil, fmt.Errorf("%s: %w", path, errors.Join(err, ctx.Err()))
	}
	problems := said(out.String())
	if len(problems) == 0 {
		problems = []Problem{{Message: "found what the collector refuses without a word: " + err.Error()}}
	}
	return problems, nil
}

// How the collector writes its errors.
var (
	ofComponent = regexp.MustCompile(`^'(\w+)' error reading configuration for "([^"]+)"`)
	atPath      = regexp.MustCompile(`^(\w+(?:::[^:\s]+)+): (.*)$`)
	invalidKeys = regexp.MustCompile(`^'.*' has invalid keys: (.*)$`)
)

// said reads the collector's errors. Each is of the component that was named last.
func said(text string) []Problem {
	var out []Problem
	component := ""
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "Error: ")
		if m := ofComponent.FindStringSubmatch(line); m != nil {
			component = m[1] + "." + m[2]
		}
		// Headings, and what is logged of the check itself.
		if line == "" || strings.HasPrefix(line, "{") || strings.HasSuffix(line, "the following error(s):") {
			continue
		}
		if strings.HasPrefix(line, "'") && !invalidKeys.MatchString(line) {
			component = "" // of a section
		}
		if m := invalidKeys.FindStringSubmatch(line); m != nil {
			for key := range strings.SplitSeq(m[1], ", ") {
				out = append(out, Problem{Path: component + "." + key, Message: "found an unknown key; allowed: those of the component's README"})
			}
			continue
		}
		if m := atPath.FindStringSubmatch(line); m != nil {
			component, line = strings.ReplaceAll(m[1], "::", "."), m[2]
		}
		out = append(out, Problem{Path: component, Message: line})
	}
	return out
}
