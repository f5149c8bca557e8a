// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/metadata"
)

// stepper is a node with one worker that is driven by hand and by a clock of its own: which turn reads what, and what happens in
// between, is the test's choice.
type stepper struct {
	*node
	w    *worker
	logs *podLogs
	now  time.Time
}

func newStepper(t *testing.T) *stepper {
	s := &stepper{node: newNode(t), now: time.Now()}
	s.cfg.IncompleteTimeout = 5 * time.Second
	t.Cleanup(func() {
		if s.w != nil {
			s.kill()
		}
	})
	return s
}

// begin starts a worker, which knows what an earlier one has stored.
func (s *stepper) begin() {
	require.NoError(s.t, s.cfg.Validate())
	storage, err := openStorage(s.t.Context(), s.storeDir)
	require.NoError(s.t, err)
	s.node.storage = storage
	s.tel = componenttest.NewTelemetry()
	set := receivertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type)
	set.TelemetrySettings = s.tel.NewTelemetrySettings()
	s.logs, err = newPodLogs(set, s.cfg, s.sink)
	require.NoError(s.t, err)
	s.logs.store, err = openStore(s.t.Context(), host{map[component.ID]component.Component{storageID: storage}}, storageID, set.ID, set.Logger)
	require.NoError(s.t, err)
	s.logs.openFiles.max = int64(s.cfg.MaxOpenFiles)
	s.w = s.logs.newWorker(context.Background())
	selection := newSelection(s.cfg, nil)
	pods, err := os.ReadDir(s.root)
	require.NoError(s.t, err)
	for _, pod := range pods {
		id, ok := parsePodDir(pod.Name())
		require.True(s.t, ok)
		containers, err := os.ReadDir(filepath.Join(s.root, pod.Name()))
		require.NoError(s.t, err)
		for _, c := range containers {
			v, rule := selection.decide(containerID{id, c.Name()}, true)
			require.Equal(s.t, included, v)
			s.w.inbox.put(containerID{id, c.Name()}, notice{added: true, rule: rule})
		}
	}
	s.poll()
}

// kill ends the worker as kill -9 would: what it has read since its last checkpoint is forgotten.
func (s *stepper) kill() {
	s.w.closeAll()
	s.logs.telemetry.Shutdown()
	require.NoError(s.t, s.logs.store.client.Close(context.Background()))
	require.NoError(s.t, s.node.storage.Shutdown(context.Background()))
	require.NoError(s.t, s.tel.Shutdown(context.Background()))
	s.w = nil
}

// relist is what the discoverer tells after a change of the container's directory.
func (s *stepper) relist() {
	for id := range s.w.containers {
		s.w.inbox.put(id, notice{})
	}
	s.poll()
}

func (s *stepper) poll() { s.w.poll(s.now) }

func (s *stepper) wait(d time.Duration) {
	s.now = s.now.Add(d)
	s.poll()
}

// turn reads once from the container whose turn it is.
func (s *stepper) turn() { s.w.serveNext(s.now) }

// settle reads until nothing is left to read now.
func (s *stepper) settle() {
	for range 10_000 {
		if len(s.w.ready) == 0 {
			return
		}
		s.turn()
	}
	require.Fail(s.t, "reads on and on")
}

// pass lets n seconds pass.
func (s *stepper) pass(n int) {
	for range n {
		s.relist()
		s.settle()
		s.wait(time.Second)
	}
}

// await reads until nothing is left to read, all waits included.
func (s *stepper) await() {
	s.relist()
	for range 10_000 {
		s.settle()
		s.wait(time.Second)
		done := true
		for _, c := range s.w.containers {
			for i, f := range c.files {
				done = done && (f.done || i == len(c.files)-1 && f.offset == f.size)
			}
		}
		if done {
			return
		}
	}
	require.Fail(s.t, "reads on and on")
}

// deliver passes on what was read, and stores how far.
func (s *stepper) deliver() { s.w.deliver(context.Background()) }

// restart is a kill right after a checkpoint.
func (s *stepper) restart() {
	s.deliver()
	s.kill()
	s.begin()
}

// expect delivers, and compares all that came, in any order across streams.
func (s *stepper) expect(want ...string) {
	s.t.Helper()
	s.deliver()
	have := s.sink.bodies()
	for i := range have {
		if len(have[i]) > 200 {
			have[i] = have[i][:20]
		}
	}
	require.ElementsMatch(s.t, want, have)
}
