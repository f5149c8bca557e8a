// SPDX-License-Identifier: Apache-2.0

// Package version says which build of KOF a binary is.
package version

import (
	"runtime/debug"
	"strings"
)

// Set by the linker: -X github.com/k0rdent/kof/internal/version.version=v1.2.3, the same for commit. Left empty by a plain
// `go build` or `go install`, which is why String falls back to what the Go toolchain has recorded.
var (
	version string
	commit  string
)

// development is the version of a build that no release tag names. It sorts before every release.
const development = "0.0.0-dev"

// dirtySuffix marks a commit that the working tree differed from.
const dirtySuffix = ".dirty"

// shortCommit is how many hex digits of the commit are shown.
const shortCommit = 12

// String returns the version and the commit as one semantic version without a leading "v", the commit in the build
// metadata: "1.2.3+0123456789ab". A commit with local changes ends in ".dirty"; a build that knows no commit has no "+".
// It is one token on purpose: the collector puts it into User-Agent headers and service.version.
func String() string {
	info, _ := debug.ReadBuildInfo()
	return format(version, commit, info)
}

func format(version, commit string, info *debug.BuildInfo) string {
	if version == "" {
		version = fromModule(info)
	}
	if commit == "" {
		commit = fromVCS(info)
	}
	version = strings.TrimPrefix(version, "v")
	if version == "" {
		version = development
	}
	// The pseudo-version of a plain build, 0.0.0-20260102030405-0123456789ab or with +dirty, names its commit already.
	if commit == "" || strings.Contains(version, strings.TrimSuffix(commit, dirtySuffix)) || strings.Contains(version, "+") {
		return version
	}
	return version + "+" + commit
}

// fromModule returns the version that `go install module@version` leaves, or "".
func fromModule(info *debug.BuildInfo) string {
	if info == nil || info.Main.Version == "(devel)" {
		return ""
	}
	return info.Main.Version
}

// fromVCS returns the commit that `go build` stamps inside a checkout, or "".
func fromVCS(info *debug.BuildInfo) string {
	if info == nil {
		return ""
	}
	var revision, dirty string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(shortCommit, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = dirtySuffix
		}
	}
	if revision == "" {
		return ""
	}
	return revision + dirty
}
