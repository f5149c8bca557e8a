// SPDX-License-Identifier: Apache-2.0

// Command workload is what runs in the pods of package dashboards' cluster:
//
//   - /metrics serves a file in which counters and histograms grow with time, or what another server says;
//   - /live answers every third request with an error, for a probe that fails now and then;
//   - lines of several severities on standard output, names that are looked up;
//   - spans of a service that is called and calls, some with errors, by OTLP to the node's agent;
//   - some CPU time.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

func main() {
	file := flag.String("expose", "", "file that /metrics serves")
	other := flag.String("proxy", "", "URL whose answer /metrics is, in place of a file")
	otlp := flag.String("otlp", "", "host:port of the agent; none: no spans")
	service := flag.String("service", "workload", "name of the service in its spans")
	talk := flag.Bool("talk", false, "write lines")
	crash := flag.Duration("crash", 0, "end with an error after that time; 0: never")
	eat := flag.Int("eat", 0, "MiB of memory to use after a second")
	listen := flag.String("listen", ":8080", "address of /metrics and /live")
	flag.Parse()

	if *crash > 0 {
		time.AfterFunc(*crash, func() { os.Exit(1) })
	}
	if *eat > 0 {
		time.AfterFunc(time.Second, func() {
			eaten := bytes.Repeat([]byte{1}, *eat<<20)
			time.Sleep(time.Hour)
			runtime.KeepAlive(eaten)
		})
	}
	ctx := context.Background()
	if *otlp != "" {
		go send(ctx, *otlp, *service)
	}
	if *talk {
		go write()
	}
	if err := http.ListenAndServe(*listen, handler(*file, *other)); err != nil {
		fmt.Fprintln(os.Stderr, "workload:", err)
		os.Exit(1)
	}
}

func handler(file, other string) http.Handler {
	start := time.Now()
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
		var text []byte
		var err error
		switch {
		case other != "":
			text, err = fetch(r.Context(), other)
		case file != "":
			if text, err = os.ReadFile(file); err == nil {
				text = grown(text, time.Since(start))
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		_, _ = w.Write(text)
	})
	var asked atomic.Int64
	mux.HandleFunc("/live", func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1)%3 == 0 {
			http.Error(w, "the third", http.StatusServiceUnavailable)
		}
	})
	return mux
}

func fetch(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// write writes a line each 100 ms, and works for some of that time, so that there is CPU time to see.
func write() {
	levels := []slog.Level{slog.LevelInfo, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	for n := 0; ; n++ {
		log.Log(context.Background(), levels[n%len(levels)], "order handled", "n", n)
		if n%10 == 0 {
			_, _ = net.DefaultResolver.LookupHost(context.Background(), "kubernetes.default.svc.cluster.local")
		}
		for until := time.Now().Add(20 * time.Millisecond); time.Now().Before(until); {
		}
		time.Sleep(80 * time.Millisecond)
	}
}
