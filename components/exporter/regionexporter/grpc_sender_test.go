// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

func grpcSenderTo(t testing.TB, s signal, addr string, more ...string) sender {
	t.Helper()
	return senderTo(t, s, "http://"+addr, append([]string{"      protocol: otlp_grpc"}, more...)...)
}

func TestGRPCDelivers(t *testing.T) {
	for _, compression := range []string{`""`, "gzip", "none"} {
		b := newGRPCBackend(t, nil)
		more := []string{"      compression: " + compression, "      headers: {X-Team: platform}"}
		password := secretFile(t, "word\n")
		auth := fmt.Sprintf("    auth: {basic: {username: kof, password_file: %s}}", password)
		md, err := metrics{gauges("", "m")}.otlp()
		require.NoError(t, err)
		td, err := traces{spans("", "t")}.otlp()
		require.NoError(t, err)
		for s, payload := range map[signal][]byte{signalMetrics: md, signalLogs: logPayload(t, "l"), signalTraces: td} {
			a := grpcSenderTo(t, s, b.addr, append(more, auth)...).send(t.Context(), payload)
			require.Equal(t, delivered, a.verdict, "%s: %v", s, a.err)
			require.Equal(t, "OK", a.class)
			require.Positive(t, a.wireBytes)
		}
		require.Equal(t, map[string]int{"m": 1, "l": 1, "t": 1}, b.has())
		for _, md := range b.headers {
			require.Equal(t, []string{basic("kof", "word")}, md.Get("authorization"))
			require.Equal(t, []string{"platform"}, md.Get("x-team"))
			require.Contains(t, md.Get("user-agent")[0], "kof-test/1")
		}
		require.NoError(t, writeSecret(password, "other"))
		require.Equal(t, delivered, grpcSenderTo(t, signalLogs, b.addr, append(more, auth)...).send(t.Context(), nil).verdict)
		require.Equal(t, []string{basic("kof", "other")}, b.headers[len(b.headers)-1].Get("authorization"))
	}
}

func TestGRPCAnswers(t *testing.T) {
	withRetry, err := status.New(codes.Unavailable, "later").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(17 * time.Second)})
	require.NoError(t, err)
	throttled, err := status.New(codes.ResourceExhausted, "quota").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(18 * time.Second)})
	require.NoError(t, err)
	for _, test := range []struct {
		err  error
		want verdict
		wait time.Duration
	}{
		{status.Error(codes.InvalidArgument, "bad line"), badData, 0},
		{status.Error(codes.ResourceExhausted, "quota"), tryAgain, 0},
		{status.Error(codes.Unavailable, "restarting"), tryAgain, 0},
		{status.Error(codes.Unauthenticated, "who?"), tryAgain, 0},
		{status.Error(codes.PermissionDenied, "not you"), tryAgain, 0},
		{status.Error(codes.Unimplemented, "no such service"), tryAgain, 0},
		{status.Error(codes.Internal, "oops"), tryAgain, 0},
		{status.Error(codes.Unknown, "oops"), tryAgain, 0},
		{status.Error(codes.Canceled, "oops"), tryAgain, 0},
		{status.Error(codes.DataLoss, "oops"), tryAgain, 0},
		{status.Error(codes.Aborted, strings.Repeat("x\n", 5000)), tryAgain, 0},
		{withRetry.Err(), tryAgain, 17 * time.Second},
		{throttled.Err(), tryAgain, 18 * time.Second},
	} {
		t.Run(status.Code(test.err).String()+" "+test.wait.String(), func(t *testing.T) {
			b := newGRPCBackend(t, nil)
			b.setAnswer(func([]string) error { return test.err })
			a := grpcSenderTo(t, signalLogs, b.addr).send(t.Context(), logPayload(t, "a"))
			require.Equal(t, test.want, a.verdict)
			require.Equal(t, status.Code(test.err).String(), a.class)
			require.Equal(t, test.wait, a.retryAfter)
			require.Less(t, len(a.err.Error()), 1000)
			require.NotContains(t, a.err.Error(), "\n")
			require.Len(t, b.headers, 1, "one attempt is one request")
		})
	}
}

func TestGRPCPartialSuccess(t *testing.T) {
	b := newGRPCBackend(t, nil)
	b.rejected = 3
	a := grpcSenderTo(t, signalLogs, b.addr).send(t.Context(), logPayload(t, "a"))
	require.Equal(t, delivered, a.verdict)
	require.EqualValues(t, 3, a.rejected)
	require.ErrorContains(t, a.err, "too old")
}

// The words for a message above the limit differ with where it is noticed: as it arrives, or when it is decompressed.
func TestGRPCTooLarge(t *testing.T) {
	b := newGRPCBackend(t, nil, grpc.MaxRecvMsgSize(10_000))
	for _, compression := range []string{"none", "gzip"} {
		for name, text := range map[string]string{"compressible": strings.Repeat("x", 20_000), "incompressible": noise(20_000)} {
			a := grpcSenderTo(t, signalLogs, b.addr, "      compression: "+compression).send(t.Context(), logPayload(t, text))
			require.Equal(t, tooLarge, a.verdict, "%s %s: %v", compression, name, a.err)
		}
		require.Equal(t, delivered, grpcSenderTo(t, signalLogs, b.addr, "      compression: "+compression).send(t.Context(), logPayload(t, "x")).verdict)
	}
}

func TestGRPCNoAnswer(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		a := grpcSenderTo(t, signalLogs, strings.Trim(strings.TrimPrefix(closedURL(t), "http:"), "/")).send(t.Context(), nil)
		require.Equal(t, tryAgain, a.verdict)
		require.Equal(t, "Unavailable", a.class)
	})
	t.Run("silence", func(t *testing.T) {
		b := newGRPCBackend(t, nil)
		release := make(chan struct{})
		b.setAnswer(func([]string) error { <-release; return nil })
		defer close(release)
		a := grpcSenderTo(t, signalLogs, b.addr).send(t.Context(), nil)
		require.Equal(t, tryAgain, a.verdict)
		require.Equal(t, "DeadlineExceeded", a.class)
	})
	t.Run("black hole", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0") // it never accepts
		require.NoError(t, err)
		defer l.Close()
		start := time.Now()
		a := grpcSenderTo(t, signalLogs, l.Addr().String()).send(t.Context(), nil)
		require.Equal(t, tryAgain, a.verdict)
		require.Less(t, time.Since(start), 5*time.Second)
	})
}

// After an outage the connection must be tried as often as the lane tries, not as seldom as the library would.
func TestGRPCComesBack(t *testing.T) {
	b := newGRPCBackend(t, nil)
	snd := grpcSenderTo(t, signalLogs, b.addr)
	require.Equal(t, delivered, snd.send(t.Context(), nil).verdict)
	b.server.Stop()
	for range 30 { // long enough for the library's back-off to have grown
		require.Equal(t, tryAgain, snd.send(t.Context(), nil).verdict)
		time.Sleep(100 * time.Millisecond)
	}
	b.listen(t, b.addr)
	start := time.Now()
	require.Eventually(t, func() bool { return snd.send(t.Context(), nil).verdict == delivered }, 30*time.Second, 50*time.Millisecond)
	require.Less(t, time.Since(start), 1500*time.Millisecond)
}
