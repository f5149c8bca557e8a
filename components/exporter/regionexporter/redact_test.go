// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRedact(t *testing.T) {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("kof:pass:word"))
	for name, test := range map[string]struct {
		text, authorization string
		headers             map[string]string
		want                string
	}{
		"nothing":         {"all is well", "", nil, "all is well"},
		"bearer":          {"bad Bearer t0kent0ken.", "Bearer t0kent0ken", nil, "bad Bearer (secret)."},
		"basic":           {"bad " + basic, basic, nil, "bad Basic (secret)"},
		"decoded":         {"no kof:pass:word", basic, nil, "no kof:(secret)"},
		"header":          {"X-Key: abcdefgh", "", map[string]string{"X-Key": "abcdefgh"}, "X-Key: (secret)"},
		"within another":  {"abcdefgh abcdef", "Bearer abcdef", map[string]string{"X-Key": "abcdefgh"}, "(secret) (secret)"},
		"too short a one": {"no team 1", "", map[string]string{"X-Team": "1"}, "no team 1"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, string(redact([]byte(test.text), test.authorization, test.headers)))
		})
	}
}
