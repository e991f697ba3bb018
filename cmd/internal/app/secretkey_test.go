package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretKey_isMadeOnceForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	path := secretKeyPath(filepath.Join(t.TempDir(), "playbot.db"))
	first, err := secretKey(path)
	if err != nil || len(first) != secretKeySize {
		t.Fatalf("got %d bytes, %v", len(first), err)
	}
	again, err := secretKey(path)
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("the second process has another key (%v)", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || filepath.Base(path) != "playbot.db.key" {
		t.Errorf("%s has mode %v (%v)", path, info.Mode(), err)
	}
	other, err := secretKey(filepath.Join(t.TempDir(), "other.key"))
	if err != nil || bytes.Equal(first, other) {
		t.Errorf("two stores have one key (%v)", err)
	}
	if rest, err := filepath.Glob(path + ".*"); err != nil || len(rest) > 0 {
		t.Errorf("left behind: %v (%v)", rest, err)
	}
}

func TestSecretKey_refuses(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("ab", secretKeySize) + "\n"
	for name, row := range map[string]struct {
		data string
		mode os.FileMode
		want string
	}{
		"readable by others":  {good, 0o644, "chmod 600"},
		"readable by a group": {good, 0o640, "chmod 600"},
		"empty":               {"", 0o600, "is not a key"},
		"short":               {good[:40], 0o600, "is not a key"},
		"no key":              {strings.Repeat("xy", secretKeySize), 0o600, "is not a key"},
	} {
		path := filepath.Join(t.TempDir(), "playbot.key")
		if err := os.WriteFile(path, []byte(row.data), row.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, row.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := secretKey(path); err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
	if _, err := secretKey(filepath.Join(t.TempDir(), "none", "playbot.key")); err == nil {
		t.Error("a key in a folder that is not there")
	}
}
