// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
)

// deliver sends records of one format and zone until each is delivered or dropped for a reason, and settles them. It returns
// early only when ctx ends; then the records stay in the queue.
func (l *lane) deliver(ctx context.Context, recs []lanequeue.Record) {
	d := delivery{lane: l, wait: l.newBackOff()}
	for ctx.Err() == nil {
		d.to, d.changed = l.route.current()
		if d.to == nil {
			sleep(ctx, l.cfg.Retry.MaxInterval, d.changed)
			continue
		}
		if err := d.to.check(&recs[0]); err != nil {
			l.log.warn("held", "Records are held.", zap.Error(err))
			l.park(recs, d.to)
			return
		}
		if dropped, ok := d.records(ctx, recs); ok {
			l.settle(recs, lanequeue.Outcome{Delivered: itemsOf(recs) - dropped.Sum(), Dropped: dropped, Refused: d.refused})
			return
		}
	}
}

// delivery is one run of records on its way to one destination.
type delivery struct {
	*lane
	to      *destination
	changed <-chan struct{} // closed when the lane has another destination
	wait    *backoff.ExponentialBackOff
	refused []lanequeue.Refused // the last units that the server refused
}

// records makes attempts until all records are delivered or refused for good, and returns how many of their items were dropped. ok is
// false when ctx ended or the lane got another destination first.
func (d *delivery) records(ctx context.Context, recs []lanequeue.Record) (dropped lanequeue.Dropped, ok bool) {
	items := itemsOf(recs)
	d.refused = nil // what another destination refused, this one may take
	payload, dropped, err := d.payload(recs)
	if err != nil {
		// The checksum was right, so an encoder is at fault; records that no one can read are of no use.
		d.log.warn("damaged", "Dropped records that can't be decoded.", zap.Error(err), zap.Int64("items", items))
		dropped[lanequeue.ReasonDamaged] = items
		return dropped, true
	}
	refused, ok := d.send(ctx, piece{payload, items - dropped.Sum()})
	for reason, n := range refused {
		// Where series of remote write can't be told apart, each counts.
		dropped[reason] += min(n, items-dropped.Sum())
	}
	return dropped, ok
}

// payload joins the records' payloads, which protobuf allows for messages of repeated fields, in the format of the destination.
func (d *delivery) payload(recs []lanequeue.Record) (joined []byte, dropped lanequeue.Dropped, err error) {
	if len(recs) == 1 {
		joined = recs[0].Payload
	} else {
		parts := make([][]byte, len(recs))
		for i := range recs {
			parts[i] = recs[i].Payload
		}
		joined = bytes.Join(parts, nil)
	}
	format := d.to.sender.format()
	if recs[0].Format == format {
		return joined, dropped, nil
	}
	b, err := unmarshalOTLP(d.signal, joined)
	if err != nil {
		return nil, dropped, err
	}
	joined, _, dropped, err = d.codec.encode(b, format)
	return joined, dropped, err
}

// send makes attempts until a payload is delivered or refused for good, and returns how many of its items were dropped. ok is as of
// records.
func (d *delivery) send(ctx context.Context, p piece) (dropped lanequeue.Dropped, ok bool) {
	for {
		if pause := d.health.throttled(time.Now()); pause > 0 && !d.pause(ctx, pause) {
			return dropped, false
		}
		a := d.attempt(p.payload)
		switch a.verdict {
		case delivered:
			d.wait.Reset()
			d.health.delivered(time.Now())
			if a.rejected > 0 {
				d.log.warn("rejected", "The server took the request but for some items.", zap.Error(a.err))
				dropped[lanequeue.ReasonRejected] = a.rejected
				d.setAside(p, lanequeue.ReasonRejected, a)
			}
			return dropped, true
		case badData, tooLarge:
			// A wrong path or a proxy can refuse everything with the same status. Only where the endpoint takes an empty request
			// does a refusal speak of the data. It is asked each time: it can break while bad records are looked for.
			if d.attempt(nil).verdict == delivered {
				return d.dissect(ctx, p, a)
			}
		}
		if ctx.Err() != nil {
			return dropped, false
		}
		a.retryAfter = min(a.retryAfter, maxRetryAfter)
		d.health.failed(time.Now(), a)
		pause := max(d.wait.NextBackOff(), a.retryAfter)
		d.log.warn(a.class, "Can't deliver; the records are held and tried again.", zap.Error(a.err), zap.Duration("next_attempt_in", pause))
		if !d.pause(ctx, pause) {
			return dropped, false
		}
	}
}

// maxRetryAfter bounds the wait that a server may ask for.
const maxRetryAfter = time.Hour

// pause waits, and says whether the delivery can go on: ctx has not ended and the lane has no other destination.
func (d *delivery) pause(ctx context.Context, pause time.Duration) bool {
	sleep(ctx, pause, d.changed)
	to, _ := d.route.current()
	return ctx.Err() == nil && to == d.to
}

// dissect finds the units that the server refuses by halving a payload, delivers the others, and drops those.
func (d *delivery) dissect(ctx context.Context, p piece, refusal answer) (dropped lanequeue.Dropped, ok bool) {
	reason := lanequeue.ReasonRejected
	if refusal.verdict == tooLarge {
		reason = lanequeue.ReasonTooLarge
	}
	halves, err := halve(d.signal, d.to.sender.format(), p)
	if err != nil {
		// No one can read it, so that none of it can be told from the rest.
		reason = lanequeue.ReasonDamaged
		d.log.warn("damaged", "Dropped records that can't be decoded, which the server refuses.", zap.Error(refusal.err),
			zap.NamedError("decoding", err), zap.Int64("items", p.items))
	} else if len(halves) < 2 {
		d.log.warn("dropped_"+reason.String(), "Dropped what the server refuses.", zap.Error(refusal.err))
	}
	if len(halves) < 2 {
		dropped[reason] = p.items
		d.setAside(p, reason, refusal)
		return dropped, true
	}
	for _, half := range halves {
		refused, ok := d.send(ctx, half)
		if !ok {
			return dropped, false
		}
		for i, n := range refused {
			dropped[i] += n
		}
	}
	return dropped, true
}

// setAside notes what the server refused, to be kept beside the queue when the records are settled.
func (d *delivery) setAside(p piece, reason lanequeue.Reason, a answer) {
	r := lanequeue.Refused{
		Time: time.Now(), Reason: reason, Message: a.err.Error(), Items: p.items,
		Format: d.to.sender.format(), Size: len(p.payload), Payload: p.payload,
	}
	if a.verdict == delivered && a.rejected < p.items {
		r.Items, r.Payload = a.rejected, nil // the server doesn't say which
	}
	if len(r.Payload) > lanequeue.MaxRefusedPayload {
		r.Payload = nil // before it is held in memory
	}
	if len(d.refused) == lanequeue.MaxRefused {
		d.refused = slices.Delete(d.refused, 0, 1)
	}
	d.refused = append(d.refused, r)
}

// attempt sends once, and counts.
func (d *delivery) attempt(payload []byte) answer {
	a := d.to.send(d.attempts, payload)
	d.telemetry.KofRegionWireBytes.Add(d.attempts, int64(a.wireBytes), d.attrs)
	if a.verdict != delivered && d.attempts.Err() == nil {
		d.telemetry.KofRegionFailedAttempts.Add(d.attempts, 1, d.attrs, metric.WithAttributes(attribute.String("class", a.class)))
	}
	return a
}

func (l *lane) newBackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = l.cfg.Retry.InitialInterval
	b.MaxInterval = l.cfg.Retry.MaxInterval
	b.Reset()
	return b
}
