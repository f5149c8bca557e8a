// SPDX-License-Identifier: Apache-2.0

package region

import (
	"net/http"
	"strings"

	"go.yaml.in/yaml/v3"
)

// endpoint returns the endpoint and, if its URL is good, the store behind it.
func (c *checker) endpoint(path string, n *yaml.Node, protocols []string) (Endpoint, *located) {
	f := c.fields(path, n, "endpoint", "protocol", "compression", "headers")
	if f == nil {
		return Endpoint{}, nil
	}
	protocol, known := protocols[0], true
	if n := f["protocol"]; n != nil {
		protocol, known = c.oneOf(child(path, "protocol"), n, protocols...)
	}
	e := Endpoint{Protocol: Protocol(protocol)}
	if n := f["compression"]; n != nil {
		allowed := []string{"zstd", "snappy", "gzip", "none", `""`}
		switch {
		case !known: // then what is allowed isn't known either
		case e.Protocol == RemoteWrite:
			allowed = []string{"zstd", "snappy", `""`}
		case e.Protocol == OTLPgRPC:
			allowed = []string{"gzip", "none", `""`} // gRPC has no agreed name for zstd, so that few servers take it
		default:
			allowed = []string{"zstd", "gzip", "none", `""`}
		}
		if n.Kind != yaml.ScalarNode || n.Value != "" || n.ShortTag() == nullTag {
			e.Compression, _ = c.oneOf(child(path, "compression"), n, allowed...)
		}
	}
	if n := f["headers"]; n != nil {
		e.Headers = c.headers(child(path, "headers"), n)
	}
	at := child(path, "endpoint")
	if f["endpoint"] == nil {
		c.addf(at, n.Line, "missing; allowed: a URL; leave out the signal if the region does not take it")
		return e, nil
	}
	raw, ok := c.text(at, f["endpoint"])
	if !ok {
		return e, nil
	}
	store, problems := checkURL(raw, e.Protocol)
	for _, p := range problems {
		c.addf(at, f["endpoint"].Line, "%s", p)
	}
	if len(problems) > 0 {
		return e, nil
	}
	e.URL = raw
	return e, &located{path: at, line: f["endpoint"].Line, value: store}
}

// refusedHeaders says by canonical name why a header is not the directory's to set.
var refusedHeaders = map[string]string{
	"Authorization":       "a header for authentication; allowed: auth of the region",
	"Proxy-Authorization": "a header for authentication; allowed: auth of the region",
	// RFC 9110 section 7.6.1, with those that older proxies still know.
	"Connection":         "a hop-by-hop header; allowed: end-to-end headers",
	"Keep-Alive":         "a hop-by-hop header; allowed: end-to-end headers",
	"Proxy-Authenticate": "a hop-by-hop header; allowed: end-to-end headers",
	"Proxy-Connection":   "a hop-by-hop header; allowed: end-to-end headers",
	"Te":                 "a hop-by-hop header; allowed: end-to-end headers",
	"Trailer":            "a hop-by-hop header; allowed: end-to-end headers",
	"Transfer-Encoding":  "a hop-by-hop header; allowed: end-to-end headers",
	"Upgrade":            "a hop-by-hop header; allowed: end-to-end headers",
	"Host":               "a header that follows from the request; allowed: others",
	"Content-Encoding":   "a header that follows from the request; allowed: others",
	"Content-Length":     "a header that follows from the request; allowed: others",
	"Content-Type":       "a header that follows from the request; allowed: others",
}

// headers never repeats a value, and a name only if it is well-formed: what isn't may be "name=value".
func (c *checker) headers(path string, n *yaml.Node) map[string]string {
	entries, ok := c.mapping(path, n)
	if !ok || len(entries) == 0 {
		return nil
	}
	headers := make(map[string]string, len(entries))
	lines := make(map[string]int, len(entries))
	for i, e := range entries {
		if !isToken(e.name) {
			c.addf(item(path, i), e.line, "found a malformed header name (not shown); allowed: letters, digits and !#$%%&'*+-.^_`|~")
			continue
		}
		at := child(path, e.name)
		// Header names are the same whatever their case.
		canonical := http.CanonicalHeaderKey(e.name)
		e.first = lines[canonical]
		if c.unique(at, e) {
			lines[canonical] = e.line
		}
		if why, refused := refusedHeaders[canonical]; refused {
			c.addf(at, e.line, "found %s", why)
		}
		value, ok := c.text(at, e.value)
		if ok && !isHeaderValue(value) {
			c.addf(at, e.value.Line, "found a value (not shown) with characters that headers can't have; allowed: visible ASCII characters, spaces and tabs between them")
		}
		headers[e.name] = value
	}
	return headers
}

// isToken tells whether s is a token of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(s[i])) {
			return false
		}
	}
	return s != ""
}

// isHeaderValue tells whether s is a field value of RFC 9110 section 5.5, without its obsolete non-ASCII part.
func isHeaderValue(s string) bool {
	for i := range len(s) {
		if s[i] != '\t' && (s[i] < ' ' || s[i] > '~') {
			return false
		}
	}
	return s == strings.Trim(s, " \t")
}

func isAlphanumeric(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}
