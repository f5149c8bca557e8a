// SPDX-License-Identifier: Apache-2.0

package kofctl

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/k0rdent/kof/internal/kofctl/clusters"
	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/kofctl/costs"
	"github.com/k0rdent/kof/internal/kofctl/explain"
	"github.com/k0rdent/kof/internal/kofctl/validate"
	"github.com/k0rdent/kof/internal/version"
)

// Run runs one command line and returns its exit code; see package command.
func Run(ctx context.Context, args []string, out, errs io.Writer) int {
	root := New(out, errs)
	root.SetArgs(append([]string{}, args...)) // nil would be those of the process
	return command.Code(root.ExecuteContext(ctx), errs)
}

// New returns the command with all those below it.
func New(out, errs io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           "kofctl",
		Short:         "Shows and checks KOF: which cluster sends its telemetry where, why, and whether files would be taken",
		Long:          "kofctl shows and checks KOF: which cluster sends its telemetry where, why, and whether files would be taken.\nIt only reads.\n\n" + command.ExitCodes,
		Version:       version.String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		Args: func(c *cobra.Command, given []string) error {
			if len(given) == 0 {
				return nil
			}
			var names []string
			for _, known := range c.Commands() {
				if known.IsAvailableCommand() {
					names = append(names, known.Name())
				}
			}
			return command.Usage(fmt.Errorf("found the command %q; allowed: %s", given[0], strings.Join(names, ", ")))
		},
	}
	root.SetOut(out)
	root.SetErr(errs)
	root.SetVersionTemplate("{{.Version}}\n")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return command.Usage(err) })
	env := command.NewEnv(out, errs, root.PersistentFlags())
	root.AddCommand(clusters.New(env), costs.New(env), costs.NewRightsizing(env), costs.NewTelemetry(env), explain.New(env), validate.New(env))
	return root
}
