// SPDX-License-Identifier: Apache-2.0

package tap

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of opentelemetry-proto's export requests that lead from the request to its records: resource, scope, record.
var (
	logsPath   = []protowire.Number{1, 2, 2}
	tracesPath = []protowire.Number{1, 2, 2}
	// A metric has its points in a message of its own, whose field is one of metricKinds.
	metricsPath = []protowire.Number{1, 2, 2}
	metricKinds = []protowire.Number{5, 7, 9, 10, 11}
)

// logTime is the field time_unix_nano of a log record.
const logTime = 1

var errProtobuf = errors.New("the request is not protobuf of OTLP")

// countRecords returns how many records a request has, by the end of its path. It makes no objects, so that counting costs little
// beside what is measured.
func countRecords(path string, body []byte, logAge func(time.Time)) (n int, err error) {
	switch path {
	case "logs":
		err = walk(body, logsPath, func(record []byte) error {
			n++
			if logAge != nil {
				return timeOf(record, logAge)
			}
			return nil
		})
	case "traces":
		err = walk(body, tracesPath, func([]byte) error { n++; return nil })
	default:
		err = walk(body, metricsPath, func(metric []byte) error {
			return fields(metric, func(number protowire.Number, kind []byte) error {
				if !slices.Contains(metricKinds, number) {
					return nil
				}
				return walk(kind, []protowire.Number{1}, func([]byte) error { n++; return nil })
			})
		})
	}
	return n, err
}

// walk calls each with every message at the end of a path of message fields.
func walk(message []byte, path []protowire.Number, each func([]byte) error) error {
	if len(path) == 0 {
		return each(message)
	}
	return fields(message, func(number protowire.Number, value []byte) error {
		if number != path[0] {
			return nil
		}
		return walk(value, path[1:], each)
	})
}

// fields calls each with every field that has a length: messages, strings, bytes.
func fields(message []byte, each func(protowire.Number, []byte) error) error {
	for len(message) > 0 {
		number, wire, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errProtobuf
		}
		message = message[n:]
		if wire != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, wire, message); n < 0 {
				return errProtobuf
			}
			message = message[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(message)
		if n < 0 {
			return errProtobuf
		}
		message = message[n:]
		if err := each(number, value); err != nil {
			return err
		}
	}
	return nil
}

// timeOf calls with the time of a log record.
func timeOf(record []byte, call func(time.Time)) error {
	for len(record) > 0 {
		number, wire, n := protowire.ConsumeTag(record)
		if n < 0 {
			return errProtobuf
		}
		record = record[n:]
		if number == logTime && wire == protowire.Fixed64Type && len(record) >= 8 {
			call(time.Unix(0, int64(binary.LittleEndian.Uint64(record))))
			return nil
		}
		if n = protowire.ConsumeFieldValue(number, wire, record); n < 0 {
			return errProtobuf
		}
		record = record[n:]
	}
	return errProtobuf
}
