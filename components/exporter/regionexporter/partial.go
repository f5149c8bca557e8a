// SPDX-License-Identifier: Apache-2.0

package regionexporter

import "google.golang.org/protobuf/encoding/protowire"

// partialSuccess reads the answer to an OTLP export: how many items the server left out, and why. The answers of the three signals
// have one shape: field 1 is a message with the count in field 1 and the reason in field 2
// (opentelemetry-proto, collector/*/v1/*_service.proto). An answer that can't be read says nothing.
func partialSuccess(body []byte) (rejected int64, message string) {
	partial, ok := field(body, 1, protowire.BytesType)
	if !ok {
		return 0, ""
	}
	inner, n := protowire.ConsumeBytes(partial)
	if n < 0 {
		return 0, ""
	}
	if count, ok := field(inner, 1, protowire.VarintType); ok {
		if v, n := protowire.ConsumeVarint(count); n > 0 {
			rejected = max(0, int64(v))
		}
	}
	if text, ok := field(inner, 2, protowire.BytesType); ok {
		if v, n := protowire.ConsumeBytes(text); n > 0 {
			message = string(v)
		}
	}
	return rejected, message
}

// field returns what follows the tag of the first field of that number and type.
func field(msg []byte, number protowire.Number, typ protowire.Type) ([]byte, bool) {
	for len(msg) > 0 {
		num, t, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return nil, false
		}
		msg = msg[n:]
		if num == number && t == typ {
			return msg, true
		}
		if n = protowire.ConsumeFieldValue(num, t, msg); n < 0 {
			return nil, false
		}
		msg = msg[n:]
	}
	return nil, false
}
