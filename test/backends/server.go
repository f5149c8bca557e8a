// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/k0rdent/kof/test/toolcache"
)

// Options says how a server is run. The zero value is ready to use.
type Options struct {
	// Name stands in errors and in the name of a temporary folder; "" means the
	// name of the program.
	Name string
	// Dir holds the server's data and is made if missing; Stop leaves it. ""
	// means a temporary folder, which Stop removes.
	Dir string
	// Port is the loopback port of Server.URL; 0 means a free one.
	Port int
	// Log takes what the server prints; nil means that only the end of it is
	// kept, for errors.
	Log io.Writer
	// Progress takes what there is to tell while the program is built for the
	// first time; nil means standard error.
	Progress io.Writer
	// ExtraArgs are added to the server's command line, after KOF's own: a flag
	// that is given again overrides.
	ExtraArgs []string
}

// Server is one server process. Its exported fields don't change, not even when
// it is restarted. All methods may be called from several goroutines.
type Server struct {
	// Name is what Options.Name said.
	Name string
	// URL is the base of its HTTP interface, such as http://127.0.0.1:20001.
	URL string
	// OTLPURL is the base of OTLP over HTTP; set for Jaeger only.
	OTLPURL string
	// OTLPGRPC is the host:port of OTLP over gRPC; set for Jaeger only.
	OTLPGRPC string
	// MetricsURL is where it tells of itself; set for Jaeger only, others do at /metrics of URL.
	MetricsURL string

	kind    kind
	binary  string
	dir     string
	options Options
	ports   []int
	temp    *tempDir // nil when the folder was given

	mu      sync.Mutex // held while the process is started or ended
	process *process   // nil when down
	stopped bool

	logMu sync.Mutex
	log   *logTail
}

// bindTries is how often a start is tried when ports that were free are taken
// by someone else before the server has them.
const bindTries = 5

// start runs a server of the given kind and waits until it is ready. ctx bounds
// the building and the starting; the server outlives it.
func start(ctx context.Context, k kind, options Options) (*Server, error) {
	if options.Name == "" {
		options.Name = k.tool
	}
	if options.Progress == nil {
		options.Progress = os.Stderr
	}
	binary, err := toolcache.Binary(ctx, k.tool, options.Progress)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", options.Name, err)
	}
	for try := 1; ; try++ {
		s, err := startOnce(ctx, k, binary, options)
		if err == nil {
			return s, nil
		}
		if options.Port != 0 || try == bindTries || !strings.Contains(err.Error(), "address already in use") {
			return nil, fmt.Errorf("%s: %w", options.Name, err)
		}
	}
}

func startOnce(ctx context.Context, k kind, binary string, options Options) (_ *Server, err error) {
	s := &Server{Name: options.Name, kind: k, binary: binary, options: options}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	if s.ports, err = takePorts(options.Port, k.ports); err != nil {
		return nil, err
	}
	s.URL = "http://" + loopback(s.ports[0])
	if options.Dir == "" {
		if s.temp, err = newTempDir(options.Name); err != nil {
			return nil, err
		}
		s.dir = s.temp.path
	} else {
		if s.dir, err = filepath.Abs(options.Dir); err != nil {
			return nil, err
		}
		if err = os.MkdirAll(s.dir, 0o700); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	err = s.run(ctx)
	s.mu.Unlock() // not deferred: Stop above takes it
	return s, err
}

// run starts the process and waits until it is ready; s.mu is held. On an error
// nothing runs.
func (s *Server) run(ctx context.Context) error {
	args, err := s.kind.args(s)
	if err != nil {
		return err
	}
	log := newLogTail(s.kind.marker, s.options.Log)
	s.logMu.Lock()
	s.log = log
	s.logMu.Unlock()

	cmd := exec.Command(s.binary, append(args, s.options.ExtraArgs...)...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), s.kind.env...)
	cmd.Stdout, cmd.Stderr = log, log
	p, err := startProcess(cmd)
	if err != nil {
		return err
	}
	if err := waitReady(ctx, p, log, s.URL+s.kind.health); err != nil {
		return errors.Join(err, p.kill())
	}
	s.process = p
	return nil
}

// Stop ends the server with SIGTERM, or SIGKILL when it doesn't end by itself
// within 10 seconds, which is an error; a temporary data folder is removed. The
// server can't be used again. Further calls do nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	err := s.end((*process).terminate)
	if s.temp != nil {
		err = errors.Join(err, s.temp.remove())
	}
	releasePorts(s.ports)
	return s.named(err)
}

// Shutdown ends the server like Stop, but data folder and ports stay for a
// Restart. It does nothing when the server is down.
func (s *Server) Shutdown() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.named(s.end((*process).terminate))
}

// Kill ends the server with SIGKILL; data folder and ports stay for a Restart.
// It does nothing when the server is down.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.named(s.end((*process).kill))
}

// Restart starts the server again, with the same ports and data folder, and
// waits until it is ready. One that runs is shut down first.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return s.named(errors.New("was stopped and can't be restarted"))
	}
	if err := s.end((*process).terminate); err != nil {
		return s.named(err)
	}
	return s.named(s.run(ctx))
}

// end ends the process by the given means; s.mu is held.
func (s *Server) end(by func(*process) error) error {
	if s.process == nil {
		return nil
	}
	p := s.process
	s.process = nil
	return by(p)
}

// Dir returns the data folder.
func (s *Server) Dir() string { return s.dir }

// PID returns the ID of the running process, or 0 when the server is down.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.cmd.Process.Pid
}

// LogTail returns the end of the server's log since its last start, at most 8 KiB.
func (s *Server) LogTail() string {
	s.logMu.Lock()
	defer s.logMu.Unlock()
	if s.log == nil {
		return ""
	}
	return s.log.String()
}

func (s *Server) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", s.Name, err)
}
