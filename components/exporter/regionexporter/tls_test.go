// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// authority signs certificates.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its own certificate
}

func newAuthority(t testing.TB) *authority {
	a := &authority{t: t}
	a.cert, a.key = a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	a.file = a.write("ca.crt", "CERTIFICATE", a.cert.Raw)
	return a
}

// sign issues a certificate; the first is the authority's own.
func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, parentKey := a.cert, a.key
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	require.NoError(a.t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(a.t, err)
	return cert, key
}

func (a *authority) write(name, kind string, der []byte) string {
	path := filepath.Join(a.t.TempDir(), name)
	require.NoError(a.t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return path
}

// server returns the certificate of a server on loopback, or by the name.
func (a *authority) server(name string) tls.Certificate {
	template := &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, DNSNames: []string{name}}
	if name == "" {
		template.DNSNames, template.IPAddresses = nil, []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	cert, key := a.sign(template)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// client returns the files of a client's certificate and key.
func (a *authority) client() (certFile, keyFile string) {
	cert, key := a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "kof"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(a.t, err)
	return a.write("tls.crt", "CERTIFICATE", cert.Raw), a.write("tls.key", "EC PRIVATE KEY", der)
}

func TestTLS(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	certFile, keyFile := ca.client()
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	for _, test := range []struct {
		name   string
		server *tls.Config
		region string // its tls key
		ok     bool
	}{
		{"without its CA", &tls.Config{Certificates: []tls.Certificate{ca.server("")}}, "", false},
		{"with its CA", &tls.Config{Certificates: []tls.Certificate{ca.server("")}}, "{ca_file: " + ca.file + "}", true},
		{"with another CA", &tls.Config{Certificates: []tls.Certificate{ca.server("")}}, "{ca_file: " + other.file + "}", false},
		{"of another name", &tls.Config{Certificates: []tls.Certificate{ca.server("vmauth")}}, "{ca_file: " + ca.file + "}", false},
		{"of the name expected", &tls.Config{Certificates: []tls.Certificate{ca.server("vmauth")}}, "{ca_file: " + ca.file + ", server_name: vmauth}", true},
		{"not verified", &tls.Config{Certificates: []tls.Certificate{ca.server("vmauth")}}, "{insecure_skip_verify: true}", true},
		{"too old a version", &tls.Config{Certificates: []tls.Certificate{ca.server("")}, MaxVersion: tls.VersionTLS12}, "{ca_file: " + ca.file + ", min_version: \"1.3\"}", false},
		{"TLS 1.2 by default", &tls.Config{Certificates: []tls.Certificate{ca.server("")}, MaxVersion: tls.VersionTLS12}, "{ca_file: " + ca.file + "}", true},
		{"no client certificate", &tls.Config{Certificates: []tls.Certificate{ca.server("")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}, "{ca_file: " + ca.file + "}", false},
		{"client certificate", &tls.Config{Certificates: []tls.Certificate{ca.server("")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}, fmt.Sprintf("{ca_file: %s, cert_file: %s, key_file: %s}", ca.file, certFile, keyFile), true},
	} {
		var regionTLS []string
		if test.region != "" {
			regionTLS = []string{"    tls: " + test.region}
		}
		t.Run("HTTP "+test.name, func(t *testing.T) {
			b := &backend{t: t, stored: map[string]int{}}
			b.Server = httptest.NewUnstartedServer(b)
			b.Config.ErrorLog = discardLog
			b.TLS = test.server.Clone()
			b.StartTLS()
			defer b.Close()
			a := senderTo(t, signalLogs, b.URL+"/v1/logs", regionTLS...).send(t.Context(), logPayload(t, "a"))
			require.Equal(t, test.ok, a.verdict == delivered, "%v", a.err)
			require.Equal(t, test.ok, len(b.seen()) == 1, "no record leaves over a connection that isn't trusted")
			if !test.ok {
				require.Equal(t, tryAgain, a.verdict)
				require.Equal(t, "network", a.class)
			}
		})
		t.Run("gRPC "+test.name, func(t *testing.T) {
			b := newGRPCBackend(t, test.server.Clone())
			snd := senderTo(t, signalLogs, "https://"+b.addr, append([]string{"      protocol: otlp_grpc"}, regionTLS...)...)
			a := snd.send(t.Context(), logPayload(t, "a"))
			require.Equal(t, test.ok, a.verdict == delivered, "%v", a.err)
			require.Equal(t, test.ok, len(b.has()) == 1)
			if !test.ok {
				require.Equal(t, tryAgain, a.verdict)
			}
		})
	}
}

// Plain text is not spoken to a TLS port, nor TLS to a plain one.
func TestTLSMismatch(t *testing.T) {
	b := newBackend(t, nil)
	require.Equal(t, tryAgain, senderTo(t, signalLogs, "https"+b.URL[len("http"):]).send(t.Context(), nil).verdict)
	g := newGRPCBackend(t, &tls.Config{Certificates: []tls.Certificate{newAuthority(t).server("")}})
	require.Equal(t, tryAgain, senderTo(t, signalLogs, "http://"+g.addr, "      protocol: otlp_grpc").send(t.Context(), nil).verdict)
}
