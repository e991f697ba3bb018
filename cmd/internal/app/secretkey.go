package app

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// secretKeySize is the size of the key of the digests of secrets, in bytes: that of the hash.
const secretKeySize = 32

// secretKeyPath is where the key belonging to a store is. It is no part of the store, so that neither
// an export nor a copy of the store gives the digests in it away.
func secretKeyPath(store string) string {
	return store + ".key"
}

// secretKey reads the key by which secret inputs are recognised, and makes one where there is none.
// The store must be open: it keeps a second process from making another.
func secretKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newSecretKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of secrets: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s, the key of secrets, can be read by others; chmod 600 it", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key of secrets: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(data)))
	if err != nil || len(key) != secretKeySize {
		return nil, fmt.Errorf("%s is not a key of secrets; restore it from a backup, or remove it: then runs that wait for a secret can only be cancelled", path)
	}
	return key, nil
}

// newSecretKey writes a key under another name first, so that half a key is never read.
func newSecretKey(path string) (_ []byte, err error) {
	key := make([]byte, secretKeySize)
	_, _ = rand.Read(key)                                                 // never fails: crypto/rand
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("make the key of secrets: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("make the key of secrets: %w", errors.Join(err, os.Remove(f.Name())))
		}
	}()
	_, err = fmt.Fprintln(f, hex.EncodeToString(key))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	return key, os.Rename(f.Name(), path)
}
