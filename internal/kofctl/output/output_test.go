// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

type result struct {
	N int `json:"n"`

	tables []Table
}

func (r result) Tables() []Table { return r.tables }

func TestWrite(t *testing.T) {
	r := result{N: 1, tables: []Table{
		{Title: "One:", Columns: []string{"a", "long name"}, Rows: [][]string{{"x", ""}, {"two\nlines", "\x1b[31my"}}, Empty: "none", Notes: []string{"Note."}},
		{Empty: "Nothing."},
	}}
	var b bytes.Buffer
	require.NoError(t, Write(&b, "table", r))
	require.Equal(t, "One:\nA          LONG NAME\nx          -\ntwo lines  [31my\nNote.\n\nNothing.\n", b.String())
	b.Reset()
	require.NoError(t, Write(&b, "json", r))
	require.Equal(t, "{\n  \"n\": 1\n}\n", b.String())
	require.False(t, Known("yaml"))
}
