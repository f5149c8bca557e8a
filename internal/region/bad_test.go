// SPDX-License-Identifier: Apache-2.0

package region

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// badFiles lists for each file in testdata/bad the problems, all of them, as "path line". 0: the line is not known.
var badFiles = map[string][]string{
	"aliases": {
		`regions.a 2`,
		`regions.a.zone 3`,
		`regions.b 5`,
		`regions.c 6`,
		`regions.c["<<"] 7`,
		`regions.c.zone 8`,
		`regions.c.failover[0] 9`,
		`regions 10`,
		`regions.d.zone 10`,
		`regions.d.logs.endpoint 10`,
		`regions 11`,
	},
	"auth": {
		`regions.a.auth 6`,
		`regions.a.auth.basic.password_file 6`,
		`regions.a.auth.basic 6`,
		`regions.a.auth.basic.username 6`,
		`regions.a.auth.basic.username_file 6`,
		`regions.a.auth.bearer.token_file 7`,
		`regions.b.auth.basic.password_file 11`,
		`regions.b.auth.basic.username 11`,
		`regions.b.tls.ca_file 12`,
		`regions.b.tls 12`,
		`regions.c.auth.basic.password_file 16`,
		`regions.c.auth.basic.username 16`,
		`regions.c.tls 17`,
	},
	"choices": {
		`regions.a.metrics.compression 4`,
		`regions.a.logs.protocol 5`,
		`regions.a.traces.compression 6`,
		`regions.b.metrics.compression 9`,
		`regions.b.logs.protocol 10`,
		`regions.b.logs.compression 10`,
		`regions.b.traces.protocol 11`,
		`regions.b.traces.compression 11`,
		`regions.b.tls.server_name 12`,
		`regions.b.tls.insecure_skip_verify 12`,
		`regions.b.tls.min_version 12`,
		`regions.c.metrics.compression 15`,
		`regions.c.logs.compression 16`,
	},
	"empty": {
		`document 0`,
	},
	"failover": {
		`regions.a.failover[0] 2`,
		`regions.a.failover[2] 2`,
		`regions.a.failover[3] 2`,
		`regions.a.failover[4] 2`,
		`regions.a.failover[5] 2`,
		`regions.b.failover[0] 3`,
		`regions.c.failover[1] 4`,
		`regions.e.zone 5`,
	},
	"headers": {
		`regions.a.metrics.headers.authorization 7`,
		`regions.a.metrics.headers.Proxy-Authorization 8`,
		`regions.a.metrics.headers.Connection 9`,
		`regions.a.metrics.headers.te 10`,
		`regions.a.metrics.headers.content-type 11`,
		`regions.a.metrics.headers[5] 12`,
		`regions.a.metrics.headers[6] 13`,
		`regions.a.metrics.headers.X-Key 14`,
		`regions.a.metrics.headers.X-Umlaut 15`,
		`regions.a.metrics.headers.X-Space 16`,
	},
	"incomplete": {
		`regions.a.zone 2`,
		`regions.b 3`,
		`regions.c.metrics.endpoint 4`,
		`regions.c.logs.endpoint 4`,
		`regions.c.auth 4`,
		`regions.c.auth.basic.password_file 4`,
		`regions.c.auth.basic 4`,
		`regions.c.auth.bearer.token_file 4`,
		`tenants.acme.region 6`,
	},
	"names": {
		`regions.-a 2`,
		`regions["a b"] 3`,
		`regions[""] 4`,
		`regions["a/../b"] 5`,
		`regions["a/../b"].zone 5`,
		`regions["a.b"].zone 6`,
		`regions["x234567890123456789012345678901234567890123456789012345678901234"] 7`,
		`regions["\u00fc"] 8`,
		`regions["\u00fc"].zone 8`,
		`tenants["acme!"] 10`,
	},
	"no_regions": {
		`regions 1`,
	},
	"no_regions_key": {
		`regions 1`,
	},
	"not_a_mapping": {
		`document 1`,
	},
	"not_yaml": {
		`document 0`,
	},
	"null_document": {
		`document 1`,
	},
	"repeated_keys": {
		`regions.a.zone 4`,
		`regions.a.logs.endpoint 5`,
		`regions.a 6`,
		`regions.a.zone 7`,
		`regions.a.metrics.headers.X-A 8`,
		`regions.a.metrics.headers[2] 8`,
		`regions.a.metrics.headers[3] 8`,
		`tenants.acme 11`,
		`tenants.acme.region 11`,
		`tenants 12`,
	},
	"second_not_yaml": {
		`document 0`,
	},
	"shared_endpoint": {
		`regions.us-1.metrics.endpoint 12`,
		`regions.us-1.logs.endpoint 13`,
		`regions.us-1.traces.endpoint 14`,
	},
	"tenants": {
		`tenants.beta.region 5`,
		`tenants.gamma.region 6`,
		`tenants.delta.region 7`,
	},
	"two_documents": {
		`document 2`,
	},
	"unknown_anchor": {
		`document 0`,
	},
	"unknown_keys": {
		`region 1`,
		`regions.a.metric 5`,
		`regions.a.logs.url 6`,
		`regions.a.auth.basic.password 8`,
		`regions.a.auth.bearer_token 9`,
		`regions.a.tls.ca 10`,
		`regions.a.tls.min-version 10`,
		`regions.a["<<"] 11`,
		`regions.a["odd key"] 12`,
		`tenants.acme.zone 14`,
	},
	"urls": {
		`regions.schemes.metrics.endpoint 4`,
		`regions.schemes.logs.endpoint 5`,
		`regions.schemes.traces.endpoint 6`,
		`regions.passwords.metrics.endpoint 9`,
		`regions.passwords.logs.endpoint 10`,
		`regions.passwords.traces.endpoint 11`,
		`regions.passwords.traces.endpoint 11`,
		`regions.passwords.traces.endpoint 11`,
		`regions.hosts.metrics.endpoint 14`,
		`regions.hosts.logs.endpoint 15`,
		`regions.hosts.traces.endpoint 16`,
		`regions.characters.metrics.endpoint 19`,
		`regions.characters.logs.endpoint 20`,
		`regions.characters.traces.endpoint 21`,
		`regions.ports.metrics.endpoint 24`,
		`regions.ports.logs.endpoint 25`,
		`regions.ports.traces.endpoint 26`,
		`regions.fragments.metrics.endpoint 29`,
		`regions.fragments.logs.endpoint 30`,
		`regions.fragments.traces.endpoint 31`,
		`regions.grpc.metrics.endpoint 34`,
		`regions.grpc.logs.endpoint 35`,
		`regions.grpc.traces.endpoint 36`,
		`regions.more.metrics.endpoint 39`,
		`regions.more.logs.endpoint 40`,
		`regions.more.traces.endpoint 41`,
	},
	"wrong_kinds": {
		`regions.a 2`,
		`regions.b 3`,
		`regions.c.zone 5`,
		`regions.c.metrics 6`,
		`regions.c.logs 7`,
		`regions.c.traces.protocol 8`,
		`regions.c.traces.compression 8`,
		`regions.c.traces.headers 8`,
		`regions.c.traces.endpoint 8`,
		`regions.c.auth 9`,
		`regions.c.tls 10`,
		`regions.c.failover 11`,
		`regions.d.zone 13`,
		`regions.d.logs.compression 14`,
		`regions.d.logs.headers.X-A 14`,
		`regions.d.logs.headers.X-B 14`,
		`regions.d.auth 15`,
		`regions.d.auth.basic 15`,
		`regions.d.auth.bearer 15`,
		`regions.d.tls.ca_file 16`,
		`regions.d.tls.insecure_skip_verify 16`,
		`regions.d.failover[0] 17`,
		`regions.d.failover[1] 17`,
		`regions 18`,
		`regions 20`,
		`tenants.acme 22`,
		`tenants.beta.region 23`,
	},
}

func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "bad", "*.yaml"))
	require.NoError(t, err)
	require.Len(t, files, len(badFiles))
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			d, err := Load(file)
			require.Error(t, err)
			require.Nil(t, d)
			t.Log(err)
			// Whatever could be a secret in the files has this in it.
			require.NotContains(t, err.Error(), "s3cret")
			var got []string
			for _, p := range problemsOf(t, err) {
				got = append(got, fmt.Sprintf("%s %d", p.path, p.line))
				if !strings.HasPrefix(p.text, "not YAML: ") {
					require.Contains(t, p.text, "; allowed: ", p.path)
				}
			}
			require.Equal(t, badFiles[name], got)
		})
	}
}
