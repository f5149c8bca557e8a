// SPDX-License-Identifier: Apache-2.0

package identityprocessor

import (
	"context"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/processor"
)

// attribute is what is set on every resource.
type attribute struct {
	key, value string
	overwrite  bool
}

// identityProcessor is that of one signal, and safe for concurrent use.
type identityProcessor struct {
	attributes []attribute // those that have a value
	memory     *memory
	refusal    *refusal // nil: unknown senders are accepted
}

func newIdentityProcessor(cfg *Config, set processor.Settings, signal pipeline.Signal) (*identityProcessor, error) {
	p := &identityProcessor{memory: newMemory()}
	for _, s := range cfg.settings() {
		if s.value != "" {
			overwrite := slices.Contains(cfg.Overwrite, s.attribute)
			p.attributes = append(p.attributes, attribute{key: s.attribute, value: s.value, overwrite: overwrite})
		}
	}
	if cfg.Unattributed != UnattributedRefuse {
		return p, nil
	}
	var err error
	p.refusal, err = newRefusal(set, signal)
	return p, err
}

func (p *identityProcessor) processMetrics(ctx context.Context, md pmetric.Metrics) (pmetric.Metrics, error) {
	sender := p.refusal.sender(ctx)
	for i := range md.ResourceMetrics().Len() {
		resource := md.ResourceMetrics().At(i).Resource()
		if sender != "" && !attributed(resource) {
			return md, p.refusal.refuse(ctx, sender, md.DataPointCount())
		}
		p.identify(resource)
	}
	return md, nil
}

func (p *identityProcessor) processLogs(ctx context.Context, ld plog.Logs) (plog.Logs, error) {
	sender := p.refusal.sender(ctx)
	for i := range ld.ResourceLogs().Len() {
		resource := ld.ResourceLogs().At(i).Resource()
		if sender != "" && !attributed(resource) {
			return ld, p.refusal.refuse(ctx, sender, ld.LogRecordCount())
		}
		p.identify(resource)
	}
	return ld, nil
}

func (p *identityProcessor) processTraces(ctx context.Context, td ptrace.Traces) (ptrace.Traces, error) {
	sender := p.refusal.sender(ctx)
	for i := range td.ResourceSpans().Len() {
		resource := td.ResourceSpans().At(i).Resource()
		if sender != "" && !attributed(resource) {
			return td, p.refusal.refuse(ctx, sender, td.SpanCount())
		}
		p.identify(resource)
	}
	return td, nil
}

// identify sets what the resource doesn't name: whose its namespace was of late, then what is the agent's, or is to be overwritten.
func (p *identityProcessor) identify(resource pcommon.Resource) {
	attributes := resource.Attributes()
	p.memory.complete(attributes)
	for i := range p.attributes {
		a := &p.attributes[i]
		v, present := attributes.GetOrPutEmpty(a.key)
		if present && !isEmpty(v) && (!a.overwrite || isString(v, a.value)) {
			continue // also if it is right already: setting it allocates
		}
		v.SetStr(a.value)
	}
}

// isEmpty tells whether an attribute names nothing.
func isEmpty(v pcommon.Value) bool {
	return v.Type() == pcommon.ValueTypeEmpty || isString(v, "")
}

func isString(v pcommon.Value, s string) bool {
	return v.Type() == pcommon.ValueTypeStr && v.Str() == s
}
