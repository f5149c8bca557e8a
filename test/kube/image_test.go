// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestImage(t *testing.T) {
	source := filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(source, []byte("text"), 0o755))
	var out bytes.Buffer
	image := Image{Files: map[string]string{"/a/b/program": source, "data": source}, Entrypoint: []string{"/a/b/program"}, User: "1:2"}
	require.NoError(t, image.write(&out, "localhost/x:1"))

	archive := untar(t, &out)
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	require.NoError(t, json.Unmarshal(archive["manifest.json"], &manifest))
	require.Len(t, manifest, 1)
	require.Equal(t, []string{"localhost/x:1"}, manifest[0].RepoTags)
	require.Len(t, manifest[0].Layers, 1)
	layer := archive[manifest[0].Layers[0]]
	sum := sha256.Sum256(layer)
	config := archive[manifest[0].Config]
	require.Contains(t, string(config), "sha256:"+hex.EncodeToString(sum[:]))
	require.Contains(t, string(config), `"Entrypoint":["/a/b/program"],`)
	require.Contains(t, string(config), `"User":"1:2"`)

	files := untar(t, bytes.NewReader(layer))
	require.Equal(t, "text", string(files["a/b/program"]))
	require.Equal(t, "text", string(files["data"]))
	require.Contains(t, string(files["etc/passwd"]), "nonroot:x:65532")
	for _, folder := range []string{"tmp/", "etc/", "a/", "a/b/"} {
		require.Contains(t, files, folder)
	}
	require.ErrorContains(t, Image{Files: map[string]string{"/x": "/no/such"}}.write(io.Discard, "x"), "/no/such")
}

func untar(t *testing.T, r io.Reader) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if err == io.EOF {
			return out
		}
		require.NoError(t, err)
		out[h.Name], err = io.ReadAll(in)
		require.NoError(t, err)
	}
}

func TestBadOptions(t *testing.T) {
	_, err := Start(t.Context(), Options{Kubelet: KubeletOptions{
		ContainerLogMaxSize: "much", ContainerLogMaxFiles: 1, ContainerLogMonitorInterval: time.Second,
	}})
	require.ErrorContains(t, err, `ContainerLogMaxSize "much": must be a quantity such as 10Mi`)
	require.ErrorContains(t, err, "ContainerLogMaxFiles 1: must be at least 2")
	require.ErrorContains(t, err, "ContainerLogMonitorInterval 1s: must be at least 3s")

	require.ErrorContains(t, checkDir("relative"), "must be an absolute path")
	_, err = Open(filepath.Join(t.TempDir(), "x"))
	require.Error(t, err)
	require.NoError(t, Down(t.Context(), t.TempDir(), io.Discard), "no cluster there")
	other := t.TempDir()
	require.NoError(t, removeDead(t.Context(), "no tool", other))
	require.DirExists(t, other, "not a cluster's")
}
