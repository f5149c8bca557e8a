// SPDX-License-Identifier: Apache-2.0

package queuestorageextension

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/component"
)

// maxFolderBytes keeps names of folders below the 255 bytes that file systems allow.
const maxFolderBytes = 200

// folderName returns the name of the folder of a client. Different clients have different names, and no name leads out of
// the directory: each of the four parts is escaped, and they are joined by a character that escaping leaves none of.
func folderName(kind component.Kind, id component.ID, storageName string) (string, error) {
	switch kind {
	case component.KindReceiver, component.KindProcessor, component.KindExporter, component.KindExtension, component.KindConnector:
	default:
		return "", fmt.Errorf("unknown kind of component %q", kind)
	}
	name := strings.ToLower(kind.String()) + "+" + escape(id.Type().String()) + "+" + escape(id.Name()) + "+" + escape(storageName)
	if len(name) <= maxFolderBytes {
		return name, nil
	}
	sum := sha256.Sum256([]byte(name))
	return "hash+" + hex.EncodeToString(sum[:]), nil
}

// escape keeps letters, digits, "_" and "-", and writes every other byte as "%" and two hexadecimal digits.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
