// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPause(t *testing.T) {
	failed := errors.New("no answer")
	for name, tc := range map[string]struct {
		took time.Duration
		err  error
		want time.Duration
	}{
		"quick":     {10 * time.Millisecond, nil, 990 * time.Millisecond},
		"slow":      {600 * time.Millisecond, nil, 2400 * time.Millisecond},
		"very slow": {8 * time.Second, nil, maxPause},
		"timed out": {readTimeout, failed, readEvery},
		"refused":   {time.Millisecond, failed, readEvery},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.want, pause(tc.took, tc.err)) })
	}
}

func TestSumOf(t *testing.T) {
	among, others := sumOf(map[string]int64{"a": 1, "b": 2, "c": 4}, []string{"a", "b"})
	require.EqualValues(t, 3, among)
	require.EqualValues(t, 4, others)
}
