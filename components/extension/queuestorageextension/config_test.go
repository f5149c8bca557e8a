// SPDX-License-Identifier: Apache-2.0

package queuestorageextension

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func TestConfig(t *testing.T) {
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	problems := map[string][]string{
		"bad_no_directory":         {"directory: required"},
		"bad_relative_directory":   {`directory: found "queue", must be an absolute path`},
		"bad_root_directory":       {`directory: found "/", must be an absolute path below the root`},
		"bad_segment_bytes":        {"segment_bytes: found 1000, must be 1048576 to 67108864 bytes"},
		"bad_max_bytes_per_client": {"max_bytes_per_client: found 67108863, must be 67108864 to 17592186044416 bytes"},
		"bad_max_bytes":            {"max_bytes: found 2147483647, must be 2147483648 to 17592186044416 bytes"},
		"bad_fsync":                {`fsync: found "sometimes", must be "interval", "always" or "never"`},
		"bad_fsync_interval":       {"fsync_interval: found 2m0s, must be 10ms to 1m0s"},
		"bad_everything":           {"directory: ", "segment_bytes: ", "max_bytes_per_client: found -1, must be 4194304 to", "max_bytes: ", "fsync: ", "fsync_interval: "},
		"bad_unknown_key":          {"timeout"},
	}
	for id := range all.ToStringMap() {
		t.Run(id, func(t *testing.T) {
			sub, err := all.Sub(id)
			require.NoError(t, err)
			cfg := createDefaultConfig()
			err = sub.Unmarshal(cfg)
			if err == nil {
				err = xconfmap.Validate(cfg)
			}
			_, name, _ := strings.Cut(id, "/")
			wanted := problems[name]
			if len(wanted) == 0 {
				require.NoError(t, err)
				return
			}
			for _, want := range wanted {
				require.ErrorContains(t, err, want)
			}
			if name != "bad_unknown_key" {
				require.Len(t, strings.Split(err.Error(), "\n"), len(wanted))
			}
			delete(problems, name)
		})
	}
	require.Empty(t, problems, "every bad config was tried")

	sub, err := all.Sub("queue_storage/all")
	require.NoError(t, err)
	cfg := createDefaultConfig()
	require.NoError(t, sub.Unmarshal(cfg))
	require.Equal(t, &Config{
		Directory: "/var/lib/kof/queue", CreateDirectory: true, SegmentBytes: 8 << 20, MaxBytesPerClient: 1 << 30,
		MaxBytes: 4 << 30, Fsync: FsyncAlways, FsyncInterval: 500 * time.Millisecond,
	}, cfg)
}
