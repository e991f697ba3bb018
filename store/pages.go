package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
)

// pages verifies the pages of a file without trusting any of them. bbolt follows what it finds, in
// its own check too, and there a single altered bit may end the process or never end.
type pages struct {
	ctx  context.Context //nolint:containedctx // lives as long as one call of checkPages
	file io.ReaderAt
	size int64  // of a page
	high uint64 // pages in use are below
	seen []bool

	quick bool // reads of a bucket's tree only what leads to its leaves
}

// page is one page, with those that it goes on over.
type page struct {
	id    uint64
	flags uint16
	count int
	data  []byte // with the header
}

func (p page) damaged(format string, args ...any) error {
	return &DamagedError{Reason: fmt.Sprintf("page %d: ", p.id) + fmt.Sprintf(format, args...)}
}

func header(buf []byte) page {
	return page{
		id: binary.NativeEndian.Uint64(buf), flags: binary.NativeEndian.Uint16(buf[8:]),
		count: int(binary.NativeEndian.Uint16(buf[10:])), data: buf,
	}
}

// read returns a page, which must not have been read before.
func (w *pages) read(id uint64) (page, error) {
	if err := w.ctx.Err(); err != nil {
		return page{}, context.Cause(w.ctx)
	}
	want := page{id: id}
	if id < 2 || id >= w.high {
		return want, want.damaged("it is outside the file")
	}
	buf := make([]byte, w.size)
	if _, err := w.file.ReadAt(buf, int64(id)*w.size); err != nil {
		return want, err
	}
	p, more := header(buf), uint64(binary.NativeEndian.Uint32(buf[12:]))
	if p.id != id {
		return want, want.damaged("it says that it is page %d", p.id)
	}
	if id+more >= w.high {
		return want, want.damaged("it goes on beyond the end of the file")
	}
	for n := id; n <= id+more; n++ {
		if err := w.use(n); err != nil {
			return want, err
		}
	}
	if more > 0 {
		p.data = make([]byte, (int64(more)+1)*w.size)
		if _, err := w.file.ReadAt(p.data, int64(id)*w.size); err != nil {
			return want, err
		}
	}
	return p, nil
}

// use notes that a page is in use, which it must not have been before.
func (w *pages) use(id uint64) error {
	if id < 2 || id >= w.high {
		return page{id: id}.damaged("it is outside the file")
	}
	if w.seen[id] {
		return page{id: id}.damaged("it is in use twice")
	}
	w.seen[id] = true
	return nil
}

// tree checks a page and those below it. Keys are to be at least low and less than high; nil does not bound.
func (w *pages) tree(id uint64, low, high []byte) error {
	p, err := w.read(id)
	if err != nil {
		return err
	}
	return w.content(p, low, high)
}

func (w *pages) content(p page, low, high []byte) error {
	switch p.flags {
	case boltLeaf:
		return w.leaf(p, low, high)
	case boltBranch:
		return w.branch(p, low, high)
	}
	return p.damaged("its type %#x is not that of a tree", p.flags)
}

func (w *pages) branch(p page, low, high []byte) error {
	keys, children, err := p.children()
	if err == nil {
		err = p.ordered(keys, low, high)
	}
	if err != nil {
		return err
	}
	for i, child := range children {
		next := high
		if i+1 < len(keys) {
			next = keys[i+1]
		}
		if err := w.tree(child, keys[i], next); err != nil {
			return err
		}
	}
	return nil
}

// children returns what a branch leads to, and the first key of each.
func (p page) children() (keys [][]byte, ids []uint64, err error) {
	if p.count == 0 || boltHeaderSize+p.count*boltElement > len(p.data) {
		return nil, nil, p.damaged("it cannot have %d children", p.count)
	}
	keys, ids = make([][]byte, p.count), make([]uint64, p.count)
	for i := range p.count {
		at := boltHeaderSize + i*boltElement
		e := p.data[at:]
		if keys[i], _, err = p.slice(at, binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:]), 0); err != nil {
			return nil, nil, err
		}
		ids[i] = binary.NativeEndian.Uint64(e[8:])
	}
	return keys, ids, nil
}

// branches reads the branches of a tree, and of each lowest one the first leaf: the leaves of a tree
// are all equally deep, so that its neighbours are leaves too.
func (w *pages) branches(id uint64) (leaf bool, err error) {
	p, err := w.read(id)
	if err != nil || p.flags == boltLeaf {
		return true, err
	}
	if p.flags != boltBranch {
		return false, p.damaged("its type %#x is not that of a tree", p.flags)
	}
	_, ids, err := p.children()
	for _, id := range ids {
		if leaf {
			err = w.use(id)
		} else {
			leaf, err = w.branches(id)
		}
		if err != nil {
			return false, err
		}
	}
	return false, err
}

func (w *pages) leaf(p page, low, high []byte) error {
	if boltHeaderSize+p.count*boltElement > len(p.data) {
		return p.damaged("it cannot have %d entries", p.count)
	}
	keys := make([][]byte, p.count)
	for i := range p.count {
		at := boltHeaderSize + i*boltElement
		e := p.data[at:]
		key, value, err := p.slice(at, binary.NativeEndian.Uint32(e[4:]), binary.NativeEndian.Uint32(e[8:]), binary.NativeEndian.Uint32(e[12:]))
		if err != nil {
			return err
		}
		keys[i] = key
		switch flags := binary.NativeEndian.Uint32(e); flags {
		case 0:
		case boltBucketFlag:
			if err := w.bucket(p, value); err != nil {
				return err
			}
		default:
			return p.damaged("an entry has the unknown flags %#x", flags)
		}
	}
	return p.ordered(keys, low, high)
}

// bucket checks what stands for a bucket: the page where its tree begins, or a small leaf in its place.
func (w *pages) bucket(p page, value []byte) error {
	const bucketHeader = 16
	if len(value) < bucketHeader {
		return p.damaged("a bucket is too short")
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		if w.quick {
			_, err := w.branches(root)
			return err
		}
		return w.tree(root, nil, nil)
	}
	inline := value[bucketHeader:]
	if len(inline) < boltHeaderSize || header(inline).flags != boltLeaf {
		return p.damaged("a small bucket is no leaf")
	}
	leaf := header(inline)
	leaf.id = p.id // for messages: it is a part of that page
	return w.leaf(leaf, nil, nil)
}

// slice cuts a key and a value out of a page. Positions count from the element.
func (p page) slice(at int, pos, keySize, valueSize uint32) (key, value []byte, err error) {
	from := int64(at) + int64(pos)
	mid := from + int64(keySize)
	to := mid + int64(valueSize)
	if from < int64(boltHeaderSize+p.count*boltElement) || to > int64(len(p.data)) {
		return nil, nil, p.damaged("an entry lies outside of it")
	}
	return p.data[from:mid], p.data[mid:to], nil
}

func (p page) ordered(keys [][]byte, low, high []byte) error {
	for i, key := range keys {
		if i > 0 && bytes.Compare(keys[i-1], key) >= 0 || bytes.Compare(key, low) < 0 || high != nil && bytes.Compare(key, high) >= 0 {
			return p.damaged("the keys are not in order")
		}
	}
	return nil
}

// free checks that no page is both in use and free, and none is neither.
func (w *pages) free(id uint64) error {
	if id == boltNoFreelist {
		return nil
	}
	p, err := w.read(id)
	if err != nil {
		return err
	}
	ids, count := p.data[boltHeaderSize:], uint64(p.count)
	if count == boltMany {
		ids, count = ids[8:], binary.NativeEndian.Uint64(ids)
	}
	if p.flags != boltFreelist || count > uint64(len(ids)/8) {
		return p.damaged("it is not the list of free pages")
	}
	for i := range count {
		free := binary.NativeEndian.Uint64(ids[8*i:])
		if free >= w.high || w.seen[free] {
			return p.damaged("it lists page %d, which is not free", free)
		}
		w.seen[free] = true
	}
	for n, seen := range w.seen {
		if !seen && !w.quick {
			return &DamagedError{Reason: fmt.Sprintf("page %d is neither in use nor free", n)}
		}
	}
	return nil
}
