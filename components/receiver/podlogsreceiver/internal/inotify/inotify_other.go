// SPDX-License-Identifier: Apache-2.0

//go:build !linux

// Package inotify exists on Linux only.
package inotify

import "errors"

// Watcher is never made.
type Watcher struct{}

// Event is a change in a directory.
type Event struct {
	Dir      string
	Overflow bool
}

var errUnsupported = errors.New("inotify exists on Linux only")

// New returns an error.
func New() (*Watcher, error) { return nil, errUnsupported }

// Add returns an error.
func (*Watcher) Add(string) error { return errUnsupported }

// Remove does nothing.
func (*Watcher) Remove(string) {}

// Next returns an error.
func (*Watcher) Next() (Event, error) { return Event{}, errUnsupported }

// Close does nothing.
func (*Watcher) Close() error { return nil }
