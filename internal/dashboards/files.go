// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Header begins every generated file, and tells it from those that users add.
const Header = "# SPDX-License-Identifier: Apache-2.0\n# Written by hack/dashboards from internal/dashboards: change it there.\n"

// All returns the dashboards, by folder, in the order of the documentation.
func All() []Board {
	var out []Board
	for _, folder := range [][]Board{kof, infrastructure, applications, finops, platform, serviceMesh} {
		out = append(out, folder...)
	}
	return out
}

// Files returns the content of the files by their paths below the chart's folder of dashboards.
func Files() (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, b := range All() {
		if _, twice := out[b.Path()]; twice {
			return nil, fmt.Errorf("%s: there twice", b.Path())
		}
		content, err := b.file()
		if err != nil {
			return nil, err
		}
		out[b.Path()] = content
	}
	return out, nil
}

// file is YAML, in which queries can be read and compared.
func (b Board) file() ([]byte, error) {
	built, err := b.build()
	if err != nil {
		return nil, err
	}
	built.Links[0].Placement = nil // the default: at the top, where all versions of Grafana show them
	text, err := json.Marshal(built)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	out := bytes.NewBufferString(Header)
	encoder := yaml.NewEncoder(out)
	encoder.SetIndent(2)
	if err := encoder.Encode(plain(tree)); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}

// plain replaces the numbers of JSON by Go's, which YAML writes without quotes, and leaves out what is null.
func plain(node any) any {
	switch n := node.(type) {
	case json.Number:
		if i, err := n.Int64(); err == nil {
			return i
		}
		f, _ := n.Float64()
		return f
	case map[string]any:
		for k, v := range n {
			// A threshold's null is minus infinity.
			if v == nil && k != "value" {
				delete(n, k)
				continue
			}
			n[k] = plain(v)
		}
	case []any:
		for i, v := range n {
			n[i] = plain(v)
		}
	}
	return node
}
