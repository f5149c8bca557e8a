// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
)

// minSecretSize is the length from which a text can be told from words that stand in a message by chance.
const minSecretSize = 6

// redact takes the secrets of a request out of a server's answer, which may repeat what it was sent: the Authorization header, the
// password in it, and the values of the headers that the directory sets.
func redact(text []byte, authorization string, headers map[string]string) []byte {
	scheme, credential, _ := strings.Cut(authorization, " ")
	secrets := []string{credential}
	if scheme == "Basic" {
		if pair, err := base64.StdEncoding.DecodeString(credential); err == nil {
			_, password, _ := strings.Cut(string(pair), ":")
			secrets = append(secrets, password)
		}
	}
	for _, value := range headers {
		secrets = append(secrets, value)
	}
	// The longest first: one may be a part of another.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, secret := range secrets {
		if len(secret) >= minSecretSize {
			text = bytes.ReplaceAll(text, []byte(secret), []byte("(secret)"))
		}
	}
	return text
}
