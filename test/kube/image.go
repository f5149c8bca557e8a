// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Image is an image of one layer, made of files of this machine and nothing else, so programs have to be static.
type Image struct {
	// Files are paths on this machine by their paths in the image; modes are kept.
	Files map[string]string
	// Entrypoint is the command line that a container's args follow.
	Entrypoint []string
	// User is "uid" or "uid:gid"; "" means root.
	User string
}

// LoadImage makes an image and gives it to the node under a name such as localhost/workload:test, for containers with
// imagePullPolicy Never or IfNotPresent. It also has /tmp, and /etc/passwd and /etc/group with root and nonroot (65532).
func (c *Cluster) LoadImage(ctx context.Context, name string, image Image) error {
	start := time.Now()
	f, err := os.CreateTemp(filepath.Join(c.dir, "images"), "*.tar")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = errors.Join(image.write(f, name), f.Close())
	if err == nil {
		_, err = c.Exec(ctx, nil, "ctr", "--namespace=k8s.io", "images", "import", f.Name())
	}
	if err != nil {
		return fmt.Errorf("image %s: %w", name, err)
	}
	c.tell("image %s loaded in %.1f s", name, time.Since(start).Seconds())
	return nil
}

func (c *Cluster) loadOwnImages(ctx context.Context) error {
	pause := Image{Files: map[string]string{"/pause": c.programs.Tools[nodeTool]}, Entrypoint: []string{"/pause", "pause"}, User: "65532:65532"}
	dns := Image{Files: map[string]string{"/coredns": c.programs.Tools["coredns"]}, Entrypoint: []string{"/coredns"}}
	return errors.Join(c.LoadImage(ctx, pauseImage, pause), c.LoadImage(ctx, coreDNSImage, dns))
}

// write writes the image in the form of docker save:
// https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format
func (i Image) write(w io.Writer, name string) error {
	layer, err := os.CreateTemp("", dirPrefix+"layer-")
	if err != nil {
		return err
	}
	defer layer.Close()
	if err := os.Remove(layer.Name()); err != nil { // it goes away when closed
		return err
	}
	sum := sha256.New()
	if err := i.writeLayer(io.MultiWriter(layer, sum)); err != nil {
		return err
	}
	size, err := layer.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = layer.Seek(0, io.SeekStart)
	}
	if err != nil {
		return err
	}
	layerID := hex.EncodeToString(sum.Sum(nil))
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "created": time.Unix(0, 0).UTC(),
		"config": map[string]any{"Entrypoint": i.Entrypoint, "User": i.User, "WorkingDir": "/", "Env": []string{"PATH=/:/bin:/usr/bin"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + layerID}},
	})
	if err != nil {
		return err
	}
	configSum := sha256.Sum256(config)
	configName := hex.EncodeToString(configSum[:]) + ".json"
	layerName := layerID + "/layer.tar"
	manifest, err := json.Marshal([]any{map[string]any{"Config": configName, "RepoTags": []string{name}, "Layers": []string{layerName}}})
	if err != nil {
		return err
	}
	out := tar.NewWriter(w)
	return errors.Join(
		addFile(out, layerName, 0o644, size, layer),
		addFile(out, configName, 0o644, int64(len(config)), bytes.NewReader(config)),
		addFile(out, "manifest.json", 0o644, int64(len(manifest)), bytes.NewReader(manifest)),
		out.Close())
}

func (i Image) writeLayer(w io.Writer) error {
	out := tar.NewWriter(w)
	folders := map[string]bool{".": true}
	addFolder := func(dir string, mode int64) error {
		if folders[dir] {
			return nil
		}
		folders[dir] = true
		return out.WriteHeader(&tar.Header{Name: dir + "/", Mode: mode, Typeflag: tar.TypeDir})
	}
	err := addFolder("tmp", 0o1777)
	texts := map[string]string{
		"etc/passwd": "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n",
		"etc/group":  "root:x:0:\nnonroot:x:65532:\n",
	}
	err = errors.Join(err, addFolder("etc", 0o755))
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		err = errors.Join(err, addFile(out, name, 0o644, int64(len(texts[name])), strings.NewReader(texts[name])))
	}
	for _, name := range slices.Sorted(maps.Keys(i.Files)) {
		target := strings.TrimPrefix(path.Clean("/"+name), "/")
		for at, r := range target {
			if r == '/' {
				err = errors.Join(err, addFolder(target[:at], 0o755))
			}
		}
		err = errors.Join(err, copyFile(out, target, i.Files[name]))
	}
	return errors.Join(err, out.Close())
}

func copyFile(out *tar.Writer, target, source string) error {
	f, err := os.Open(source)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return addFile(out, target, info.Mode(), info.Size(), f)
}

func addFile(out *tar.Writer, name string, mode fs.FileMode, size int64, content io.Reader) error {
	err := out.WriteHeader(&tar.Header{Name: name, Mode: int64(mode.Perm()), Size: size, Typeflag: tar.TypeReg})
	if err != nil {
		return err
	}
	_, err = io.Copy(out, content)
	return err
}
