// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGrown(t *testing.T) {
	got := grown([]byte("# TYPE a_total counter\na_total{b=\"x y\"} 10\n# TYPE g gauge\ng 3\n# TYPE h histogram\nh_bucket{le=\"1\"} 4\nh_sum 2\nh_count 4\n"), 50*time.Second)
	require.Equal(t, "# TYPE a_total counter\na_total{b=\"x y\"} 15\n# TYPE g gauge\ng 3\n# TYPE h histogram\nh_bucket{le=\"1\"} 6\nh_sum 3\nh_count 6\n", string(got))
}
