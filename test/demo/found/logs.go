// SPDX-License-Identifier: Apache-2.0

package found

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/demo/podlogs"
)

// LogCounts counts the stored lines of the demo's pods per source.
func LogCounts(ctx context.Context, server *backends.Server) (map[string]int64, error) {
	rows, err := server.LogsQuery(ctx,
		podlogs.Marker+` | extract "id=<source>/<n> " from _msg | stats by (source) count() as lines`, 0)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	for _, row := range rows {
		n, err := strconv.ParseInt(row["lines"], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: count of lines: %w", server.Name, err)
		}
		counts[row["source"]] = n
	}
	return counts, nil
}

// LogIDs returns how often each line of the demo's pods is stored. A line that is not whole has an identifier that nobody
// sent.
func LogIDs(ctx context.Context, server *backends.Server) (map[string]int, error) {
	rows, err := server.LogsQuery(ctx, podlogs.Marker+` | fields _msg`, 0)
	if err != nil {
		return nil, err
	}
	ids := make(map[string]int, len(rows))
	for _, row := range rows {
		ids[lineID(row["_msg"])]++
	}
	return ids, nil
}

func lineID(message string) string {
	_, rest, _ := strings.Cut(message, " id=")
	id, _, _ := strings.Cut(rest, " ")
	if !podlogs.Whole(id, message) {
		return id + ": not as it was written"
	}
	return id
}
