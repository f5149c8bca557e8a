// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.opentelemetry.io/collector/config/configtls"

	"github.com/k0rdent/kof/internal/region"
)

// credentials makes the Authorization header of requests to a region. The files are read for each request, of which there are
// few since they are large, so that a rotated secret is used at once.
type credentials struct {
	config region.Auth
}

// header returns the value of the Authorization header; empty without authentication. Errors name the file, never its content.
func (c *credentials) header() (string, error) {
	switch {
	case c.config.Basic != nil:
		user := []byte(c.config.Basic.Username)
		if file := c.config.Basic.UsernameFile; file != "" {
			var err error
			if user, err = readSecret(file); err != nil {
				return "", err
			}
		}
		password, err := readSecret(c.config.Basic.PasswordFile)
		if err != nil {
			return "", err
		}
		return "Basic " + base64.StdEncoding.EncodeToString(bytes.Join([][]byte{user, password}, []byte{':'})), nil
	case c.config.Bearer != nil:
		token, err := readSecret(c.config.Bearer.TokenFile)
		if err != nil {
			return "", err
		}
		return "Bearer " + string(token), nil
	default:
		return "", nil
	}
}

// maxSecretSize is far above any password or token, and keeps a wrong path, such as a device, from filling memory.
const maxSecretSize = 64 * kib

// readSecret returns the file's content without the line's end that editors and mounted secrets add.
func readSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxSecretSize:
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("not a regular file of at most %d bytes", maxSecretSize)}
	}
	secret, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	secret = bytes.TrimRight(secret, "\r\n")
	if len(secret) == 0 || bytes.ContainsAny(secret, "\r\n\x00") {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("holds no single line of text")}
	}
	return secret, nil
}

// clientTLS returns the region's TLS settings. A rotated client certificate is used within a minute.
func clientTLS(ctx context.Context, t region.TLS) (*tls.Config, error) {
	cfg := configtls.NewDefaultClientConfig()
	cfg.CAFile, cfg.CertFile, cfg.KeyFile = t.CAFile, t.CertFile, t.KeyFile
	cfg.ServerName, cfg.InsecureSkipVerify, cfg.MinVersion = t.ServerName, t.InsecureSkipVerify, t.MinVersion
	cfg.ReloadInterval = time.Minute
	return cfg.LoadTLSConfig(ctx)
}
