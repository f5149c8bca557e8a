// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"testing"

	"go.uber.org/goleak"
)

// The queue of controller-runtime (v0.23) hands an item to a worker that has just ended, and waits for it for good: at the end of a process nobody
// sees that.
func TestMain(m *testing.M) {
	const queue = "sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue.(*priorityqueue[...])."
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction(queue+"handleReadyItems"), goleak.IgnoreAnyFunction(queue+"handleAddBuffer"))
}
