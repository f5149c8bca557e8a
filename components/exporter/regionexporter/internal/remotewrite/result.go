// SPDX-License-Identifier: Apache-2.0

package remotewrite

// Reason says why a data point could not be encoded. Its String is the value of the ledger's reason attribute.
type Reason uint8

const (
	// ReasonEmpty is a number point that has neither a value nor the no-recorded-value flag.
	ReasonEmpty Reason = iota
	// ReasonDeltaTemporality is a point of a sum or histogram of delta temporality.
	ReasonDeltaTemporality
	// ReasonUnspecifiedTemporality is a point of a sum or histogram that doesn't say its temporality.
	ReasonUnspecifiedTemporality
	// ReasonNoTimestamp is a point whose timestamp is 0, or less than one millisecond.
	ReasonNoTimestamp
	// ReasonInvalidName is a metric name or attribute key that normalises to nothing or is too long.
	ReasonInvalidName
	// ReasonTooManyLabels is a point with more labels than Options.MaxLabels.
	ReasonTooManyLabels
	// ReasonTooLarge is a histogram or summary point that would exceed MaxPointSize.
	ReasonTooLarge

	// NumReasons is the number of reasons; they count from 0.
	NumReasons

	// representable is no reason: the point can be encoded.
	representable = NumReasons
)

var reasonNames = [NumReasons]string{
	ReasonEmpty:                  "empty",
	ReasonDeltaTemporality:       "delta_temporality",
	ReasonUnspecifiedTemporality: "unspecified_temporality",
	ReasonNoTimestamp:            "no_timestamp",
	ReasonInvalidName:            "invalid_name",
	ReasonTooManyLabels:          "too_many_labels",
	ReasonTooLarge:               "too_large",
}

// String is the reason in lower_snake_case.
func (r Reason) String() string {
	if r < NumReasons {
		return reasonNames[r]
	}
	return "unknown"
}

// Result counts what became of the data points of one call. Points plus all of Dropped is the number of data points that
// the call was given.
type Result struct {
	// Points is the number of data points encoded.
	Points int
	// Samples is the number of remote-write samples that they became, target_info's included.
	Samples int
	// Dropped counts the data points that are not in the output, indexed by Reason.
	Dropped [NumReasons]int
	// Truncated is the number of label values that were cut to MaxLabelValueLength.
	Truncated int
}

// DroppedPoints is the sum of Dropped.
func (r *Result) DroppedPoints() int {
	n := 0
	for _, d := range r.Dropped {
		n += d
	}
	return n
}
