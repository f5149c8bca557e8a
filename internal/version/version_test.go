// SPDX-License-Identifier: Apache-2.0

package version

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFormat(t *testing.T) {
	vcs := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{
			{Key: "vcs", Value: "git"},
			{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"},
			{Key: "vcs.modified", Value: modified},
		}
	}
	tests := []struct {
		name            string
		version, commit string
		info            *debug.BuildInfo
		want            string
	}{
		{name: "nothing known", want: "0.0.0-dev"},
		{name: "linker sets both", version: "v1.2.3", commit: "0123456789ab", want: "1.2.3+0123456789ab"},
		{name: "linker wins over the toolchain", version: "1.2.3", commit: "fedcba987654",
			info: &debug.BuildInfo{Main: debug.Module{Version: "v9.9.9"}, Settings: vcs("true")}, want: "1.2.3+fedcba987654"},
		{name: "plain build in a checkout", info: &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: vcs("false")},
			want: "0.0.0-dev+0123456789ab"},
		{name: "with local changes", info: &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: vcs("true")},
			want: "0.0.0-dev+0123456789ab.dirty"},
		{name: "go install of a release", info: &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, want: "1.2.3"},
		{name: "plain build names its commit once", info: &debug.BuildInfo{
			Main: debug.Module{Version: "v0.0.0-20260102030405-0123456789ab"}, Settings: vcs("false")},
			want: "0.0.0-20260102030405-0123456789ab"},
		{name: "one plus sign at most", info: &debug.BuildInfo{
			Main: debug.Module{Version: "v0.0.0-20260102030405-0123456789ab+dirty"}, Settings: vcs("true")},
			want: "0.0.0-20260102030405-0123456789ab+dirty"},
		{name: "short revision", info: &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}}},
			want: "0.0.0-dev+abc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, format(tt.version, tt.commit, tt.info))
		})
	}
}
