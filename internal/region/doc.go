// SPDX-License-Identifier: Apache-2.0

/*
Package region reads the region directory: which regions exist, in which residency zone each of them is, how its
backends are reached, and which tenant belongs to which region.

A directory is one YAML document (JSON is YAML too):

	regions:                          # required, 1 to 1,000 regions by name
	  eu-west-1:
	    zone: eu                      # required, residency zone: data decided for this region never leaves it
	    metrics:                      # optional; a signal without an endpoint is held for this region, never sent elsewhere
	      endpoint: https://vmauth.eu-west-1.example/vm/insert/0/prometheus/api/v1/write   # required
	      protocol: remote_write      # remote_write (default) | otlp_http | otlp_grpc
	      compression: zstd           # see below; default: what the exporter picks for the protocol
	      headers: {X-Team: platform} # optional, sent with every request
	    logs:
	      endpoint: https://vmauth.eu-west-1.example/vli/insert/opentelemetry/v1/logs
	      protocol: otlp_http         # otlp_http (default) | otlp_grpc
	    traces:
	      endpoint: https://jaeger.eu-west-1.example:4317
	      protocol: otlp_grpc         # otlp_http (default) | otlp_grpc
	    auth:                         # optional, at most one of basic and bearer
	      basic:
	        username_file: /etc/kof/eu-west-1/username   # or username: name; exactly one of the two
	        password_file: /etc/kof/eu-west-1/password   # required
	    tls:                          # optional, every key of it too
	      ca_file: /etc/kof/eu-west-1/ca.crt
	      cert_file: /etc/kof/eu-west-1/tls.crt          # cert_file and key_file only together
	      key_file: /etc/kof/eu-west-1/tls.key
	      server_name: vmauth.eu-west-1.example
	      insecure_skip_verify: false
	      min_version: "1.3"          # "1.2" (default) | "1.3"
	    failover: [eu-central-1]      # optional, in order of preference; other regions of the same zone, each once
	  eu-central-1:
	    zone: eu
	    logs: {endpoint: "https://vmauth.eu-central-1.example/vli/insert/opentelemetry/v1/logs"}
	    auth: {bearer: {token_file: /etc/kof/eu-central-1/token}}
	tenants:                          # optional, up to 100,000 tenants by name
	  acme: {region: eu-west-1}       # required, one of the regions above

# Values

Names of regions, zones and tenants are 1 to 63 characters, letters, digits, "-", "_" and "." with a letter or a digit at
both ends; upper and lower case differ. At least one of metrics, logs and traces is required in a region.

Endpoints are absolute http or https URLs with a host, written in visible ASCII characters (other host names in
punycode), without user name, password or fragment. A query is allowed, except with otlp_grpc, whose endpoint is
scheme, host and port only.

Compression: remote_write takes zstd and snappy, otlp_http takes zstd, gzip and none, otlp_grpc takes gzip and none.

Headers: names are HTTP tokens, unique whatever their case; values are ASCII without control characters. Refused are the
hop-by-hop headers of RFC 9110 section 7.6.1, those that describe the message itself (Host, Content-Length,
Content-Type, Content-Encoding), and Authorization and Proxy-Authorization, as authentication belongs in auth.

Files (everything that ends in _file) are absolute slash-separated paths. This package never opens them: whoever
sends opens them when it sends, so that a rotated secret needs no new directory.

# What is refused

Larger than 16 MiB, more than 1,000 regions or 100,000 tenants, or more YAML nodes than such a directory needs.

The format is closed: unknown keys, repeated keys, null in the place of a value, YAML anchors, aliases, merge keys and
tags, and a second document are refused, as each of them lets a file mean something else than what its reader sees.

Zones are checked across regions: failover leads only to other regions of the same zone, and regions of two zones may not
share an endpoint, as the data of one zone would then be stored with the other's. Two endpoints are the same if host,
port (the scheme's, if none is written) and cleaned path are; case of the host, a trailing dot or slash, the query
and the scheme itself make no difference.

[Parse] reports all problems at once (the first 1,000 of them, in the order of the file), joined by [errors.Join], each as

	regions.eu-west-1.zone: found "e u"; allowed: … (line 3)

Names in a path that hold other characters than letters, digits, "-" and "_" are quoted: regions["eu.west"].zone. What
could be a secret (header values, file paths, URLs, user names, values in an unexpected place) is never repeated in a problem.
*/
package region
