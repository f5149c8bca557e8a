// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports are drawn from below the ranges that kernels take ports of outgoing
// connections and of ":0" listeners from (32768 and up on Linux, 49152 and up
// elsewhere): a server that is down for a while finds its port free again.
// 30000 to 32767 are left to Kubernetes' node ports.
const (
	firstPort = 20000
	lastPort  = 29999
)

var (
	portsMu    sync.Mutex
	portsTaken = map[int]bool{} // by servers of this process, running or not
)

// takePort reserves a free loopback port within this process. Another process
// may still take it before the server does, so starting has to be retried.
func takePort() (int, error) {
	portsMu.Lock()
	defer portsMu.Unlock()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if portsTaken[port] {
			continue
		}
		listener, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			return 0, err
		}
		portsTaken[port] = true
		return port, nil
	}
	return 0, errors.New("no free loopback port found in 1000 tries")
}

func releasePorts(ports []int) {
	portsMu.Lock()
	defer portsMu.Unlock()
	for _, port := range ports {
		delete(portsTaken, port)
	}
}

// takePorts reserves count ports, the first of which is fixed unless it is 0.
func takePorts(fixed, count int) ([]int, error) {
	var ports []int
	if fixed != 0 {
		if err := takeFixed(fixed); err != nil {
			return nil, err
		}
		ports = append(ports, fixed)
	}
	for len(ports) < count {
		port, err := takePort()
		if err != nil {
			releasePorts(ports)
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}

func takeFixed(port int) error {
	if port < 1 || port > 65535 {
		return fmt.Errorf("port %d: must be 0 (any free one) to 65535", port)
	}
	portsMu.Lock()
	defer portsMu.Unlock()
	if portsTaken[port] {
		return fmt.Errorf("port %d is taken by another server of this process", port)
	}
	portsTaken[port] = true
	return nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
