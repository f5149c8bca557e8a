// SPDX-License-Identifier: Apache-2.0

package kofctl

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/version"
)

func run(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

func TestUsage(t *testing.T) {
	t.Setenv("KUBECONFIG", "/nowhere")
	code, out, _ := run(t)
	require.Equal(t, command.OK, code)
	require.Contains(t, out, "clusters")
	_, out, _ = run(t, "--version")
	require.Equal(t, version.String()+"\n", out)

	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"cluster"}, command.BadUsage, `found the command "cluster"; allowed: clusters`},
		{[]string{"--nope"}, command.BadUsage, "unknown flag: --nope"},
		{[]string{"clusters", "-o", "yaml"}, command.BadUsage, `--output: found "yaml"; allowed: table, json`},
		{[]string{"clusters", "a"}, command.BadUsage, `kofctl clusters: found the arguments ["a"]; allowed: flags only`},
		{[]string{"clusters", "--metrics-url", "http://user:secret@host"}, command.BadUsage, "--metrics-url: found what is not"},
		{[]string{"clusters", "--metrics-username-file", "/x"}, command.BadUsage, "allowed: both or neither"},
		{[]string{"clusters"}, command.Failed, "kubeconfig: "},
	} {
		code, out, errs := run(t, c.args...)
		require.Equal(t, c.code, code, "%v: %s", c.args, errs)
		require.Empty(t, out, "%v", c.args)
		require.Contains(t, errs, c.want)
		require.NotContains(t, errs, "secret")
	}
}
