package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// boltMagic, boltMetaOffset and boltPageSizes are bbolt's file format, version 2 (bbolt's db.go, page.go).
	boltMagic      = 0xED0CDAED
	boltHeaderSize = 16
	boltMetaSize   = 64
)

// inspect looks at a file before bbolt maps it into memory, because a truncated or zeroed file
// would end the process there. It reports whether there is none yet.
func inspect(path string) (fresh bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("open the store: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return false, fmt.Errorf("the store %s can be read by others (mode %v); run chmod 600 %s", path, info.Mode().Perm(), path)
	}
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("open the store: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := sound(f, info.Size()); err != nil {
		return false, fmt.Errorf("the store %s is damaged (%w); move it away and restore a backup, nothing was changed", path, err)
	}
	return false, nil
}

// sound checks that one of the two meta pages is valid and that the file holds what it promises.
func sound(f io.ReaderAt, size int64) error {
	if size == 0 {
		return errors.New("it is empty")
	}
	page := int64(os.Getpagesize())
	highest := int64(-1)
	for _, offset := range []int64{0, page} {
		buf := make([]byte, boltHeaderSize+boltMetaSize)
		if _, err := f.ReadAt(buf, offset); err != nil {
			continue
		}
		meta := buf[boltHeaderSize:]
		if binary.NativeEndian.Uint32(meta) != boltMagic || !metaChecksum(meta) {
			continue
		}
		pageSize := int64(binary.NativeEndian.Uint32(meta[8:]))
		pages := int64(binary.NativeEndian.Uint64(meta[40:]))
		highest = max(highest, pages*pageSize)
	}
	switch {
	case highest < 0:
		return errors.New("neither of its first two pages is that of a store")
	case size < highest:
		return fmt.Errorf("it has %d bytes and should have %d", size, highest)
	}
	return nil
}

// metaChecksum verifies bbolt's FNV-1a sum over the meta page.
func metaChecksum(meta []byte) bool {
	const offset64, prime64 = 14695981039346656037, 1099511628211
	sum := uint64(offset64)
	for _, b := range meta[:56] {
		sum ^= uint64(b)
		sum *= prime64
	}
	return sum == binary.NativeEndian.Uint64(meta[56:])
}

// holder says which process has the file open.
type holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

func holderPath(path string) string { return path + ".holder" }

// writeHolder leaves a note for whoever finds the file locked. Without it the message is less helpful, no more.
func writeHolder(path string) {
	data, err := json.Marshal(holder{PID: os.Getpid(), Command: strings.Join(commandLine(), " "), Since: time.Now().UTC()})
	if err == nil {
		_ = os.WriteFile(holderPath(path), data, 0o600)
	}
}

// commandLine is the program and its subcommand, without arguments that might be private.
func commandLine() []string {
	words := []string{filepath.Base(os.Args[0])}
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		words = append(words, os.Args[1])
	}
	return words
}

func removeHolder(path string) { _ = os.Remove(holderPath(path)) }

// HeldError says that another process has the file open.
type HeldError struct {
	Path    string
	PID     int // 0 when it is not known
	Command string
	Since   time.Time
}

// Error implements error.
func (e *HeldError) Error() string {
	return fmt.Sprintf("the store %s is held by %s; stop that one, or use another data directory", e.Path, e.Holder())
}

// Holder names the process.
func (e *HeldError) Holder() string {
	if e.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("pid %d (%s, since %s)", e.PID, e.Command, e.Since.Format(time.RFC3339))
}

// heldError names the process that holds the file, when it lives.
func heldError(path string) error {
	var h holder
	data, err := os.ReadFile(holderPath(path))
	if err == nil {
		err = json.Unmarshal(data, &h)
	}
	if err != nil || h.PID == 0 || syscall.Kill(h.PID, 0) != nil {
		return &HeldError{Path: path}
	}
	return &HeldError{Path: path, PID: h.PID, Command: h.Command, Since: h.Since}
}
