// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"

	"github.com/k0rdent/kof/test/chaos/collector"
)

// options are what the command line says.
type options struct {
	short, keep, list bool
	seed              uint64
	storage           string
	cells             []cell
	kinds             []collector.Kind
	binaries          map[collector.Kind]string
}

func (o options) form() string {
	if o.short {
		return "short"
	}
	return "long"
}

// randomOf returns the random numbers of a cell. They don't depend on which other cells run.
func (o options) randomOf(cell string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(cell))
	return rand.New(rand.NewPCG(o.seed, h.Sum64()))
}

func parseOptions(args []string, usage io.Writer) (options, error) {
	o := options{binaries: map[collector.Kind]string{}, kinds: []collector.Kind{collector.KOF}}
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.BoolVar(&o.short, "short", false, "the form for CI: 10 kills instead of 100, and seconds instead of longer")
	flags.BoolVar(&o.list, "list", false, "list the cells and end")
	flags.BoolVar(&o.keep, "keep", false, "keep the run's folder: configurations, logs and queues of the collectors")
	flags.Uint64Var(&o.seed, "seed", rand.Uint64N(1e6), "seed of everything random; with the same one the same is done, at about the same time")
	flags.StringVar(&o.storage, "storage", "queue_storage", "type of the storage extension that kof-otelcol queues in: queue_storage or file_storage")
	binary := flags.String("collector", "bin/kof-otelcol", "path of kof-otelcol")
	stock := flags.Bool("stock", false, "run a collector of stock components beside it")
	only := flags.String("cells", "", "regular expression of the names of the cells to run; all by default")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var errs []error
	if flags.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unknown argument %q", flags.Arg(0)))
	}
	if o.storage != "file_storage" && o.storage != "queue_storage" {
		errs = append(errs, fmt.Errorf("-storage %q: allowed are file_storage and queue_storage", o.storage))
	}
	pattern, err := regexp.Compile("^(" + *only + ")$")
	if err != nil {
		errs = append(errs, fmt.Errorf("-cells: %w", err))
	} else {
		for _, c := range cells(o.short) {
			if *only == "" || pattern.MatchString(c.name) {
				o.cells = append(o.cells, c)
			}
		}
		if len(o.cells) == 0 {
			errs = append(errs, fmt.Errorf("-cells %q: no cell has such a name; -list lists them", *only))
		}
	}
	if o.list {
		return o, errors.Join(errs...)
	}
	path, err := filepath.Abs(*binary)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		errs = append(errs, fmt.Errorf("-collector: %w; `make build` builds it", err))
	}
	o.binaries[collector.KOF] = path
	if *stock {
		o.kinds = append(o.kinds, collector.Stock)
	}
	return o, errors.Join(errs...)
}
