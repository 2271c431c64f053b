package crashes

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// disk is a tree of files as programs see it, with what of it is durable.
//
// A file's content is durable once a sync of that file has ended that began
// after it was written. When its name is, depends on the file system:
//
//   - strict, as POSIX has it: by a sync of the directory that the name is in, or
//     was. Of other changes of names any may be lost.
//   - journaled, as ext4 and xfs are: by the next sync of anything. Changes of
//     names are lost from the newest on.
//
// Every one of those changes is whole or not there, a rename's two names too.
type disk struct {
	fs    fileSystem
	root  *node
	seq   int           // of the last change
	names []naming      // that may be lost, the oldest first
	syncs map[int]begun // that have begun, by thread
}

type fileSystem string

const (
	strict    fileSystem = "strict"
	journaled fileSystem = "journaled"
)

// node is a file or, if entries is not nil, a directory.
type node struct {
	entries map[string]*node // as programs see them
	durable map[string]*node
	content []byte // durable, and all older than the writes
	writes  []piece
	next    int64 // the offset of a write without one
}

// piece is a write to a file or, if data is nil, a truncation to the size at.
type piece struct {
	seq     int
	at      int64
	data    []byte
	durable bool
	lost    bool // a sync of it has failed: no later one makes it durable
}

// naming is one change of names.
type naming struct {
	seq   int
	edits []edit
}

// edit gives a name in a directory to a node, or, if that is nil, removes it.
type edit struct {
	dir  *node
	name string
	node *node
}

// begun is a sync that has begun.
type begun struct {
	node *node
	seq  int // of the last change before it
}

func newDir() *node { return &node{entries: map[string]*node{}, durable: map[string]*node{}} }

// newDisk is a disk on which tree is durable: content by path, nil for a
// directory.
func newDisk(fs fileSystem, tree map[string][]byte) *disk {
	d := &disk{fs: fs, root: newDir(), syncs: map[int]begun{}}
	for _, p := range slices.Sorted(maps.Keys(tree)) {
		n := newDir()
		if tree[p] != nil {
			n = &node{content: slices.Clone(tree[p])}
		}
		dir, name := d.parent(p)
		dir.entries[name], dir.durable[name] = n, n
	}
	return d
}

// find is the node at a path, nil if there is none.
func (d *disk) find(p string) *node {
	n := d.root
	if p == "." {
		return n
	}
	for name := range strings.SplitSeq(p, "/") {
		if n = n.entries[name]; n == nil {
			return nil
		}
	}
	return n
}

func (d *disk) parent(p string) (*node, string) { return d.find(path.Dir(p)), path.Base(p) }

// apply makes a change that a program has made, or a sync.
func (d *disk) apply(c change) error {
	d.seq++
	n := d.find(c.path)
	for _, p := range []string{c.path, c.to} {
		if d.find(path.Dir(p)) == nil {
			return fmt.Errorf("%s, in a directory that is not there", c)
		}
	}
	if n == nil && c.kind != createFile && c.kind != makeDir {
		return fmt.Errorf("%s, which is not there", c)
	}
	switch c.kind {
	case createFile:
		if n == nil {
			d.name(d.edit(c.path, &node{}))
		}
	case makeDir:
		if n != nil {
			return fmt.Errorf("%s, which is there", c)
		}
		d.name(d.edit(c.path, newDir()))
	case makeLink:
		d.name(d.edit(c.to, n))
	case rename:
		d.name(d.edit(c.path, nil), d.edit(c.to, n))
	case remove:
		d.name(d.edit(c.path, nil))
	case write:
		at := c.at
		if at < 0 {
			at = n.next
			n.next += int64(len(c.data))
		}
		n.writes = append(n.writes, piece{seq: d.seq, at: at, data: []byte(c.data)})
	case truncate:
		n.writes = append(n.writes, piece{seq: d.seq, at: c.at})
		n.next = 0
	case seek:
		n.next = c.at
	case syncBegins:
		d.syncs[c.tid] = begun{n, d.seq}
	case syncEnds, syncFails:
		b, ok := d.syncs[c.tid]
		if !ok {
			return fmt.Errorf("%s, and has not begun", c)
		}
		delete(d.syncs, c.tid)
		d.sync(b, c.kind == syncEnds)
	default:
		return fmt.Errorf("%s: not in the model", c)
	}
	return nil
}

func (d *disk) edit(p string, n *node) edit {
	dir, name := d.parent(p)
	return edit{dir, name, n}
}

func (d *disk) name(edits ...edit) {
	for _, e := range edits {
		set(e.dir.entries, e)
	}
	d.names = append(d.names, naming{d.seq, edits})
}

func set(entries map[string]*node, e edit) {
	if e.node == nil {
		delete(entries, e.name)
	} else {
		entries[e.name] = e.node
	}
}

// sync makes durable what the sync that has ended reached. If it failed, what it
// would have reached of the file itself is lost to all later ones: the system
// may have dropped it.
func (d *disk) sync(b begun, ok bool) {
	for i := range b.node.writes {
		if w := &b.node.writes[i]; w.seq <= b.seq && !w.lost {
			w.durable, w.lost = ok, !ok
		}
	}
	for len(b.node.writes) > 0 && b.node.writes[0].durable {
		b.node.content = b.node.writes[0].apply(b.node.content)
		b.node.writes = b.node.writes[1:]
	}
	if !ok {
		return
	}
	d.names = slices.DeleteFunc(d.names, func(n naming) bool {
		reached := n.seq <= b.seq && (d.fs == journaled || slices.ContainsFunc(n.edits, func(e edit) bool { return e.dir == b.node }))
		for _, e := range n.edits {
			if reached {
				set(e.dir.durable, e)
			}
		}
		return reached
	})
}

// apply makes the change to a file's content.
func (p piece) apply(content []byte) []byte {
	size := p.at + int64(len(p.data))
	if p.data == nil && size < int64(len(content)) {
		return content[:size]
	}
	if grow := size - int64(len(content)); grow > 0 {
		content = append(content, make([]byte, grow)...)
	}
	copy(content[p.at:], p.data)
	return content
}
