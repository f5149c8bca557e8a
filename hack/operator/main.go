// SPDX-License-Identifier: Apache-2.0

// Command operator generates what follows from the kinds and markers of kof-operator: its CRDs, deep copies and roles, by the
// controller-gen of tools/controller-gen, and the reference of the kinds, docs/operator-api.md. With -check it changes nothing and fails when a
// run would change something. To be started in the repository's root.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/k0rdent/kof/test/toolcache"
)

const (
	apiDir    = "internal/operator/api/v1beta1"
	kcmDir    = "internal/operator/kcm"
	rolesOf   = "internal/operator/controller"
	copyright = "internal/operator/api/boilerplate.txt"
	crdsDir   = "deploy/crds"
	rbacDir   = "deploy/crds/rbac"
	docsFile  = "docs/operator-api.md"

	remedy = "run `make generate` and commit what it changes"
)

// generators are controller-gen's, each with the packages that it reads and where what it writes belongs.
var generators = []struct {
	name, options, paths, into, files string // files: what in the folder is the generator's alone
}{
	{"object", "headerFile=" + copyright, apiDir, apiDir, "zz_generated.deepcopy.go"},
	{"object", "headerFile=" + copyright, kcmDir, kcmDir, "zz_generated.deepcopy.go"},
	{"crd", "", apiDir, crdsDir, "kof.k0rdent.mirantis.com_*.yaml"},
	{"rbac", "roleName=kof-operator", rolesOf, rbacDir, "role.yaml"},
}

func main() {
	check := flag.Bool("check", false, "change nothing, fail when something is stale")
	flag.Parse()
	if err := run(context.Background(), ".", *check); err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(1)
	}
}

// run does it for the repository in root.
func run(ctx context.Context, root string, check bool) error {
	files, err := generate(ctx, root)
	if err != nil {
		return err
	}
	stale, err := compare(root, files)
	if err != nil {
		return err
	}
	if check && len(stale) > 0 {
		return fmt.Errorf("stale: %s; %s", strings.Join(stale, ", "), remedy)
	}
	for _, path := range stale {
		full := filepath.Join(root, path)
		if content, wanted := files[path]; wanted {
			err = errors.Join(err, os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, content, 0o644))
		} else {
			err = errors.Join(err, os.Remove(full))
		}
	}
	if err == nil {
		fmt.Printf("kof-operator: %d generated files, %d stale\n", len(files), len(stale))
	}
	return err
}

// generate returns what the files have to hold, by path from the root.
func generate(ctx context.Context, root string) (map[string][]byte, error) {
	binary, err := toolcache.Binary(ctx, "controller-gen", os.Stderr)
	if err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "kof-operator-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	files := map[string][]byte{}
	for i, g := range generators {
		out := filepath.Join(tmp, fmt.Sprint(i))
		name := g.name
		if g.options != "" {
			name += ":" + g.options
		}
		cmd := exec.CommandContext(ctx, binary, name, "paths=./"+g.paths, "output:"+g.name+":dir="+out)
		cmd.Dir = root
		if log, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("controller-gen %s: %w\n%s", g.name, err, log)
		}
		entries, err := os.ReadDir(out)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if files[filepath.Join(g.into, e.Name())], err = os.ReadFile(filepath.Join(out, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	files[docsFile], err = document(files)
	return files, err
}

// compare returns the paths, in order, of files that differ from what they have to hold, or shouldn't be there.
func compare(root string, files map[string][]byte) ([]string, error) {
	var stale []string
	for path, content := range files {
		before, err := os.ReadFile(filepath.Join(root, path))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err != nil || !bytes.Equal(before, content) {
			stale = append(stale, path)
		}
	}
	for _, g := range generators {
		there, err := filepath.Glob(filepath.Join(root, g.into, g.files))
		if err != nil {
			return nil, err
		}
		for _, full := range there {
			path := filepath.Join(g.into, filepath.Base(full))
			if _, wanted := files[path]; !wanted {
				stale = append(stale, path)
			}
		}
	}
	slices.Sort(stale)
	return stale, nil
}
