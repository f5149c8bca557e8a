// SPDX-License-Identifier: Apache-2.0

// Package command holds what the commands of kofctl share: flags, connections, exit codes.
package command

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/k0rdent/kof/internal/kofctl/output"
)

// Exit codes.
const (
	OK       = 0
	Failed   = 1 // a file, the API server or a store can't be read
	BadUsage = 2
	Found    = 3 // what was looked for was found: a problem
)

// ExitCodes is the part of the help that says them.
const ExitCodes = `Exit codes:
  0  done; no problem found
  1  failed: a file, the API server or a store can't be read
  2  a flag or an argument is wrong
  3  a problem was found, and is in the output`

// Env is what commands run in.
type Env struct {
	Out, Err   io.Writer
	Kubeconfig string
	Context    string
	Namespace  string // "": all

	format string
}

// NewEnv returns an environment whose settings are flags.
func NewEnv(out, errs io.Writer, flags *pflag.FlagSet) *Env {
	e := &Env{Out: out, Err: errs}
	flags.StringVar(&e.Kubeconfig, "kubeconfig", "", "kubeconfig of the management cluster (default: $KUBECONFIG, ~/.kube/config)")
	flags.StringVar(&e.Context, "context", "", "context of the kubeconfig (default: its current one)")
	flags.StringVarP(&e.Namespace, "namespace", "n", "", "only this namespace of the management cluster (default: all)")
	flags.StringVarP(&e.format, "output", "o", "table", "table or json")
	return e
}

// Format is the output format that was asked for, for commands that have more than those of package output.
func (e *Env) Format() string { return e.format }

// Print writes a result in the format that was asked for.
func (e *Env) Print(r output.Result) error { return output.Write(e.Out, e.format, r) }

// Command returns a cobra command with the checks that all have: the arguments' number and the output format are wrong usage.
func (e *Env) Command(use, short string, args cobra.PositionalArgs, run func(*cobra.Command, []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short,
		Args: func(c *cobra.Command, given []string) error {
			if !output.Known(e.format) {
				return Usage(fmt.Errorf("--output: found %q; allowed: %s", e.format, strings.Join(output.Formats, ", ")))
			}
			return Usage(args(c, given))
		},
		RunE: run,
	}
}

// Args takes exactly the named arguments; of none, none.
func Args(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, given []string) error {
		if len(given) == len(names) {
			return nil
		}
		allowed := "flags only"
		if len(names) > 0 {
			allowed = strings.Join(names, " ")
		}
		return fmt.Errorf("%s: found the arguments %q; allowed: %s", c.CommandPath(), given, allowed)
	}
}

type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Usage marks an error as one of flags or arguments. Nil stays nil.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// ErrFound is returned by a command whose output says what the problem is.
var ErrFound = errors.New("a problem was found")

// Code writes an error that no output tells of, and returns the exit code that belongs to it.
func Code(err error, errs io.Writer) int {
	var usage usageError
	switch {
	case err == nil:
		return OK
	case errors.Is(err, ErrFound):
		return Found
	case errors.As(err, &usage):
		fmt.Fprintf(errs, "kofctl: %v\n", err)
		return BadUsage
	}
	fmt.Fprintf(errs, "kofctl: %v\n", err)
	return Failed
}
