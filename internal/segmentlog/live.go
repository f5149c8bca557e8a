// SPDX-License-Identifier: Apache-2.0

package segmentlog

// put books a live key. The caller holds mu.
func (l *Log) put(k key, loc location) {
	old, had := l.keys.set(k, loc)
	if had {
		l.unbook(k, old)
	}
	charge := charge(k, int64(loc.length))
	s := l.byID[loc.segment]
	s.live++
	s.liveBytes += charge
	l.liveBytes += charge
}

// remove forgets a live key. The caller holds mu.
func (l *Log) remove(k key) (location, bool) {
	old, had := l.keys.delete(k)
	if had {
		l.unbook(k, old)
	}
	return old, had
}

func (l *Log) unbook(k key, loc location) {
	charge := charge(k, int64(loc.length))
	s := l.byID[loc.segment]
	s.live--
	s.liveBytes -= charge
	l.liveBytes -= charge
	l.dead = l.dead || (s.live == 0 && s != l.active)
}
