// SPDX-License-Identifier: Apache-2.0

package region

import (
	"net/netip"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

func (c *checker) auth(at string, n *yaml.Node) Auth {
	f := c.fields(at, n, "basic", "bearer")
	var a Auth
	if f["basic"] != nil && f["bearer"] != nil {
		c.addf(at, n.Line, "found both basic and bearer; allowed: at most one")
	}
	if n := f["basic"]; n != nil {
		a.Basic = c.basicAuth(child(at, "basic"), n)
	}
	if n := f["bearer"]; n != nil {
		at := child(at, "bearer")
		if f := c.fields(at, n, "token_file"); f != nil {
			a.Bearer = &BearerAuth{TokenFile: c.requiredFile(at, "token_file", n, f)}
		}
	}
	return a
}

func (c *checker) basicAuth(at string, n *yaml.Node) *BasicAuth {
	f := c.fields(at, n, "username", "username_file", "password_file")
	if f == nil {
		return nil
	}
	b := &BasicAuth{PasswordFile: c.requiredFile(at, "password_file", n, f)}
	switch name, file := f["username"], f["username_file"]; {
	case name != nil && file != nil:
		c.addf(at, n.Line, "found both username and username_file; allowed: exactly one")
	case name == nil && file == nil:
		c.addf(at, n.Line, "found neither username nor username_file; allowed: exactly one")
	}
	if n := f["username"]; n != nil {
		s, ok := c.text(child(at, "username"), n)
		// RFC 7617 section 2: a colon would end the user name.
		if ok && (s == "" || strings.Contains(s, ":") || !isHeaderValue(s)) {
			c.addf(child(at, "username"), n.Line, `found a user name (not shown) that is empty or has characters it can't have; allowed: visible ASCII characters but ":", spaces between them`)
		}
		b.Username = s
	}
	b.UsernameFile = c.file(at, "username_file", f)
	return b
}

func (c *checker) tls(at string, n *yaml.Node) TLS {
	t := TLS{MinVersion: "1.2"}
	f := c.fields(at, n, "ca_file", "cert_file", "key_file", "server_name", "insecure_skip_verify", "min_version")
	t.CAFile = c.file(at, "ca_file", f)
	t.CertFile = c.file(at, "cert_file", f)
	t.KeyFile = c.file(at, "key_file", f)
	if (f["cert_file"] == nil) != (f["key_file"] == nil) {
		c.addf(at, n.Line, "found only one of cert_file and key_file; allowed: both or neither")
	}
	if n := f["server_name"]; n != nil {
		s, ok := c.text(child(at, "server_name"), n)
		if _, err := netip.ParseAddr(s); ok && err != nil && !isHostName(s) {
			c.addf(child(at, "server_name"), n.Line, "found %s; allowed: a host name or an IP address", quote(s))
		}
		t.ServerName = s
	}
	if n := f["insecure_skip_verify"]; n != nil {
		at := child(at, "insecure_skip_verify")
		switch {
		case !c.plain(at, n):
		case n.ShortTag() != "!!bool":
			c.addf(at, n.Line, "found %s; allowed: true, false (without quotes)", kindOf(n))
		default:
			t.InsecureSkipVerify = strings.EqualFold(n.Value, "true")
		}
	}
	if n := f["min_version"]; n != nil {
		if v, ok := c.oneOf(child(at, "min_version"), n, "1.2", "1.3"); ok {
			t.MinVersion = v
		}
	}
	return t
}

func (c *checker) requiredFile(at, key string, parent *yaml.Node, f map[string]*yaml.Node) string {
	if f[key] == nil {
		c.addf(child(at, key), parent.Line, "missing; allowed: an absolute path")
	}
	return c.file(at, key, f)
}

// file returns the path under key, "" if there is none. Paths are not shown: what stands there may be the secret itself.
func (c *checker) file(at, key string, f map[string]*yaml.Node) string {
	n := f[key]
	if n == nil {
		return ""
	}
	s, ok := c.text(child(at, key), n)
	if !ok {
		return ""
	}
	control := strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
	// Not filepath.IsAbs: what a directory means may not depend on where it is checked.
	if !path.IsAbs(s) || strings.HasSuffix(s, "/") || control {
		c.addf(child(at, key), n.Line, "found what is not the absolute path of a file (not shown); allowed: an absolute path, as /etc/kof/name")
	}
	return s
}
