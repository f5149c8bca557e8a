// SPDX-License-Identifier: Apache-2.0

// Package validate is the command `kofctl validate`: whether KOF would take a file, and why not. It asks no cluster.
package validate

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/kofctl/manifest"
	"github.com/k0rdent/kof/internal/region"
)

// New returns the command with one below it for each kind of file.
func New(env *command.Env) *cobra.Command {
	c := &cobra.Command{
		Use: "validate", Short: "Whether KOF would take a region directory, Regions, values of a chart, a collector's configuration, rules, or budgets",
		Args: func(c *cobra.Command, given []string) error {
			if len(given) == 0 {
				return nil
			}
			return command.Usage(fmt.Errorf("%s: found %q; allowed: budgets, config, directory, regions, rules, values", c.CommandPath(), given[0]))
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(directory(env), manifests(env), values(env), config(env), ruleFiles(env), budgetFiles(env))
	return c
}

// fileKind is a kind of file: how it is checked, given its name and text. An error means that it could not be looked at.
type fileKind struct {
	use, short string
	check      func(c *cobra.Command, file string, text []byte) ([]Problem, []string, error)
}

// command returns a command that checks one file.
func (k fileKind) command(env *command.Env) *cobra.Command {
	return env.Command(k.use+" FILE", k.short, command.Args("FILE"), func(c *cobra.Command, args []string) error {
		text, err := manifest.Read(args[0], c.InOrStdin())
		if err != nil {
			return err
		}
		problems, notes, err := k.check(c, args[0], text)
		if err != nil {
			return err
		}
		r := &Report{Kind: k.use, File: args[0], Valid: len(problems) == 0, Problems: problems, Notes: notes}
		if err := env.Print(r); err != nil {
			return err
		}
		if !r.Valid {
			return command.ErrFound
		}
		return nil
	})
}

func directory(env *command.Env) *cobra.Command {
	return fileKind{"directory", "A region directory, as agents read it", func(_ *cobra.Command, _ string, text []byte) ([]Problem, []string, error) {
		d, err := region.Parse(text)
		if err != nil {
			return problemsOf(err), nil, nil
		}
		return nil, []string{fmt.Sprintf("%d regions, %d tenants", len(d.Regions), len(d.Tenants))}, nil
	}}.command(env)
}
