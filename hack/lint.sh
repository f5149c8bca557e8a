#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What `make lint` checks. Every check runs, also after one that failed; the settings of go come from the Makefile.
set -uo pipefail

failed=0

# check NAME COMMAND…: fails when the command fails, or prints anything to standard output.
check() {
	local name=$1 start=$SECONDS output status
	shift
	output=$("$@")
	status=$?
	if ((status != 0)) || [[ -n $output ]]; then
		printf '%s\n%s: FAILED\n' "$output" "$name"
		failed=1
	else
		printf '%s: ok (%d s)\n' "$name" $((SECONDS - start))
	fi
}

go_files() { git ls-files --cached --others --exclude-standard -- '*.go'; }
unformatted() { go_files | xargs -r gofmt -l; }
without_licence() { go_files | xargs -r grep -L '^// SPDX-License-Identifier: Apache-2.0$' | sed 's/$/: no SPDX licence line/'; }
static() { "$(go run ./test/cmd/tools -path staticcheck)" -tags "$TAGS" ./...; }
verified() { go mod verify >/dev/null; }

check 'gofmt' unformatted
check 'licence lines' without_licence
check 'go vet' go vet ./...
check 'staticcheck' static
check 'go.mod is tidy' go mod tidy -diff
check 'go.sum' verified
exit "$failed"
