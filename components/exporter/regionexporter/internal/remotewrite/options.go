// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// Bounds that are not configurable. The first three are what a VictoriaMetrics with default flags accepts
// (-maxLabelsPerTimeseries, -maxLabelNameLen, -maxLabelValueLen): beyond them it drops the whole series without an error
// to the client, so the encoder has to know them for its counts to be true.
const (
	// DefaultMaxLabels is the number of labels of a series, __name__ included, when Options.MaxLabels is 0.
	DefaultMaxLabels = 40
	// MaxLabelNameLength is in bytes, after normalisation.
	MaxLabelNameLength = 256
	// MaxLabelValueLength is in bytes; longer values are cut at a character's boundary.
	MaxLabelValueLength = 4096
	// MaxMetricNameLength bounds an OTLP metric's name and unit together, in bytes.
	MaxMetricNameLength = 1024
	// MaxPointSize bounds the encoded size of one data point in bytes: every bucket or quantile of a point repeats all of
	// the point's labels, so a small point of a hostile sender could otherwise become gigabytes.
	MaxPointSize = 4 << 20
	// MaxExponentialBuckets is the number of finite buckets that an exponential histogram point becomes, at most.
	MaxExponentialBuckets = 80
	// MaxResourceLabels is the number of entries of Options.ResourceLabels.
	MaxResourceLabels = 32

	minMaxLabels = 16
	maxMaxLabels = 256
)

// Options of an Encoder. The zero value is valid.
type Options struct {
	// ResourceLabels names labels that resource attributes become on every series, beside the built-in ones (see the
	// package comment): attribute key to label name. At most MaxResourceLabels entries; a label must match
	// [a-zA-Z_][a-zA-Z0-9_]*, not begin with "__", not be longer than MaxLabelNameLength and not be one that the encoder
	// gives itself; two attributes can't share a label.
	ResourceLabels map[string]string
	// TargetInfo adds a target_info series per resource with the attributes that did not become labels.
	TargetInfo bool
	// MaxLabels bounds the labels of a series, __name__ included; 0 means DefaultMaxLabels, otherwise 16 to 256. Set it to
	// what the server accepts.
	MaxLabels int
}

var labelSyntax = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// Validate returns all problems joined, each with the key's path.
func (o Options) Validate() error {
	var errs []error
	if o.MaxLabels != 0 && (o.MaxLabels < minMaxLabels || o.MaxLabels > maxMaxLabels) {
		errs = append(errs, fmt.Errorf("max_labels: %d is not allowed, must be 0 (%d) or from %d to %d",
			o.MaxLabels, DefaultMaxLabels, minMaxLabels, maxMaxLabels))
	}
	if n := len(o.ResourceLabels); n > MaxResourceLabels {
		errs = append(errs, fmt.Errorf("resource_labels: %d entries are too many, at most %d are allowed", n, MaxResourceLabels))
	}
	taken := map[string]string{}
	for _, s := range builtinLabels() {
		taken[s.label] = "built in"
	}
	for _, l := range []string{leLabel, quantileLabel} {
		taken[l] = "reserved for buckets and quantiles"
	}
	for _, attr := range slices.Sorted(maps.Keys(o.ResourceLabels)) {
		label := o.ResourceLabels[attr]
		path := fmt.Sprintf("resource_labels::%s", attr)
		switch why, ok := taken[label]; {
		case attr == "":
			errs = append(errs, errors.New("resource_labels: an attribute's key is empty"))
		case len(label) > MaxLabelNameLength:
			errs = append(errs, fmt.Errorf("%s: a label name of %d bytes is too long, at most %d are allowed",
				path, len(label), MaxLabelNameLength))
		case !labelSyntax.MatchString(label) || len(label) > 1 && label[:2] == "__":
			errs = append(errs, fmt.Errorf("%s: %q is not allowed, must match %s and not begin with __", path, label, labelSyntax))
		case ok:
			errs = append(errs, fmt.Errorf("%s: label %q is taken: %s", path, label, why))
		default:
			taken[label] = "given to " + attr
		}
	}
	return errors.Join(errs...)
}
