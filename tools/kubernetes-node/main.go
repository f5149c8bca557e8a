// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Command kubernetes-node is the machine that a one-node Kubernetes for tests runs on: a set of namespaces (mount, network,
// PID, UTS, IPC, cgroup) and cgroups of its own, in which programs can be started and of which nothing stays.
//
//	kubernetes-node hold  -dir DIR [-stay]       make the machine, then wait; undo all of it at the end
//	kubernetes-node exec  -dir DIR [-d] CMD …    run a command in the machine that DIR holds
//	kubernetes-node clean -dir DIR               undo what a killed hold left
//	kubernetes-node pause                        wait and reap: the container that holds a pod's namespaces
//
// Package test/kube drives it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
)

func init() {
	// The kernel ties a namespace that was entered, and the signal at a parent's end, to the thread; main keeps the first one.
	runtime.LockOSThread()
}

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("usage: kubernetes-node hold|exec|clean|pause …"))
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	dir := flags.String("dir", "", "absolute path of the machine's folder")
	stay := flags.Bool("stay", false, "hold: don't end with the reader of standard output")
	detach := flags.Bool("d", false, "exec: return once the command runs")
	if err := flags.Parse(os.Args[2:]); err != nil {
		fail(err)
	}
	switch os.Args[1] {
	case "hold":
		fail(hold(*dir, *stay))
	case "exec":
		code, err := execute(*dir, *detach, flags.Args())
		fail(err)
		os.Exit(code)
	case "clean":
		fail(clean(*dir))
	case "pause":
		pause()
	case joinCommand: // of hold, for the process that it starts
		fail(joinCgroups())
	case bootCommand: // of join
		fail(boot(*dir))
	default:
		fail(fmt.Errorf("unknown command %q", os.Args[1]))
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "kubernetes-node:", err)
		os.Exit(1)
	}
}
