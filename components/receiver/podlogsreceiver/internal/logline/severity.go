// SPDX-License-Identifier: Apache-2.0

package logline

import "bytes"

// Severity is a severity number of the OpenTelemetry log data model; 0 is unknown.
type Severity int32

// The lowest number of each range.
const (
	Unknown Severity = 0
	Trace   Severity = 1
	Debug   Severity = 5
	Info    Severity = 9
	Warn    Severity = 13
	Error   Severity = 17
	Fatal   Severity = 21
)

const (
	// wordsWithin is how far into a line a level's name is looked for: behind a time and a thread's name.
	wordsWithin = 72
	// keyWithin is how far into a JSON object the key of a level is looked for.
	keyWithin = 512
)

// FindSeverity finds the severity that a line names: in klog's header, as a level of a JSON object, or as a word near the
// beginning, in capitals or set off as in `[info]`, `level=info`, `error: …`.
func FindSeverity(line []byte) Severity {
	if len(line) < 4 {
		return Unknown
	}
	if s := klog(line); s != Unknown {
		return s
	}
	if line[0] == '{' {
		return jsonLevel(line[:min(len(line), keyWithin)])
	}
	head := line[:min(len(line), wordsWithin)]
	for at := 0; at < len(head); {
		if !letter(head[at]) {
			at++
			continue
		}
		start := at
		for at < len(head) && letter(head[at]) {
			at++
		}
		// Seven letters are the longest name; where the head is cut the word may go on.
		if n := at - start; n < 3 || n > 8 || at == len(head) && len(head) < len(line) {
			continue
		}
		if head[start] < 'a' && head[start+1] < 'a' || setOff(line, start, at) {
			if s := Level(head[start:at]); s != Unknown {
				return s
			}
		}
	}
	return Unknown
}

func letter(c byte) bool { return c|0x20-'a' < 26 }

// setOff says that a word which is not in capitals is no part of a sentence.
func setOff(line []byte, start, end int) bool {
	if start > 0 {
		switch line[start-1] {
		case '[', '=', '<', '|', '"', '(':
			return true
		}
	}
	return end < len(line) && line[end] == ':'
}

// klog is the severity of `I1123 18:50:26.000000 …`.
func klog(line []byte) Severity {
	if len(line) < 6 || line[5] != ' ' || line[1]-'0' > 1 || line[2]-'0' > 9 || line[3]-'0' > 3 || line[4]-'0' > 9 {
		return Unknown
	}
	switch line[0] {
	case 'I':
		return Info
	case 'W':
		return Warn
	case 'E':
		return Error
	case 'F':
		return Fatal
	default:
		return Unknown
	}
}

var levelKeys = [][]byte{[]byte(`"level":`), []byte(`"severity":`), []byte(`"lvl":`), []byte(`"levelname":`), []byte(`"log.level":`)}

// jsonLevel is the level of an object: a name, or a number as pino and bunyan have them.
func jsonLevel(head []byte) Severity {
	for _, key := range levelKeys {
		at := bytes.Index(head, key)
		if at < 0 {
			continue
		}
		value := bytes.TrimLeft(head[at+len(key):], " ")
		if len(value) > 0 && value[0] == '"' {
			end := bytes.IndexByte(value[1:], '"')
			if end < 0 {
				return Unknown
			}
			return Level(value[1 : 1+end])
		}
		if len(value) >= 2 && value[0]-'1' < 6 && value[1] == '0' {
			return [...]Severity{Trace, Debug, Info, Warn, Error, Fatal}[value[0]-'1']
		}
		return Unknown
	}
	return Unknown
}

// Level is the severity of a level's name, in any case.
func Level(name []byte) Severity {
	if len(name) < 3 || len(name) > 8 {
		return Unknown
	}
	var buf [8]byte
	for i, c := range name {
		buf[i] = c | 0x20
	}
	switch string(buf[:len(name)]) {
	case "trace", "finest":
		return Trace
	case "debug", "fine":
		return Debug
	case "info", "notice":
		return Info
	case "warn", "warning":
		return Warn
	case "error", "err", "severe":
		return Error
	case "fatal", "panic", "crit", "critical", "emerg", "alert", "dpanic":
		return Fatal
	default:
		return Unknown
	}
}
