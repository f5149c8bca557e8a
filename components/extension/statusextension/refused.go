// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/k0rdent/kof/internal/status"
)

// refusedLine is a line of the answer to /refused.
type refusedLine struct {
	Exporter string `json:"exporter"`
	Region   string `json:"region"`
	Signal   string `json:"signal"`
	Zone     string `json:"zone,omitempty"`
	// What was refused; nil where Error says why it can't be read.
	*status.Refused
	Error string `json:"error,omitempty"`
}

// refusedLink is the address of what a lane keeps.
func refusedLink(l status.Lane) string {
	return "refused?" + url.Values{"exporter": {l.Exporter}, "region": {l.Region}, "signal": {l.Signal}}.Encode()
}

// serveRefused answers with what the servers refused, a line of JSON each, of all lanes or of those that the query names. It reads one
// lane after the other, so that no more than what one keeps is in memory.
func serveRefused(w http.ResponseWriter, r *http.Request, lanes []laneReport, loopback bool) {
	if !loopback {
		http.Error(w, "The records that servers refused are users' data, so that they are shown on a loopback address only: set endpoint to one, such as "+
			defaultEndpoint+".", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8") // which browsers show, where they save application/x-ndjson
	if r.Method == http.MethodHead {
		return
	}
	query := r.URL.Query()
	asked := func(key, value string) bool { return !query.Has(key) || query.Get(key) == value }
	lines := json.NewEncoder(w)
	for _, l := range lanes {
		if l.RefusedKept == 0 || l.Refused == nil || !asked("exporter", l.Exporter) || !asked("region", l.Region) || !asked("signal", l.Signal) {
			continue
		}
		line := refusedLine{Exporter: l.Exporter, Region: l.Region, Signal: l.Signal, Zone: l.Zone}
		kept, err := l.Refused(r.Context())
		if err != nil {
			line.Error = cleanError(err.Error())
			kept = nil
			if lines.Encode(line) != nil {
				return
			}
		}
		for i := range kept {
			kept[i].Message = cleanError(kept[i].Message)
			line.Refused = &kept[i]
			if lines.Encode(line) != nil {
				return // whoever went away needs no answer
			}
		}
	}
}
