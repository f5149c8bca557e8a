// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/k0rdent/kof/test/kubeapi/pki"
)

// certificates are those of the cluster, by the names of their files. Who has a kubeconfig connects to the API server.
var certificates = map[string]struct {
	certificate pki.Certificate
	kubeconfig  bool
}{
	"apiserver": {certificate: pki.Certificate{Name: "kube-apiserver", Hosts: []string{
		"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		"127.0.0.1", apiServiceAddress, NodeAddress,
	}}},
	"apiserver-kubelet":       {certificate: pki.Certificate{Name: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}}},
	"kubelet-server":          {certificate: pki.Certificate{Name: NodeName, Hosts: []string{NodeName, "localhost", "127.0.0.1", NodeAddress}}},
	"kubelet":                 {pki.Certificate{Name: "system:node:" + NodeName, Groups: []string{"system:nodes"}}, true},
	"kube-controller-manager": {pki.Certificate{Name: "system:kube-controller-manager"}, true},
	"kube-scheduler":          {pki.Certificate{Name: "system:kube-scheduler"}, true},
	"kube-proxy":              {pki.Certificate{Name: "system:kube-proxy"}, true},
	adminUser:                 {pki.Certificate{Name: adminUser, Groups: []string{"system:masters"}}, true},
}

const adminUser = "admin"

// writePKI writes an authority, all certificates and the kubeconfigs.
func writePKI(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	ca, err := pki.NewAuthority()
	if err != nil {
		return err
	}
	caKey, err := ca.KeyPEM()
	if err != nil {
		return err
	}
	files := map[string][]byte{"ca.crt": ca.PEM, "ca.key": caKey, "sa.key": caKey}
	for name, c := range certificates {
		cert, key, err := ca.Issue(c.certificate)
		if err != nil {
			return err
		}
		files[name+".crt"], files[name+".key"] = cert, key
		if !c.kubeconfig {
			continue
		}
		k := clientcmdapi.NewConfig()
		k.Clusters["kof"] = &clientcmdapi.Cluster{Server: apiURL, CertificateAuthorityData: ca.PEM}
		k.AuthInfos[name] = &clientcmdapi.AuthInfo{ClientCertificateData: cert, ClientKeyData: key}
		k.Contexts["kof"] = &clientcmdapi.Context{Cluster: "kof", AuthInfo: name}
		k.CurrentContext = "kof"
		if files[name+".kubeconfig"], err = clientcmd.Write(*k); err != nil {
			return err
		}
	}
	return pki.WriteFiles(dir, files)
}

// adminConfig reads the administrator's kubeconfig.
func adminConfig(dir string) (*rest.Config, error) {
	return clientcmd.BuildConfigFromFlags("", filepath.Join(dir, adminUser+".kubeconfig"))
}
