// SPDX-License-Identifier: Apache-2.0

package validate

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/kofctl/command"
)

// run runs `kofctl validate` as JSON.
func run(t *testing.T, stdin string, args ...string) (*Report, error) {
	t.Helper()
	var out bytes.Buffer
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	env := command.NewEnv(&out, &out, flags)
	c := New(env)
	c.PersistentFlags().AddFlagSet(flags)
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetIn(strings.NewReader(stdin))
	c.SetArgs(append(args, "-o", "json"))
	err := c.ExecuteContext(t.Context())
	if out.Len() == 0 {
		return nil, err
	}
	var r Report
	require.NoError(t, json.Unmarshal(out.Bytes(), &r), out.String())
	require.Equal(t, err == nil, r.Valid)
	if err != nil {
		require.ErrorIs(t, err, command.ErrFound)
		require.NotEmpty(t, r.Problems)
	}
	return &r, nil
}

// TestProblems has a file of each kind in testdata, whose first lines say in comments which problems are expected, as they stand in the table.
func TestProblems(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			text, err := os.ReadFile(f)
			require.NoError(t, err)
			var want []string
			for line := range strings.Lines(string(text)) {
				if rest, is := strings.CutPrefix(strings.TrimSpace(line), "# want: "); is {
					want = append(want, rest)
				}
			}
			what, _, _ := strings.Cut(filepath.Base(f), "_")
			args := []string{what, f}
			if strings.Contains(f, "rules_cluster") {
				args = append(args, "--cluster=shop", "--base=testdata/rules_good.yaml")
			}
			r, err := run(t, "", args...)
			require.NoError(t, err)
			var got []string
			for _, line := range r.Tables()[0].Notes {
				if rest, is := strings.CutPrefix(line, f+":"); is && !r.Valid {
					got = append(got, rest)
				}
			}
			require.Equal(t, want, got)
		})
	}
}

func TestExamplesAreValid(t *testing.T) {
	for what, glob := range map[string]string{
		"directory": "../../../distributions/kof-otelcol/regions*.yaml",
		"values":    "../../../deploy/charts/kof-collectors/examples/*/values.yaml",
	} {
		files, err := filepath.Glob(glob)
		require.NoError(t, err)
		require.NotEmpty(t, files, glob)
		for _, f := range files {
			r, err := run(t, "", what, f)
			require.NoError(t, err)
			require.True(t, r.Valid, "%s: %v", f, r.Problems)
		}
	}
	all, err := charts()
	require.NoError(t, err)
	require.Len(t, all, len(globbed(t, "../../../deploy/charts/*/Chart.yaml")))
	for _, chart := range all {
		for _, f := range globbed(t, "../../../deploy/charts/"+chart+"/examples/*/values.yaml") {
			r, err := run(t, "", "values", "--chart="+chart, f)
			require.NoError(t, err)
			require.True(t, r.Valid, "%s: %v", f, r.Problems)
		}
	}
}

// TestConfig has the real collector look.
func TestConfig(t *testing.T) {
	const binary = "../../../bin/kof-otelcol"
	_, err := os.Stat(binary)
	require.NoError(t, err, "`make build` makes it")
	t.Setenv("KOF_REGION", "eu")
	t.Setenv("KOF_CLUSTER_NAME", "shop")
	t.Setenv("KOF_NODE_NAME", "host")
	t.Setenv("KOF_HOST_NAME", "host")
	r, err := run(t, "", "config", "--collector", binary, "../../../distributions/kof-otelcol/host.yaml")
	require.NoError(t, err)
	require.True(t, r.Valid, r.Problems)
	for _, c := range []struct {
		config string
		want   []Problem
	}{
		{"receivers: {otlp: {protocols: {http: {}}}, pod_logs: {includ: []}}\nexporters: {debug: {}}\nservice: {pipelines: {logs: {receivers: [otlp, pod_logs], exporters: [debug]}}}",
			[]Problem{{Path: "receivers.pod_logs.includ", Message: "found an unknown key; allowed: those of the component's README"}}},
		{"receivers: {otlp: {protocols: {http: {}}}}\nexporters: {region: {directory: {}}}\nservice: {pipelines: {logs: {receivers: [otlp, otlp/b], exporters: [region]}}}",
			[]Problem{
				{Path: "service.pipelines.logs", Message: `references receiver "otlp/b" which is not configured`},
				{Path: "exporters.region", Message: "directory: one of file and config_map is required: where the region directory is"},
				{Path: "exporters.region", Message: "home_region: required: the name of a region of the directory"},
				{Path: "exporters.region", Message: "storage: required: the ID of a storage extension, such as file_storage"},
			}},
		{"a: [", nil},
	} {
		r, err := run(t, c.config, "config", "--collector", binary, "-")
		require.NoError(t, err)
		require.False(t, r.Valid)
		if c.want != nil {
			require.ElementsMatch(t, c.want, r.Problems)
		}
	}
}

func globbed(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	return files
}

func TestStandardInput(t *testing.T) {
	r, err := run(t, "regions: {eu: {zone: eu, logs: {endpoint: https://logs.example}}}", "directory", "-")
	require.NoError(t, err)
	require.Equal(t, []string{"1 regions, 0 tenants"}, r.Notes)
}

func TestCannotBeChecked(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for want, args := range map[string][]string{
		"no such file": {"directory", "nowhere.yaml"},
		`--chart: found "kof-x"; allowed: kof, kof-child`:            {"values", "--chart=kof-x", "-"},
		"found no kof-otelcol beside kofctl or in $PATH":             {"config", "-"},
		`found "rule"; allowed: budgets, config, directory`:          {"rule", "-"},
		`found the arguments []; allowed: FILE`:                      {"rules"},
		"--base: bad.yaml: group":                                    {"rules", "--cluster=a", "--base=bad.yaml", "-"},
		"executable file not found":                                  {"config", "--collector=nowhere", "-"},
		"validate: found the arguments [\"a\" \"b\"]; allowed: FILE": {"regions", "a", "b"},
	} {
		if want == "--base: bad.yaml: group" {
			t.Chdir(t.TempDir())
			require.NoError(t, os.WriteFile("bad.yaml", []byte("groups: [{name: g, rules: [{alert: a, record: b}]}]"), 0o600))
		}
		r, err := run(t, "groups: []", args...)
		require.Nil(t, r, "%v", args)
		require.ErrorContains(t, err, strings.TrimPrefix(want, "validate: "))
		require.NotErrorIs(t, err, command.ErrFound)
	}
}
