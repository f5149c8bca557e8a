// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

// MaxBody bounds a document of the kubelet.
const MaxBody = 64 << 20

// Options says how the kubelet is reached.
type Options struct {
	Endpoint           string // https://host:10250
	CAFile             string // "" for the system's
	InsecureSkipVerify bool
	TokenFile          string // read for every request, since ServiceAccount tokens rotate; "" sends none
	CertFile, KeyFile  string // client certificate, instead of a token
	Timeout            time.Duration
}

// Client asks one kubelet. It is not safe for concurrent use: memory is used again from call to call.
type Client struct {
	http  *http.Client
	base  string
	token string // path
	pods  *PodDecoder
	usage *UsageDecoder
	body  bytes.Buffer
}

// NewClient returns a client; nothing is sent yet.
func NewClient(o Options) (*Client, error) {
	hc, err := rest.HTTPClientFor(&rest.Config{
		Host: o.Endpoint, Timeout: o.Timeout, UserAgent: "kof-opencost",
		TLSClientConfig: rest.TLSClientConfig{CAFile: o.CAFile, Insecure: o.InsecureSkipVerify, CertFile: o.CertFile, KeyFile: o.KeyFile},
	})
	if err != nil {
		return nil, fmt.Errorf("client of the kubelet: %w", err)
	}
	return &Client{http: hc, base: strings.TrimSuffix(o.Endpoint, "/"), token: o.TokenFile, pods: NewPodDecoder(), usage: NewUsageDecoder()}, nil
}

// Pods returns the pods of the node, finished ones included. The result is valid until the next call.
func (c *Client) Pods(ctx context.Context) ([]Pod, error) {
	body, err := c.get(ctx, "/pods")
	if err != nil {
		return nil, err
	}
	return c.pods.Decode(body)
}

// Usage returns what the kubelet measured of the node's containers. The result is valid until the next call.
func (c *Client) Usage(ctx context.Context, now time.Time) (map[ContainerID]*Usage, error) {
	body, err := c.get(ctx, "/metrics/resource")
	if err != nil {
		return nil, err
	}
	return c.usage.Decode(body, now)
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		// Read for every request: a token that was replaced counts at once, where client-go would keep the old one for a minute.
		token, err := os.ReadFile(c.token)
		if err != nil {
			return nil, fmt.Errorf("kubelet: token: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+string(bytes.TrimSpace(token)))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("kubelet: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		_, _ = io.CopyN(io.Discard, resp.Body, 4096) // so that the connection can be used again
		return nil, fmt.Errorf("kubelet: GET %s: %s", path, resp.Status)
	}
	c.body.Reset()
	c.body.Grow(sizeHint(resp.Header.Get("Content-Length")) + bytes.MinRead)
	n, err := c.body.ReadFrom(io.LimitReader(resp.Body, MaxBody+1))
	if err != nil {
		return nil, fmt.Errorf("kubelet: GET %s: %w", path, err)
	}
	if n > MaxBody {
		return nil, errors.New("kubelet: GET " + path + ": the answer is too long")
	}
	return c.body.Bytes(), nil
}
