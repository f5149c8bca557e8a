// SPDX-License-Identifier: Apache-2.0

// Package toolcache builds the programs that KOF's tests, demo and generation
// need (storage servers, the collector builder, linters) from the pinned Go
// modules under tools/ and keeps them in the user's cache folder, so that each
// version is built once per machine.
//
// A built program lives at
//
//	os.UserCacheDir()/kof/tools/<tool>/<key>/<tool>
//
// where key is a hash over everything that decides what is built: the tool's
// go.mod and go.sum, the Go files beside them, its package, tags and cgo
// setting, the Go version and the platform. Moving a version in
// tools/<module>/go.mod therefore gives a new key, and a key that no one has
// used for 60 days is removed by the next build of the same tool.
//
// Checksums are verified by the tool's committed go.sum on each build; the
// user's own settings of module download (GOPROXY, GOPRIVATE and so on) apply.
package toolcache
