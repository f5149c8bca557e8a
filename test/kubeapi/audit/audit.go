// SPDX-License-Identifier: Apache-2.0

// Package audit reads the audit log of an API server: what one client asked it for, and how often it will ask again.
package audit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// policy logs the metadata of a user's requests: a watch at its start and at its end. Of other clients' requests there may be many.
const policy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {level: Metadata, users: [%q]}
  - level: None
`

// maxLine bounds a line of the log, in bytes.
const maxLine = 1 << 20

// Flags writes a policy into dir, and returns the flags with which kube-apiserver keeps a log of a user's requests there, and the log's path.
func Flags(dir, user string) (flags []string, log string, err error) {
	path := filepath.Join(dir, "audit.yaml")
	log = filepath.Join(dir, "audit.json")
	return []string{"--audit-policy-file=" + path, "--audit-log-path=" + log}, log, os.WriteFile(path, fmt.Appendf(nil, policy, user), 0o600)
}

// Request is one request to the API server.
type Request struct {
	Verb, Resource string
	Received       time.Time
	Open           bool          // a watch that goes on
	Lasts          time.Duration // of a watch: what its client asked for
}

// What is what the request asks for, such as "watch pods".
func (r Request) What() string { return r.Verb + " " + r.Resource }

// event is the part of an audit.k8s.io/v1 Event that is read.
type event struct {
	AuditID    string `json:"auditID"`
	Stage      string
	Verb       string
	RequestURI string `json:"requestURI"`
	User       struct{ Username string }
	ObjectRef  struct{ Resource string }
	Received   time.Time `json:"requestReceivedTimestamp"`
}

// Read returns a user's requests, oldest first. A watch without an end is an error.
func Read(log, user string) ([]Request, error) {
	f, err := os.Open(log)
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	defer f.Close()
	at := map[string]int{}
	var all []Request
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		var e event
		if json.Unmarshal(scanner.Bytes(), &e) != nil || e.User.Username != user {
			continue // the last line may not be whole yet
		}
		if i, ok := at[e.AuditID]; ok {
			all[i].Open = all[i].Open && e.Stage == "ResponseStarted"
			continue
		}
		r := Request{Verb: e.Verb, Resource: e.ObjectRef.Resource, Received: e.Received, Open: e.Stage == "ResponseStarted"}
		if e.Verb == "watch" {
			if r.Lasts, err = lasts(e.RequestURI); err != nil {
				return nil, err
			}
		}
		at[e.AuditID] = len(all)
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b Request) int { return a.Received.Compare(b.Received) })
	return all, scanner.Err()
}

func lasts(uri string) (time.Duration, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return 0, fmt.Errorf("audit log: %w", err)
	}
	seconds, err := strconv.Atoi(u.Query().Get("timeoutSeconds"))
	if err != nil || seconds <= 0 {
		return 0, errors.Join(fmt.Errorf("audit log: a watch without an end: %s", uri), err)
	}
	return time.Duration(seconds) * time.Second, nil
}

// PerHour works out what a client asks in an hour: to renew its open watches, which each last for minutes, by what their requests say; and
// else as it did between two times.
func PerHour(all []Request, from, to time.Time) (watches, others float64) {
	for _, r := range all {
		switch {
		case r.Open:
			watches += float64(time.Hour) / float64(r.Lasts)
		case r.Received.After(from) && r.Received.Before(to):
			others += float64(time.Hour) / float64(to.Sub(from))
		}
	}
	return watches, others
}

// Count counts requests by what they ask for.
func Count(all []Request) map[string]int {
	counts := map[string]int{}
	for _, r := range all {
		counts[r.What()]++
	}
	return counts
}
