// SPDX-License-Identifier: Apache-2.0

// Command tools builds the pinned programs under tools/ into the tool cache, so
// that tests and the demo find them there.
//
//	go run ./test/cmd/tools              what tests and the demo need
//	go run ./test/cmd/tools ocb vmagent  just these
//	go run ./test/cmd/tools -path ocb    print the path alone, for scripts
//	go run ./test/cmd/tools -list        all known tools
//
// Progress goes to standard error, paths to standard output.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"

	"github.com/k0rdent/kof/test/toolcache"
)

func main() {
	list := flag.Bool("list", false, "list all known tools instead of building")
	pathOnly := flag.Bool("path", false, "print the paths without the names")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: go run ./test/cmd/tools [-list | -path] [tool…]\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	var err error
	if *list {
		err = printTools()
	} else {
		err = build(ctx, flag.Args(), *pathOnly)
	}
	if err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "tools:", err)
		os.Exit(1)
	}
}

func build(ctx context.Context, names []string, pathOnly bool) error {
	if len(names) == 0 {
		for _, t := range toolcache.Tools() {
			if t.Default {
				names = append(names, t.Name)
			}
		}
	}
	for _, name := range names {
		path, err := toolcache.Binary(ctx, name, os.Stderr)
		if err != nil {
			return err
		}
		if pathOnly {
			fmt.Println(path)
		} else {
			fmt.Printf("%s\t%s\n", name, path)
		}
	}
	return nil
}

func printTools() error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TOOL\tMODULE\tCOLD BUILD (CPU s)\tBUILT BY DEFAULT")
	for _, t := range toolcache.Tools() {
		byDefault := ""
		if t.Default {
			byDefault = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", t.Name, t.Module, t.ColdCPU, byDefault)
	}
	return w.Flush()
}
