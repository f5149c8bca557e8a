// SPDX-License-Identifier: Apache-2.0

package guide

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommands(t *testing.T) {
	p := parse("# First\n\n```sh\n# a comment, no heading\none\n```\n\n```yaml\nnot: this\n# nor this heading\n```\n\n```sh\ntwo <<'END'\n  in\nEND\n```\n## Second\n1. In a list:\n\n   ```sh\n   three\n     more\n   ```\n")
	require.Equal(t, Page{"First": "# a comment, no heading\none\ntwo <<'END'\n  in\nEND\n", "Second": "three\n  more\n"}, p)
	commands, err := p.commands([]string{"Second", "First"})
	require.NoError(t, err)
	require.Equal(t, "three\n  more\n"+p["First"], commands)
	_, err = p.commands([]string{"Third"})
	require.ErrorContains(t, err, `"Third"`)
}
