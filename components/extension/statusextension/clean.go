// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

const (
	// maxErrorBytes bounds an error, of which there may be 3,000 on a page.
	maxErrorBytes = 1 << 10
	// maxRawErrorBytes bounds the work on one. It is larger, so that a URL cut in two is never shown.
	maxRawErrorBytes = 16 << 10
)

// notAURL stands for what can't be taken apart, and so may have a password anywhere.
const notAURL = "(not a URL)"

var urlInText = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>` + "`" + `]+`)

// cleanEndpoint returns a URL, or host:port, without user, password, query and fragment.
func cleanEndpoint(endpoint string) string {
	if endpoint == "" || strings.Contains(endpoint, "://") {
		return cleanURL(endpoint)
	}
	return strings.TrimPrefix(cleanURL("//"+endpoint), "//")
}

func cleanURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return notAURL
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String()
}

// cleanError returns the words of a server or of a library on one line, bounded, with the URLs in them cleaned.
func cleanError(s string) string {
	s = s[:min(len(s), maxRawErrorBytes)]
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r): // control characters and those that turn the direction of the text
			return -1
		default:
			return r
		}
	}, s)
	s = urlInText.ReplaceAllStringFunc(s, func(match string) string {
		// A sentence or a message in parentheses goes on right after its URL.
		bare := strings.TrimRight(match, ".,;:!?)")
		return cleanURL(bare) + match[len(bare):]
	})
	if len(s) > maxErrorBytes {
		return strings.ToValidUTF8(s[:maxErrorBytes], "") + "…"
	}
	return s
}
