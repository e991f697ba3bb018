package app_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/cmd/internal/app"
)

const smallBook = "name: NAME\nversion: 1.0.0\nauthor: T <t@example.net>\ndescription: Says hi\nrun_as: choria=t.user\ntasks: [{log: {message: hi}}]\n"

// T-34: a folder of playbooks that everybody can write is refused at the start, and one that becomes so is not
// read again until it is mended.
func TestApp_readsNoPlaybooksThatEverybodyCanWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	books := filepath.Join(dir, "books")
	put := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(books, name+".yaml"), []byte(strings.Replace(smallBook, "NAME", name, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(books, 0o700); err != nil {
		t.Fatal(err)
	}
	put("first")
	cfg := app.Config{DataDir: filepath.Join(dir, "data"), Playbooks: books}
	synctest.Test(t, func(t *testing.T) {
		a, err := app.New(t.Context(), app.Options{Config: cfg})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		known := func(name string) bool {
			time.Sleep(10 * time.Second)
			_, err := a.Library.Get(name)
			return err == nil
		}
		mode := func(m os.FileMode) {
			if err := os.Chmod(books, m); err != nil {
				t.Fatal(err)
			}
		}
		mode(0o707)
		put("second")
		if known("second") || !known("first") {
			t.Error("a playbook was read out of a folder that everybody can write, or one that was there is gone")
		}
		if err := cfg.Guarded(); err == nil || !strings.Contains(err.Error(), "chmod o-w "+books) {
			t.Errorf("got %v", err)
		}
		mode(0o700)
		if !known("second") {
			t.Error("once the folder is mended, it is not read")
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
