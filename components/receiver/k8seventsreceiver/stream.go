// SPDX-License-Identifier: Apache-2.0

package k8seventsreceiver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

const (
	// pageSize is how many events are asked for at once: 1 to 2 MB.
	pageSize = 500
	// maxBatch is how many records are sent at once when they come one by one.
	maxBatch = 100
	// watchTime is how long a watch lasts at least; up to twice as long, so that those of many clusters don't begin anew together.
	watchTime = 30 * time.Minute
)

// errGone says that the API server no longer has what follows the position.
var errGone = errors.New("the position is no longer in the API server's history")

// stream sends the events of one namespace, or of all.
type stream struct {
	sender   *sender
	client   typedv1.EventInterface
	position position
	maxAge   time.Duration
	timeout  time.Duration
	logger   *zap.Logger
	failing  bool

	version uint64 // up to which everything was accepted; 0 if there is no position
	relist  bool   // events have to be listed before the next watch

	sent  map[uint64]struct{} // by a list that isn't complete; nil if that isn't known
	pages int                 // of it that are kept
}

// run lists and watches until the context ends.
func (s *stream) run(ctx context.Context) {
	pause := s.sender.backoff()
	gones := 0 // one after the other
	for known := false; ctx.Err() == nil; {
		var err error
		reason := reasonPosition
		if !known {
			s.version, err = s.position.version(ctx)
			known = err == nil
		}
		if known {
			reason, err = s.step(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, errGone):
			s.relist = true
			if gones++; gones > 1 {
				pause.wait(ctx)
			}
			continue
		case err == nil:
			gones = 0
			pause.reset()
			s.ok()
			continue
		}
		s.fail(ctx, reason, err)
		pause.wait(ctx)
	}
}

// step lists if it has to, then watches until that ends.
func (s *stream) step(ctx context.Context) (reason string, err error) {
	if s.version > 0 && !s.relist {
		// A position beyond the present is from before a backup was restored. A watch from there would wait in silence.
		now, err := s.list(ctx, metav1.ListOptions{Limit: 1})
		if err != nil {
			return reasonList, err
		}
		if versionOf(now.ResourceVersion) < s.version {
			s.relist = true
		}
	}
	if s.version == 0 || s.relist {
		if err := s.listAll(ctx); err != nil {
			return reasonList, err
		}
		s.relist = false
		s.ok()
	}
	return reasonWatch, s.watch(ctx)
}

func (s *stream) list(ctx context.Context, o metav1.ListOptions) (*corev1.EventList, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return s.client.List(ctx, o)
}

// watch sends what happens after the position.
func (s *stream) watch(ctx context.Context) error {
	seconds := int64(watchTime.Seconds() * (1 + rand.Float64()))
	w, err := s.client.Watch(ctx, metav1.ListOptions{
		ResourceVersion: fmt.Sprint(s.version), AllowWatchBookmarks: true, TimeoutSeconds: &seconds,
	})
	if err != nil {
		return gone(err)
	}
	defer w.Stop()
	s.ok()
	for {
		events, version, more, err := nextBatch(ctx, w.ResultChan())
		if len(events) > 0 {
			if err := s.sender.send(ctx, events); err != nil {
				return err
			}
		}
		if version > s.version {
			s.version = version
			s.save(ctx)
		}
		if err != nil {
			return gone(err)
		}
		if !more {
			return nil
		}
	}
}

// nextBatch waits for something to happen and returns what has happened then, at most maxBatch events.
func nextBatch(ctx context.Context, ch <-chan watch.Event) (events []*corev1.Event, version uint64, more bool, err error) {
	take := func(w watch.Event) {
		if w.Type == watch.Error {
			err = apierrors.FromObject(w.Object)
			return
		}
		e, ok := w.Object.(*corev1.Event)
		if !ok {
			return
		}
		version = max(version, versionOf(e.ResourceVersion))
		if w.Type == watch.Added || w.Type == watch.Modified {
			events = append(events, e)
		}
	}
	select {
	case <-ctx.Done():
		return nil, 0, false, ctx.Err()
	case w, ok := <-ch:
		if !ok {
			return nil, 0, false, nil
		}
		take(w)
	}
	for len(events) < maxBatch && err == nil {
		select {
		case w, ok := <-ch:
			if !ok {
				return events, version, false, nil
			}
			take(w)
		default:
			return events, version, true, nil
		}
	}
	return events, version, err == nil, err
}

// gone tells what only a list helps against.
func gone(err error) error {
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge) {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return err
}

// save keeps the position. When that fails nothing is lost: after a restart more is sent again.
func (s *stream) save(ctx context.Context) {
	if err := s.position.setVersion(ctx, s.version); err != nil && ctx.Err() == nil {
		s.fail(ctx, reasonPosition, err)
	}
}

// fail counts, and logs what fails when it begins.
func (s *stream) fail(ctx context.Context, reason string, err error) {
	s.sender.count(ctx, reason)
	if !s.failing {
		s.logger.Warn("Events can't be read or their position not be kept: tried again", zap.String("what", reason), zap.Error(err))
	}
	s.failing = true
}

func (s *stream) ok() {
	if s.failing {
		s.logger.Info("Events are read again")
	}
	s.failing = false
}
