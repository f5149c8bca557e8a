// SPDX-License-Identifier: Apache-2.0

// Package manifest reads files that commands are given: Kubernetes manifests and region directories.
package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/yaml"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
)

// MaxBytes bounds a file.
const MaxBytes = 16 << 20

// Read reads a file; "-" is in.
func Read(path string, in io.Reader) ([]byte, error) {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, MaxBytes+1))
	if err == nil && len(text) > MaxBytes {
		err = fmt.Errorf("%s: found more than %d bytes; allowed: at most that", path, MaxBytes)
	}
	return text, err
}

// Document is one YAML document of a file.
type Document struct {
	Line int // that its content begins in
	Kind string
	Text []byte // by itself
}

// Documents splits a file. Empty documents are left out, items of Lists are documents of their own.
func Documents(text []byte) ([]Document, error) {
	var out []Document
	d := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var n yaml.Node
		err := d.Decode(&n)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if len(n.Content) == 0 || n.Content[0].ShortTag() == "!!null" {
			continue
		}
		if out, err = appendDocument(out, n.Content[0]); err != nil {
			return nil, err
		}
	}
}

func appendDocument(out []Document, n *yaml.Node) ([]Document, error) {
	var list struct {
		Kind  string      `yaml:"kind"`
		Items []yaml.Node `yaml:"items"`
	}
	// What has other types there is no List, and says so where it is used.
	if n.Decode(&list) == nil && list.Kind == "List" {
		for i := range list.Items {
			var err error
			if out, err = appendDocument(out, &list.Items[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	text, err := yaml.Marshal(n)
	return append(out, Document{Line: n.Line, Kind: list.Kind, Text: text}), err
}

// Region reads a manifest of a Region. Unknown and repeated keys are errors.
func (d Document) Region() (v1beta1.Region, error) {
	var r v1beta1.Region
	if err := kyaml.UnmarshalStrict(d.Text, &r); err != nil {
		return r, fmt.Errorf("document in line %d: %w", d.Line, err)
	}
	if want := v1beta1.GroupVersion.String(); r.APIVersion != want {
		return r, fmt.Errorf("document in line %d: apiVersion: found %q; allowed: %s", d.Line, r.APIVersion, want)
	}
	if r.Name == "" {
		return r, fmt.Errorf("document in line %d: metadata.name: missing; allowed: a name", d.Line)
	}
	return r, nil
}
