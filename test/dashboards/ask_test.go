// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// client keeps no connection.
var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// series is one of a query's results.
type series struct {
	Metric map[string]string
	Value  [2]any
}

// number of a series of metrics.
func (s series) number() string { text, _ := s.Value[1].(string); return text }

func post(ctx context.Context, address string, form url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return body, err
}

// askMetrics evaluates PromQL now, at a VictoriaMetrics.
func askMetrics(ctx context.Context, server, expr string) ([]series, error) {
	now := fmt.Sprintf("%.3f", float64(time.Now().UnixMilli())/1000)
	body, err := post(ctx, server+"/api/v1/query", url.Values{"query": {expr}, "time": {now}, "nocache": {"1"}})
	return decode(body, err)
}

func decode(body []byte, err error) ([]series, error) {
	var answer struct{ Data struct{ Result []series } }
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	return answer.Data.Result, err
}

// askLogs evaluates LogsQL over the last hour at a VictoriaLogs, as VictoriaLogs' data source for Grafana does for a type of query. Records
// are series without number.
func askLogs(ctx context.Context, server, kind, expr string) ([]series, error) {
	form := url.Values{"query": {expr}, "start": {"1h"}}
	switch kind {
	case "stats":
		return decode(post(ctx, server+"/select/logsql/stats_query", form))
	case "statsRange":
		form.Set("step", "1m")
		return decode(post(ctx, server+"/select/logsql/stats_query_range", form))
	case "instant":
	default:
		return nil, fmt.Errorf("type of query %q", kind)
	}
	form.Set("limit", "10")
	body, err := post(ctx, server+"/select/logsql/query", form)
	var out []series
	for line := range strings.Lines(string(body)) {
		record := map[string]string{}
		if e := json.Unmarshal([]byte(line), &record); e != nil {
			return nil, e
		}
		out = append(out, series{Metric: record})
	}
	return out, err
}
