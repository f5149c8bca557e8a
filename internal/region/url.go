// SPDX-License-Identifier: Apache-2.0

package region

import (
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// checkURL returns what identifies the store behind an endpoint, or what is wrong with its URL. As a URL may hold a
// password or a token anywhere, problems show at most a scheme.
func checkURL(raw string, protocol Protocol) (store string, problems []string) {
	const allowed = "; allowed: http(s)://host[:port]/path"
	if raw == "" {
		return "", []string{"empty" + allowed + "; leave out the signal if the region does not take it"}
	}
	for i := range len(raw) {
		// Other characters reach the same host in more spellings than can be compared.
		if raw[i] <= ' ' || raw[i] > '~' {
			return "", []string{"found a URL (not shown) with spaces, control or non-ASCII characters; allowed: visible ASCII characters, host names in punycode"}
		}
	}
	if strings.Contains(raw, "#") {
		// What follows "#" is not looked at by the URL parser, so nothing else can be said of this one.
		return "", []string{"found a URL (not shown) with a fragment; allowed: URLs without"}
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "", []string{"found a malformed URL (not shown)" + allowed} // err repeats the URL
	}
	defaultPort := ""
	switch {
	case u.Scheme == "http":
		defaultPort = "80"
	case u.Scheme == "https":
		defaultPort = "443"
	case u.Scheme != "" && strings.HasPrefix(raw[len(u.Scheme):], "://"):
		problems = append(problems, "found a URL with the scheme "+quote(u.Scheme)+"; allowed: http, https")
	default:
		return "", []string{"found a URL (not shown) without a scheme" + allowed}
	}
	if u.User != nil {
		problems = append(problems, "found a URL (not shown) with a user name or password; allowed: URLs without, as auth belongs in auth of the region")
	}
	host, ok := normalHost(u)
	if !ok {
		problems = append(problems, "found a URL (not shown) without a valid host"+allowed)
	}
	port := u.Port()
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) || strings.HasSuffix(u.Host, ":") {
		problems = append(problems, "found a URL (not shown) with a bad port; allowed: 1 to 65535")
	} else if port != "" {
		port = strconv.FormatUint(n, 10) // 0443 is 443
	}
	if protocol == OTLPgRPC && (port == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "") {
		problems = append(problems, "found a URL (not shown) that otlp_grpc can't use; allowed: http(s)://host:port")
	}
	if len(problems) > 0 {
		return "", problems
	}
	if port == "" {
		port = defaultPort
	}
	return net.JoinHostPort(host, port) + path.Clean("/"+u.Path), nil
}

// normalHost returns the one spelling of the URL's host, and whether it is an address or a host name at all.
func normalHost(u *url.URL) (string, bool) {
	host := strings.ToLower(u.Hostname())
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().String(), true
	}
	if strings.HasPrefix(u.Host, "[") {
		return "", false
	}
	host = strings.TrimSuffix(host, ".")
	return host, isHostName(host)
}

// isHostName tells whether s is a DNS name of RFC 1123 section 2.1 (with "_", which some resolvers serve).
func isHostName(s string) bool {
	if len(s) > 253 {
		return false
	}
	label := ""
	for label = range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !isAlphanumeric(label[i]) && label[i] != '-' && label[i] != '_' {
				return false
			}
		}
	}
	// 127.1 and 0x7f000001 are addresses to some resolvers: a second spelling for the same host.
	_, err := strconv.ParseUint(label, 0, 64)
	return err != nil
}
