// SPDX-License-Identifier: Apache-2.0

// Command chaoslogs tortures pod_logs in the real pipeline: containers log numbered lines and rotate in all ways while kof-otelcol is
// killed again and again and its VictoriaLogs goes down for a while. At the end each line has to be in the store, and what is there
// twice has to stay within the bound that the components document. README.md tells more.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/k0rdent/kof/test/backends"
)

// options are what the command line says.
type options struct {
	collector string
	duration  time.Duration
	idle      int // containers that log seldom
	busy      int
	seed      uint64
	keep      bool
}

func main() {
	var o options
	short := flag.Bool("short", false, "about a minute")
	flag.StringVar(&o.collector, "collector", "bin/kof-otelcol", "path of kof-otelcol")
	flag.DurationVar(&o.duration, "for", 10*time.Minute, "how long containers log")
	flag.Uint64Var(&o.seed, "seed", 1, "of all that is random but for times")
	flag.BoolVar(&o.keep, "keep", false, "keep the run's folder: logs, queues, configuration")
	flag.Parse()
	o.idle, o.busy = 950, 50
	if *short {
		o.duration, o.idle, o.busy = 45*time.Second, 275, 25
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "chaoslogs: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	binary, err := filepath.Abs(o.collector)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kof-chaoslogs-")
	if err != nil {
		return err
	}
	defer func() {
		if o.keep {
			fmt.Println("kept", dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	store, err := backends.StartVictoriaLogs(ctx, backends.Options{Name: "store", Dir: filepath.Join(dir, "store")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Stop()) }()
	agent, err := newAgent(dir, binary, store.URL)
	if err != nil {
		return err
	}
	defer agent.kill()
	if err := agent.start(ctx); err != nil {
		return err
	}
	w := startWriters(filepath.Join(dir, "pods"), o)
	defer w.stop()
	kills, err := torture(ctx, o, agent, store)
	w.stop()
	if err = errors.Join(err, w.err()); err != nil {
		return err
	}
	fmt.Printf("%d kills; waiting for %d lines of %d containers\n", kills, w.total(), len(w.containers))
	return judge(ctx, agent, store, w, kills)
}

// torture kills and starts the agent at random times until the time is over, and takes the store away for a while in between.
func torture(ctx context.Context, o options, a *agent, store *backends.Server) (kills int, err error) {
	random := rand.New(rand.NewPCG(o.seed, 0))
	began := time.Now()
	down, up := false, false
	for time.Since(began) < o.duration {
		if err := sleep(ctx, time.Duration(2000+random.IntN(6000))*time.Millisecond); err != nil {
			return kills, err
		}
		a.kill()
		kills++
		switch passed := time.Since(began); {
		case !down && passed > o.duration/3:
			down = true
			if err := store.Shutdown(); err != nil {
				return kills, err
			}
		case down && !up && passed > o.duration/2:
			up = true
			if err := store.Restart(ctx); err != nil {
				return kills, err
			}
		}
		// Now and then it stays away, and logs rotate meanwhile.
		if err := sleep(ctx, time.Duration(random.IntN(1500))*time.Millisecond); err != nil {
			return kills, err
		}
		if err := a.start(ctx); err != nil {
			return kills, err
		}
	}
	if down && !up {
		err = store.Restart(ctx)
	}
	return kills, err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
