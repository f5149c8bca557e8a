// SPDX-License-Identifier: Apache-2.0

package identityprocessor

import (
	"context"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// attribute is what is set on every resource.
type attribute struct {
	key, value string
	overwrite  bool
}

// identityProcessor is the same for all signals and holds no state, so it is safe for concurrent use.
type identityProcessor struct {
	attributes []attribute // those that have a value
}

func newIdentityProcessor(cfg *Config) *identityProcessor {
	p := &identityProcessor{}
	for _, s := range cfg.settings() {
		if s.value != "" {
			overwrite := slices.Contains(cfg.Overwrite, s.attribute)
			p.attributes = append(p.attributes, attribute{key: s.attribute, value: s.value, overwrite: overwrite})
		}
	}
	return p
}

func (p *identityProcessor) processMetrics(_ context.Context, md pmetric.Metrics) (pmetric.Metrics, error) {
	for i := range md.ResourceMetrics().Len() {
		p.identify(md.ResourceMetrics().At(i).Resource())
	}
	return md, nil
}

func (p *identityProcessor) processLogs(_ context.Context, ld plog.Logs) (plog.Logs, error) {
	for i := range ld.ResourceLogs().Len() {
		p.identify(ld.ResourceLogs().At(i).Resource())
	}
	return ld, nil
}

func (p *identityProcessor) processTraces(_ context.Context, td ptrace.Traces) (ptrace.Traces, error) {
	for i := range td.ResourceSpans().Len() {
		p.identify(td.ResourceSpans().At(i).Resource())
	}
	return td, nil
}

// identify sets what the resource doesn't name yet, or what is to be overwritten.
func (p *identityProcessor) identify(resource pcommon.Resource) {
	attributes := resource.Attributes()
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
