#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs `go build ARGS…` and shows how far a long one has come; a build that has little to do stays silent. What the compiler says
# passes through, and the exit status is that of go.
set -euo pipefail

[[ ${1:-} == build ]] || { echo "usage: $0 build [arguments of go build]" >&2; exit 2; }
shift

# With -v go names each package when it has compiled it; the cached ones are not named.
go build -v "$@" 2>&1 | {
	packages=0
	while IFS= read -r line; do
		if [[ $line == *[\ \	]* || $line == '#'* ]]; then
			printf '%s\n' "$line" >&2
		elif ((++packages % 100 == 0)); then
			printf 'compiled %d packages in %d s (all of the collector and what it stands on: about 2000)\n' "$packages" "$SECONDS"
		fi
	done
}
