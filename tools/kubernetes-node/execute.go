// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// execute runs a command in the machine with this process's standard files, environment and working folder, and returns its
// exit code. The command ends when this process does, unless it is detached.
func execute(dir string, detach bool, args []string) (int, error) {
	if len(args) == 0 {
		return 0, errors.New("exec needs a command")
	}
	path, err := exec.LookPath(args[0])
	if err != nil {
		return 0, err
	}
	work, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	c, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: filepath.Join(dir, socketFile), Net: "unixpacket"})
	if err != nil {
		return 0, fmt.Errorf("no machine runs: %w", err)
	}
	defer c.Close()
	b, err := json.Marshal(request{Path: path, Args: args, Env: os.Environ(), Dir: work, Detach: detach})
	if err != nil {
		return 0, err
	}
	if len(b) > maxRequest {
		return 0, fmt.Errorf("command line and environment are %d bytes, over %d", len(b), maxRequest)
	}
	if _, _, err := c.WriteMsgUnix(b, unix.UnixRights(0, 1, 2), nil); err != nil {
		return 0, err
	}
	for {
		b := make([]byte, maxRequest)
		n, err := c.Read(b)
		if err != nil {
			return 0, fmt.Errorf("the machine ended: %w", err)
		}
		var a answer
		if err := json.Unmarshal(b[:n], &a); err != nil {
			return 0, err
		}
		switch {
		case a.Error != "":
			return 0, errors.New(a.Error)
		case detach:
			return 0, nil
		case a.Ended:
			return a.Code, nil
		}
	}
}
