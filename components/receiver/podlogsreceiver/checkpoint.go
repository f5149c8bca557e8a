// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/logline"
)

// checkpoint is what is stored of a file.
type checkpoint struct {
	id       fileID
	headSize int      // bytes of the file's beginning that hash is of
	hash     [16]byte // the first half of their SHA-256
	// offsets are where the first line begins that the pipeline hasn't taken, for each stream: where lines of both are being put
	// together, neither is read twice.
	offsets [logline.Streams]int64
	// rest says of a stream that what follows its offset is the rest of a line whose beginning was passed on before it came.
	rest    [logline.Streams]remainder
	size    int64   // as it was last seen; of compressed files that are done as they are on disk
	cutting cutting // at the offsets, if they are one
	done    bool
	beyond  bool // older files of the container were left out
}

func hashOf(head []byte) (h [16]byte) {
	sum := sha256.Sum256(head)
	copy(h[:], sum[:])
	return h
}

// matches says whether a file that begins with head may be the one that the checkpoint is of.
func (c *checkpoint) matches(head []byte) bool {
	return len(head) >= c.headSize && hashOf(head[:c.headSize]) == c.hash
}

// isUnique says whether no other file begins with head as far as the checkpoint knows it. Many files may begin alike that have no time there, as
// with the parts of Docker's long lines.
func (c *checkpoint) isUnique(head []byte) bool {
	return c.headSize >= minHead && logline.HasTime(head[:c.headSize])
}

// isOf says whether the checkpoint is of a file with its number, which may be that of a file that was deleted since.
func (c *checkpoint) isOf(f *file) bool {
	return c.matches(f.head) && (!c.done || f.onDisk == c.size || c.isUnique(f.head))
}

// isOfCopy says whether a file that begins with head is a copy of the one that the checkpoint is of.
func (c *checkpoint) isOfCopy(head []byte) bool { return c.matches(head) && c.isUnique(head) }

// isUnbegun says whether nothing of the file was taken.
func (c *checkpoint) isUnbegun() bool { return !c.done && c.offsets == [logline.Streams]int64{} }

// unread is how much of the file was known to be there, and not taken.
func (c *checkpoint) unread() int64 {
	if c.done {
		return 0
	}
	return max(0, c.size-min(c.offsets[0], c.offsets[1]))
}

const checkpointVersion = 1

var errCheckpoint = errors.New("checkpoint is damaged")

// appendCheckpoints appends the checkpoints of one container to what is stored under a key. All numbers are unsigned varints.
func appendCheckpoints(b []byte, list []checkpoint) []byte {
	b = append(b, checkpointVersion)
	b = binary.AppendUvarint(b, uint64(len(list)))
	for i := range list {
		c := &list[i]
		b = binary.AppendUvarint(b, c.id.dev)
		b = binary.AppendUvarint(b, c.id.ino)
		b = binary.AppendUvarint(b, uint64(c.headSize))
		b = append(b, c.hash[:]...)
		for _, offset := range c.offsets {
			b = binary.AppendUvarint(b, uint64(offset))
		}
		b = binary.AppendUvarint(b, uint64(c.size))
		b = append(b, c.flags())
	}
	return b
}

const (
	flagCuttingLong = 1 << iota
	flagDone
	flagCuttingTorn
	flagRest             // of the first stream; that of the other one follows
	flagLeftOut = 1 << 5 // the same
	flagBeyond  = 1 << 7
)

func (c *checkpoint) flags() (flags byte) {
	switch c.cutting {
	case cuttingLong:
		flags |= flagCuttingLong
	case cuttingTorn:
		flags |= flagCuttingTorn
	}
	if c.done {
		flags |= flagDone
	}
	if c.beyond {
		flags |= flagBeyond
	}
	for s, rest := range c.rest {
		switch rest {
		case restFollows:
			flags |= flagRest << s
		case restLeftOut:
			flags |= flagLeftOut << s
		}
	}
	return flags
}

func (c *checkpoint) setFlags(flags byte) {
	switch {
	case flags&flagCuttingLong != 0:
		c.cutting = cuttingLong
	case flags&flagCuttingTorn != 0:
		c.cutting = cuttingTorn
	}
	c.done, c.beyond = flags&flagDone != 0, flags&flagBeyond != 0
	for s := range c.rest {
		switch {
		case flags&(flagRest<<s) != 0:
			c.rest[s] = restFollows
		case flags&(flagLeftOut<<s) != 0:
			c.rest[s] = restLeftOut
		}
	}
}

func parseCheckpoints(b []byte) ([]checkpoint, error) {
	if len(b) == 0 || b[0] != checkpointVersion {
		return nil, errCheckpoint
	}
	b = b[1:]
	bad := false
	number := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			bad = true
			return 0
		}
		b = b[n:]
		return v
	}
	var list []checkpoint
	for n := number(); n > 0 && !bad; n-- {
		var c checkpoint
		c.id = fileID{dev: number(), ino: number()}
		size := number()
		if bad || size > headSize || len(b) < len(c.hash) {
			return nil, errCheckpoint
		}
		c.headSize = int(size)
		b = b[copy(c.hash[:], b):]
		for i := range c.offsets {
			c.offsets[i] = int64(number())
			bad = bad || c.offsets[i] < 0
		}
		c.size = int64(number())
		if bad || c.size < 0 || len(b) == 0 {
			return nil, errCheckpoint
		}
		c.setFlags(b[0])
		b = b[1:]
		list = append(list, c)
	}
	if bad || len(b) != 0 {
		return nil, errCheckpoint
	}
	return list, nil
}
