// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"bytes"

	"github.com/valyala/fastjson"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/logline"
)

const (
	// maxMembers bounds the attributes of a record that come from its JSON object, those of nested objects included.
	maxMembers = 256
	// maxDepth bounds how deep objects and arrays are taken apart; what is deeper stays JSON.
	maxDepth = 8
)

// parseJSON makes the members of a line's object attributes: the message the body, the level the severity. It returns false for a
// line that isn't an object, and leaves the record as it was.
func (w *worker) parseJSON(r plog.LogRecord, line string) bool {
	if line == "" || line[0] != '{' {
		return false
	}
	v, err := w.json.Parse(line)
	if err != nil {
		return false
	}
	object, err := v.Object()
	if err != nil {
		return false
	}
	left := maxMembers
	body := ""
	object.Visit(func(key []byte, v *fastjson.Value) {
		switch string(key) {
		case "msg", "message", "log", "body":
			if text := v.GetStringBytes(); body == "" && len(text) > 0 {
				body = string(text)
				return
			}
		case "level", "severity", "lvl", "levelname", "log.level":
			if text := v.GetStringBytes(); len(text) > 0 && r.SeverityText() == "" {
				r.SetSeverityText(string(text))
				r.SetSeverityNumber(plog.SeverityNumber(logline.Level(text)))
				return
			}
		}
		if left--; left < 0 || reserved(key) {
			r.SetDroppedAttributesCount(r.DroppedAttributesCount() + 1)
			return
		}
		setValue(r.Attributes().PutEmpty(string(key)), v, maxDepth, &left)
	})
	if body == "" {
		body = line
	}
	r.Body().SetStr(body)
	return true
}

// reserved tells the members that would speak for a tenant or region: kof.tenant, or tenant in kof, which stores don't tell apart.
func reserved(key []byte) bool {
	rest, found := bytes.CutPrefix(key, []byte("kof"))
	return found && (len(rest) == 0 || rest[0] == '.')
}

func setValue(to pcommon.Value, v *fastjson.Value, depth int, left *int) {
	kind := v.Type()
	if depth == 0 && (kind == fastjson.TypeObject || kind == fastjson.TypeArray) {
		to.SetStr(v.String())
		return
	}
	switch kind {
	case fastjson.TypeString:
		to.SetStr(string(v.GetStringBytes()))
	case fastjson.TypeNumber:
		if n, err := v.Int64(); err == nil {
			to.SetInt(n)
		} else {
			to.SetDouble(v.GetFloat64())
		}
	case fastjson.TypeTrue, fastjson.TypeFalse:
		to.SetBool(kind == fastjson.TypeTrue)
	case fastjson.TypeObject:
		members := to.SetEmptyMap()
		v.GetObject().Visit(func(key []byte, v *fastjson.Value) {
			if *left--; *left >= 0 {
				setValue(members.PutEmpty(string(key)), v, depth-1, left)
			}
		})
	case fastjson.TypeArray:
		elements := to.SetEmptySlice()
		for _, v := range v.GetArray() {
			if *left--; *left >= 0 {
				setValue(elements.AppendEmpty(), v, depth-1, left)
			}
		}
	}
}
