// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"bytes"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Unit is the series of one data point in a WriteRequest, or one target_info.
type Unit struct {
	End    int // offset after its last series; it begins where the one before ends
	Points int // 1, or 0 for target_info
}

// Units takes a WriteRequest of an [Encoder] apart, or several of them joined, that hold so many data points. The request doesn't say
// which series are of one point, but their order and labels do: see [pointEnd]. Series that only look like one point, such as gauges
// named x_sum and x_count beside each other, can only make too few units, and a gauge named target_info too few points; so the
// units are right exactly if their points add up. Where they don't, each series is a unit of one point. It returns an error for what is
// no WriteRequest.
func Units(request []byte, points int64) ([]Unit, error) {
	var all []series
	for at := 0; at < len(request); {
		number, typ, n := protowire.ConsumeField(request[at:])
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		s := series{end: at + n}
		if number == 1 && typ == protowire.BytesType {
			s.read(request[at : at+n])
		}
		all = append(all, s)
		at += n
	}
	var units []Unit
	var found int64
	for i := 0; i < len(all); {
		u := Unit{Points: 1}
		if all[i].name == "target_info" {
			u.Points = 0
		}
		i = pointEnd(all, i)
		u.End = all[i-1].end
		units = append(units, u)
		found += int64(u.Points)
	}
	if found == points {
		return units, nil
	}
	units = units[:0]
	for _, s := range all {
		units = append(units, Unit{End: s.end, Points: 1})
	}
	return units, nil
}

// series is what tells apart whether two time series are of one point.
type series struct {
	end          int // offset in the request
	name         string
	le, quantile string
	rest         []byte // all other labels, encoded
	time         uint64
}

// read takes what it finds in a WriteRequest.timeseries field; what can't be read is like no other series.
func (s *series) read(field []byte) {
	_, _, n := protowire.ConsumeTag(field)
	body, _ := protowire.ConsumeBytes(field[n:])
	eachField(body, func(number protowire.Number, raw, value []byte) {
		if number == 2 { // TimeSeries.samples
			eachField(value, func(number protowire.Number, _, value []byte) {
				if number == 2 {
					s.time, _ = protowire.ConsumeVarint(value)
				}
			})
			return
		}
		var label [3]string // name and value by field number
		eachField(value, func(number protowire.Number, _, value []byte) {
			if number == 1 || number == 2 {
				label[number] = string(value)
			}
		})
		switch label[1] {
		case nameLabel:
			s.name = label[2]
		case leLabel:
			s.le = label[2]
		case quantileLabel:
			s.quantile = label[2]
		default:
			s.rest = append(s.rest, raw...)
		}
	})
}

// eachField calls do for each field of a message with all of it, and with its value without tag and length.
func eachField(message []byte, do func(number protowire.Number, raw, value []byte)) {
	for len(message) > 0 {
		number, typ, tag := protowire.ConsumeTag(message)
		if tag < 0 {
			return
		}
		n := protowire.ConsumeFieldValue(number, typ, message[tag:])
		if n < 0 {
			return
		}
		raw := message[:tag+n]
		value := raw[tag:]
		if typ == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(value)
		}
		do(number, raw, value)
		message = message[tag+n:]
	}
}

// pointEnd returns the index after the last series of the point that begins at i: x_sum (some histograms have none), x_count, then
// x_bucket up to that of +Inf, or x with each quantile, all with the same time and the same other labels.
func pointEnd(all []series, i int) int {
	first := &all[i]
	stem, hasSum := strings.CutSuffix(first.name, "_sum")
	if !hasSum {
		var isCount bool
		if stem, isCount = strings.CutSuffix(first.name, "_count"); !isCount {
			return i + 1
		}
	}
	is := func(j int, name string) bool {
		return j < len(all) && all[j].name == name && all[j].time == first.time && bytes.Equal(all[j].rest, first.rest)
	}
	end := i + 1
	if hasSum {
		if !is(end, stem+"_count") || all[end].le != first.le || all[end].quantile != first.quantile {
			return i + 1
		}
		end++
	}
	buckets := end
	for is(buckets, stem+"_bucket") && all[buckets].le != "" && all[buckets].quantile == first.quantile {
		buckets++
		if all[buckets-1].le == "+Inf" {
			return buckets
		}
	}
	if !hasSum {
		return i + 1
	}
	for is(end, stem) && all[end].quantile != "" && all[end].le == first.le {
		end++
	}
	return end
}
