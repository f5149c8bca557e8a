// SPDX-License-Identifier: Apache-2.0

// Command testpod is what the pods of package kube's tests run: it does what its arguments say, prints one line for each,
// and waits for its end.
//
//	lookup NAME    the addresses of a name
//	get URL        what a URL gives
//	lines N        N numbered lines of 100 bytes
//	serve ADDRESS  "served" to everyone who asks, by HTTP
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	for args := os.Args[1:]; len(args) >= 2; args = args[2:] {
		result, err := do(args[0], args[1])
		for try := 0; err != nil && try < 50; try++ { // a Service may not be there yet
			time.Sleep(200 * time.Millisecond)
			result, err = do(args[0], args[1])
		}
		fmt.Println(args[0], args[1], result, err)
	}
	<-ended
}

func do(what, with string) (string, error) {
	switch what {
	case "lookup":
		addresses, err := net.LookupHost(with)
		return strings.Join(addresses, " "), err
	case "get":
		response, err := http.Get(with)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	case "lines":
		n, err := strconv.Atoi(with)
		for i := range n {
			fmt.Printf("%07d %s\n", i, strings.Repeat("x", 91))
		}
		return "", err
	case "serve":
		l, err := net.Listen("tcp", with)
		if err != nil {
			return "", err
		}
		go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "served") }))
		return "", nil
	default:
		return "", fmt.Errorf("unknown: %s", what)
	}
}
