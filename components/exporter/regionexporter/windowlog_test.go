// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestWindowLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logged := observer.New(zap.DebugLevel)
		w := newWindowLog(zap.New(core))
		for range 1000 {
			w.warn("401", "Can't deliver.", zap.Error(errors.New("no such user")))
			w.warn("503", "Can't deliver.", zap.Error(errors.New("busy")))
		}
		require.Equal(t, 2, logged.Len(), "once for each kind")
		first := logged.All()[0]
		require.Equal(t, zap.WarnLevel, first.Level)
		require.Equal(t, "no such user", first.ContextMap()["error"])
		require.NotContains(t, first.ContextMap(), "same_since_last_logged")

		time.Sleep(logWindow - time.Nanosecond)
		w.warn("401", "Can't deliver.")
		require.Equal(t, 2, logged.Len())
		time.Sleep(time.Nanosecond)
		w.warn("401", "Can't deliver.")
		require.Equal(t, 3, logged.Len())
		require.EqualValues(t, 1000, logged.All()[2].ContextMap()["same_since_last_logged"])
		time.Sleep(logWindow)
		w.warn("401", "Can't deliver.")
		require.NotContains(t, logged.All()[3].ContextMap(), "same_since_last_logged", "none were kept back this time")
	})
}

// Kinds that a hostile server could make up are bounded, in memory and in the log.
func TestWindowLogKindsAreBounded(t *testing.T) {
	core, logged := observer.New(zap.DebugLevel)
	w := newWindowLog(zap.New(core))
	for i := range 10_000 {
		w.warn(fmt.Sprint(i), "Can't deliver.")
	}
	require.LessOrEqual(t, len(w.kinds), maxLogKinds+1)
	require.LessOrEqual(t, logged.Len(), maxLogKinds+1)
}
