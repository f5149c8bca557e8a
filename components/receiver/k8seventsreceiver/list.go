// SPDX-License-Identifier: Apache-2.0

package k8seventsreceiver

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// listAll sends the events after the position, or without one those that are young enough, and moves the position to the
// time of the list. An interrupted list goes on with what wasn't sent yet.
func (s *stream) listAll(ctx context.Context) error {
	s.sender.relisted(ctx)
	if s.sent == nil {
		sent, pages, err := s.position.sent(ctx)
		if err != nil {
			return err
		}
		s.sent, s.pages = sent, pages
	}
	after, version, token := s.version, uint64(0), ""
	for {
		list, err := s.list(ctx, metav1.ListOptions{Limit: pageSize, Continue: token})
		if err != nil {
			return err // also when the token is too old: what was sent is known
		}
		if token == "" {
			if version = versionOf(list.ResourceVersion); version == 0 {
				return fmt.Errorf("resource version %q: must be a number, as every API server on etcd gives it", list.ResourceVersion)
			}
			if version < after {
				// History was turned back: the position means nothing any more.
				after = 0
				if err := s.position.keeper.Delete(ctx, versionPrefix+s.position.namespace); err != nil {
					return err
				}
			}
		}
		if events := s.unsent(list.Items, after, s.sent); len(events) > 0 {
			if err := s.sender.send(ctx, events); err != nil {
				return err
			}
			for _, e := range events {
				s.remember(fingerprint(e))
			}
			if err := s.position.addSent(ctx, s.pages, events); err != nil {
				s.fail(ctx, reasonPosition, err)
			} else {
				s.pages++
			}
		}
		if token = list.Continue; token == "" {
			break
		}
	}
	s.version = version
	s.save(ctx)
	if err := s.position.forgetSent(ctx, s.pages); err != nil {
		s.fail(ctx, reasonPosition, err)
	}
	s.sent, s.pages = nil, 0
	return nil
}

// remember notes what the list has sent, as far as the bound allows.
func (s *stream) remember(fingerprint uint64) {
	if len(s.sent) < maxPages*pageSize {
		s.sent[fingerprint] = struct{}{}
	}
}

// unsent returns the events to send, in the order in which they happened.
func (s *stream) unsent(items []corev1.Event, after uint64, sent map[uint64]struct{}) []*corev1.Event {
	var out []*corev1.Event
	for i := range items {
		e := &items[i]
		if _, ok := sent[fingerprint(e)]; ok {
			continue
		}
		v := versionOf(e.ResourceVersion)
		known := after > 0 && v > 0
		if known && v > after || !known && time.Since(lastTime(e)) < s.maxAge {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b *corev1.Event) int { return lastTime(a).Compare(lastTime(b)) })
	return out
}
