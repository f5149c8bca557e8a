// SPDX-License-Identifier: Apache-2.0

// Command kube keeps a Kubernetes of one node running, from Go modules and Debian packages, apart from the machine:
//
//	go run ./test/cmd/kube up                          start it (root)
//	go run ./test/cmd/kube exec kubectl get pods -A    run a command inside; helm and ctr are there too
//	go run ./test/cmd/kube load NAME /bin/x=path …     make an image of static programs; the first is its entrypoint
//	go run ./test/cmd/kube expose 127.0.0.1:8428 …     let pods reach servers of this machine, until Ctrl-C
//	go run ./test/cmd/kube down                        end it and remove all of it
//
// See package test/kube.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/k0rdent/kof/test/kube"
)

func main() {
	dir := flag.String("dir", filepath.Join(os.TempDir(), "kof-kube"), "absolute path of the folder with what the cluster writes; removed with it")
	var kubelet kube.KubeletOptions
	flag.StringVar(&kubelet.ContainerLogMaxSize, "container-log-max-size", "", "up: size at which a container's log is rotated")
	flag.IntVar(&kubelet.ContainerLogMaxFiles, "container-log-max-files", 0, "up: how many files a container's log may have")
	flag.DurationVar(&kubelet.ContainerLogMonitorInterval, "container-log-monitor-interval", 0, "up: how often the size is looked at")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./test/cmd/kube [flags] up | down | exec COMMAND … | load NAME /PATH=FILE … | expose ADDRESS …")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, *dir, kubelet, flag.Args())
	var exit *exec.ExitError
	if errors.As(err, &exit) && flag.Arg(0) == "exec" {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kube:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, kubelet kube.KubeletOptions, args []string) error {
	if len(args) == 0 {
		flag.Usage()
		return errors.New("nothing to do")
	}
	switch command, args := args[0], args[1:]; command {
	case "up":
		_, err := kube.Start(ctx, kube.Options{Dir: dir, Stay: true, Kubelet: kubelet})
		return err
	case "down":
		return kube.Down(ctx, dir, os.Stderr)
	case "exec", "load", "expose":
		c, err := kube.Open(dir)
		if err != nil {
			return err
		}
		return errors.Join(use(ctx, c, command, args), c.Stop())
	default:
		flag.Usage()
		return fmt.Errorf("unknown command %q", command)
	}
}

func use(ctx context.Context, c *kube.Cluster, command string, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%s needs arguments", command)
	}
	switch command {
	case "exec":
		cmd := c.Command(ctx, args[0], args[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		return cmd.Run()
	case "load":
		image := kube.Image{Files: map[string]string{}}
		for _, arg := range args[1:] {
			target, source, ok := strings.Cut(arg, "=")
			if !ok {
				return fmt.Errorf("%q: must be /PATH=FILE", arg)
			}
			image.Files[target] = source
			if image.Entrypoint == nil {
				image.Entrypoint = []string{target}
			}
		}
		return c.LoadImage(ctx, args[0], image)
	default:
		for _, address := range args {
			inside, err := c.Expose(address)
			if err != nil {
				return err
			}
			fmt.Printf("%s is %s in the cluster\n", address, inside)
		}
		<-ctx.Done()
		return nil
	}
}
