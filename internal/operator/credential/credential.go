// SPDX-License-Identifier: Apache-2.0

// Package credential rotates user names and passwords so that at every moment the one in use is valid, and during a rotation two are.
//
//	current ──rotate──► current + next ──overlap──► current + previous ──overlap──► current
//
// Receivers of the valid ones (VMAuth) get all; users of it (agents) get the current one. Only computes, but for randomness.
package credential

import (
	"crypto/rand"
	"encoding/base64"
	"strconv"
	"time"
)

// Login is a user name and a password.
type Login struct{ Username, Password string }

// Phases of a rotation.
const (
	Stable   = ""         // one login
	Next     = "Next"     // Other is valid, but not in use yet
	Previous = "Previous" // Other is still valid, but no longer in use
)

// State is the logins of one user.
type State struct {
	Serial  int // of the newest login; its user name ends in it
	Current Login
	Other   Login
	Phase   string
	Since   time.Time // of the phase, or of the current login while stable
	Request string    // the last request for a rotation that was heeded
}

// Policy is when to rotate.
type Policy struct {
	Interval time.Duration // between rotations; 0: only when requested
	Overlap  time.Duration // how long a new login is known before it is used, and the old one is valid after that
}

// Valid returns the logins that have to be accepted.
func (s State) Valid() []Login {
	if s.Phase == Stable {
		return []Login{s.Current}
	}
	return []Login{s.Current, s.Other}
}

// Step returns the state at a time, whether it changed, and when to look again (0: no need). Each new, non-empty request rotates
// once, after a rotation under way has ended.
func Step(s State, user, request string, now time.Time, p Policy) (next State, changed bool, after time.Duration) {
	if s.Current.Username == "" {
		s = State{Serial: 1, Current: login(user, 1), Since: now, Request: request}
		return s, true, p.Interval
	}
	if s.Phase != Stable {
		if left := p.Overlap - now.Sub(s.Since); left > 0 {
			return s, false, left
		}
		s.Since = now
		if s.Phase == Next {
			s.Phase, s.Current, s.Other = Previous, s.Other, s.Current
			return s, true, p.Overlap
		}
		s.Phase, s.Other = Stable, Login{}
		return s, true, time.Millisecond
	}
	requested := request != "" && request != s.Request
	left := p.Interval - now.Sub(s.Since)
	if !requested && (p.Interval <= 0 || left > 0) {
		return s, false, max(0, left)
	}
	s.Serial++
	s.Phase, s.Other, s.Since = Next, login(user, s.Serial), now
	if requested {
		s.Request = request
	}
	return s, true, p.Overlap
}

// login makes a password of 256 random bits.
func login(user string, serial int) Login {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	return Login{Username: user + "-" + strconv.Itoa(serial), Password: base64.RawURLEncoding.EncodeToString(b[:])}
}
