// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/k0rdent/kof/internal/status"
)

// refreshSeconds is how often the page loads itself again, unless asked with ?refresh=off.
const refreshSeconds = 10

// maxListed bounds the list above the table; the table has all.
const maxListed = 10

var (
	//go:embed page.css
	style string
	//go:embed page.html
	pageText string

	// csp allows the page's one style sheet by its hash, and nothing else: no script runs, nothing is loaded.
	csp = fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		hashOf(style))

	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
		"count": count, "size": size, "perSecond": perSecond, "duration": duration,
	}).Parse(pageText))
)

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// page is what the template takes.
type page struct {
	*report
	Style     template.CSS
	Refresh   int // seconds; 0: never
	Groups    []group
	Exporters int
	Listed    []laneRow // what needs attention, up to maxListed
	More      int       // what needs attention and is not in Listed
}

// group is the lanes of one region, and of one exporter if there are several.
type group struct {
	Region, Zone, Exporter string
	Unknown                bool
	Rows                   []laneRow
}

// laneRow is a lane as the page shows it.
type laneRow struct {
	laneReport
	ID            int // of the row, for links
	StateWord     string
	StateLevel    string // class of the state's badge
	Oldest        string // age; empty when nothing is held
	LastDelivered string
	LastErrorAge  string
	CatchingUp    string // time left; empty when it isn't
	RefusedLink   string // to what the server refused; empty where nothing is kept, or not shown
}

func newPage(r *report, refresh int, loopback bool) *page {
	p := &page{report: r, Style: template.CSS(style), Refresh: refresh}
	exporters := map[string]bool{}
	for i, l := range r.Lanes {
		exporters[l.Exporter] = true
		row := newRow(l, i, r.Time)
		if loopback && l.RefusedKept > 0 && l.Refused != nil {
			row.RefusedLink = refusedLink(l.Lane)
		}
		last := len(p.Groups) - 1
		if last < 0 || p.Groups[last].Region != l.Region || p.Groups[last].Exporter != l.Exporter {
			p.Groups = append(p.Groups, group{Region: l.Region, Exporter: l.Exporter, Unknown: l.Region == unknownRegion})
			last++
		}
		g := &p.Groups[last]
		if g.Zone == "" {
			g.Zone = l.Zone
		}
		g.Rows = append(g.Rows, row)
		if len(l.Attention) > 0 && len(p.Listed) < maxListed {
			p.Listed = append(p.Listed, row)
		}
	}
	p.Exporters, p.More = len(exporters), r.Summary.NeedAttention-len(p.Listed)
	return p
}

func newRow(l laneReport, id int, now time.Time) laneRow {
	row := laneRow{laneReport: l, ID: id, StateWord: string(l.State), StateLevel: "neutral", LastDelivered: ago(now, l.Lane.LastDelivered)}
	switch {
	case l.State == status.StateHolding && l.HeldItems == 0:
		row.StateWord = "idle" // there is nothing to deliver, so that it doesn't matter that there is nowhere to
	case l.State == status.StateHolding, l.State == status.StateRetrying:
		row.StateLevel = string(levelProblem)
	case l.State == status.StateFailover:
		row.StateLevel = string(levelWarning)
	case l.State == status.StateDelivering:
		row.StateLevel = string(levelOK)
	}
	if !l.OldestHeld.IsZero() {
		row.Oldest = duration(heldFor(l.Lane, now).Seconds())
	}
	if !l.LastErrorAt.IsZero() {
		row.LastErrorAge = ago(now, l.LastErrorAt)
	}
	// What waits for a moment is the batch that fills.
	if left := catchingUp(l.Lane, l.Rates); left > 0 && delivers(l.Lane) && heldFor(l.Lane, now) > time.Minute {
		row.CatchingUp = duration(left.Seconds())
	}
	return row
}

// handler serves the page, the JSON and, on loopback, what servers refused.
func handler(current func() *report, loopback bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		refresh := refreshSeconds
		if r.URL.Query().Get("refresh") == "off" {
			refresh = 0
		}
		var body bytes.Buffer
		if err := pageTemplate.Execute(&body, newPage(current(), refresh, loopback)); err != nil {
			http.Error(w, "The page can't be made: "+err.Error(), http.StatusInternalServerError)
			return
		}
		answer(w, "text/html; charset=utf-8", body.Bytes())
	})
	mux.HandleFunc("GET /api/v1/lanes", func(w http.ResponseWriter, _ *http.Request) {
		body, err := json.MarshalIndent(current(), "", "  ")
		if err != nil {
			http.Error(w, "The report can't be made: "+err.Error(), http.StatusInternalServerError)
			return
		}
		answer(w, "application/json", append(body, '\n'))
	})
	mux.HandleFunc("GET /refused", func(w http.ResponseWriter, r *http.Request) { serveRefused(w, r, current().Lanes, loopback) })
	return mux
}

func answer(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // whoever went away needs no answer
}
