// SPDX-License-Identifier: Apache-2.0

package queuestorageextension

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
)

func TestFolderNames(t *testing.T) {
	seen := map[string]string{}
	long := strings.Repeat("x", 1000)
	for _, kind := range []component.Kind{component.KindReceiver, component.KindProcessor, component.KindExporter, component.KindExtension, component.KindConnector} {
		for _, typ := range []string{"a", "a_b", "A"} {
			for _, name := range []string{"", "b", "b_c", "B", "..", "../..", "/", ".", "b/c", "b%2Fc", "+", "b+c", "\x00", "é", long, long + "y"} {
				for _, storageName := range []string{"", "c", "b_c", "../../etc", "+c", "%", long} {
					id := component.MustNewID(typ)
					if name != "" {
						id = component.NewIDWithName(id.Type(), name)
					}
					folder, err := folderName(kind, id, storageName)
					require.NoError(t, err)
					identity := fmt.Sprintf("%s %q %q %q", kind, typ, name, storageName)
					require.NotContains(t, seen, folder, "%s and %s", identity, seen[folder])
					seen[folder] = identity
					require.Less(t, len(folder), 256)
					require.Equal(t, folder, filepath.Base(filepath.Join("/dir", folder)))
					require.Equal(t, "/dir", filepath.Dir(filepath.Join("/dir", folder)))
				}
			}
		}
	}
	_, err := folderName(component.Kind{}, lane, "")
	require.ErrorContains(t, err, "unknown kind")
}
