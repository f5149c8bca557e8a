// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
)

// LogsQuery returns the records that a LogsQL query gives, field by field, on
// VictoriaLogs: at most limit of them, or all if limit is 0, in no set order
// unless the query sorts. It covers all times unless the query has a _time filter.
func (s *Server) LogsQuery(ctx context.Context, logsql string, limit int) ([]map[string]string, error) {
	form := url.Values{"query": {logsql}}
	if limit > 0 {
		form.Set("limit", strconv.Itoa(limit))
	}
	var records []map[string]string
	err := s.post(ctx, "/select/logsql/query", form, decodeLines(func(record map[string]string) {
		records = append(records, record)
	}))
	return records, err
}

// LogsCount returns how many records a LogsQL query gives, on VictoriaLogs. It
// covers all times unless the query has a _time filter.
func (s *Server) LogsCount(ctx context.Context, logsql string) (int, error) {
	records, err := s.LogsQuery(ctx, logsql+" | stats count() as count", 0)
	if err != nil {
		return 0, err
	}
	if len(records) != 1 {
		return 0, s.named(fmt.Errorf("counting %q gives %d rows instead of 1", logsql, len(records)))
	}
	count, err := strconv.Atoi(records[0]["count"])
	return count, s.named(err)
}
