// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// logWindow is how often a lane logs the same kind of event.
const logWindow = time.Minute

// maxLogKinds bounds the kinds that a windowLog tells apart; further ones share a window.
const maxLogKinds = 64

// windowLog logs each kind of event at most once per window, with the number of those that it kept back.
type windowLog struct {
	logger *zap.Logger

	mu    sync.Mutex
	kinds map[string]*logKind
}

type logKind struct {
	next     time.Time
	withheld int
}

func newWindowLog(logger *zap.Logger) *windowLog {
	return &windowLog{logger: logger, kinds: map[string]*logKind{}}
}

func (w *windowLog) warn(kind, message string, fields ...zap.Field) {
	withheld, ok := w.admit(kind, time.Now())
	if !ok {
		return
	}
	if withheld > 0 {
		fields = append(fields, zap.Int("same_since_last_logged", withheld))
	}
	w.logger.Warn(message, fields...)
}

func (w *windowLog) admit(kind string, now time.Time) (withheld int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.kinds[kind]
	if k == nil {
		if len(w.kinds) >= maxLogKinds {
			kind = ""
		}
		if k = w.kinds[kind]; k == nil {
			k = &logKind{}
			w.kinds[kind] = k
		}
	}
	if now.Before(k.next) {
		k.withheld++
		return 0, false
	}
	withheld, k.withheld = k.withheld, 0
	k.next = now.Add(logWindow)
	return withheld, true
}
