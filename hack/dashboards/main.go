// SPDX-License-Identifier: Apache-2.0

// Command dashboards writes the dashboards of package internal/dashboards as files of the chart kof-dashboards, and their list in
// docs/dashboards.md. Files that users have added stay. With -check it changes nothing and fails when a run would change something. To be
// started in the repository's root.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/k0rdent/kof/hack/internal/generated"
	"github.com/k0rdent/kof/internal/dashboards"
)

const (
	filesDir  = "deploy/charts/kof-dashboards/files/dashboards"
	listFile  = "docs/dashboards.md"
	listBegin = "<!-- dashboards: begin, generated from internal/dashboards -->\n"
	listEnd   = "<!-- dashboards: end -->"
)

func main() {
	check := flag.Bool("check", false, "change nothing, fail when something is stale")
	flag.Parse()
	if err := run(".", *check); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

// run does it for the repository in root.
func run(root string, check bool) error {
	want, err := generate(root)
	if err != nil {
		return err
	}
	changed, err := generated.Write(want, check)
	errs := []error{err}
	// Generated ones that are no more.
	err = filepath.WalkDir(filepath.Join(root, filesDir), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || want[path] != nil {
			return err
		}
		content, err := os.ReadFile(path)
		switch {
		case err != nil || !bytes.HasPrefix(content, []byte(dashboards.Header)):
			return err
		case check:
			errs = append(errs, fmt.Errorf("%s is of no dashboard any more; %s", path, generated.Remedy))
			return nil
		}
		changed++
		return os.Remove(path)
	})
	if err := errors.Join(append(errs, err)...); err != nil {
		return err
	}
	if !check {
		fmt.Printf("%s: %d files, %d changed\n", filesDir, len(want), changed)
	}
	return nil
}

// generate returns what the files have to hold, by path.
func generate(root string) (map[string][]byte, error) {
	files, err := dashboards.Files()
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for path, content := range files {
		out[filepath.Join(root, filesDir, filepath.FromSlash(path))] = content
	}
	list := filepath.Join(root, listFile)
	text, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	out[list], err = withList(text)
	return out, err
}

// withList puts the list of dashboards between the two marks of the documentation.
func withList(text []byte) ([]byte, error) {
	before, rest, found := bytes.Cut(text, []byte(listBegin))
	_, after, ended := bytes.Cut(rest, []byte(listEnd))
	if !found || !ended {
		return nil, fmt.Errorf("%s: no lines %q and %q", listFile, strings.TrimSpace(listBegin), listEnd)
	}
	var list bytes.Buffer
	folder := ""
	for _, b := range dashboards.All() {
		if b.Folder != folder {
			folder = b.Folder
			fmt.Fprintf(&list, "\n### %s\n\n| dashboard | answers | needs | file |\n|---|---|---|---|\n", folder)
		}
		fmt.Fprintf(&list, "| %s | %s | %s | `%s` |\n", b.Title, b.Answers, b.Needs, b.Path())
	}
	return bytes.Join([][]byte{before, []byte(listBegin), list.Bytes(), []byte("\n" + listEnd), after}, nil), nil
}
