package agents

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/playbot/playbot/cmd/internal/demoreal/webapp"
	"github.com/playbot/playbot/engine/choria/realfleet/external"
)

// appmgr installs and runs revisions of the application of a machine. Its settings are folder, where the
// application lives, repository, the folder that holds all releases, and url, where the application
// answers. The supervisor of the machine starts again what ends.
func appmgr() external.Agent {
	return external.Agent{Name: "appmgr", Actions: map[string]external.Action{"upgrade": upgrade, "status": appStatus}}
}

// installation is the application of this machine.
type installation struct{ folder, repository, url string }

func readInstallation(r *external.Request) (installation, error) {
	var i installation
	for name, to := range map[string]*string{"folder": &i.folder, "repository": &i.repository, "url": &i.url} {
		value, err := r.Settings.Need(name)
		if err != nil {
			return i, err
		}
		*to = value
	}
	return i, nil
}

// upgrade installs a release, ends the old process, and returns when the new one answers; whether it
// answers well is for checks to say.
func upgrade(ctx context.Context, r *external.Request) (map[string]any, error) {
	var in struct {
		Revision string `json:"revision"`
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	app, err := readInstallation(r)
	if err != nil {
		return nil, err
	}
	previous, err := app.revision()
	if err != nil {
		return nil, err
	}
	if err := app.install(in.Revision); err != nil {
		return nil, err
	}
	if err := app.restart(ctx); err != nil {
		return nil, err
	}
	return map[string]any{"revision": in.Revision, "previous": previous}, nil
}

func appStatus(ctx context.Context, r *external.Request) (map[string]any, error) {
	app, err := readInstallation(r)
	if err != nil {
		return nil, err
	}
	code, text, err := Get(ctx, app.url+"/version")
	if err != nil {
		return nil, err
	}
	status := "running"
	if code != http.StatusOK {
		status = "failing"
	}
	return map[string]any{"revision": strings.TrimPrefix(text, "revision "), "status": status}, nil
}

func (i installation) revision() (string, error) {
	data, err := os.ReadFile(filepath.Join(i.folder, webapp.Current, webapp.RevisionFile))
	return strings.TrimSpace(string(data)), err
}

// install copies a release from the repository and makes it the current one, at once.
func (i installation) install(revision string) error {
	from := filepath.Join(i.repository, filepath.Base(revision))
	to := filepath.Join(i.folder, "releases", filepath.Base(revision))
	if _, err := os.Stat(filepath.Join(from, webapp.RevisionFile)); err != nil {
		return &external.Error{Code: external.CodeInvalidData, Message: "the repository has no revision " + revision}
	}
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return fmt.Errorf("install %s: %w", revision, err)
	}
	next := filepath.Join(i.folder, webapp.Current+".next")
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(to, next); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(i.folder, webapp.Current))
}

// restart ends the process and waits for one that answers.
func (i installation) restart(ctx context.Context) error {
	old, err := i.pid()
	if err != nil {
		return err
	}
	if err := syscall.Kill(old, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("end process %d: %w", old, err)
	}
	return until(ctx, "the application to answer", func(ctx context.Context) error {
		now, err := i.pid()
		if err != nil {
			return err
		}
		if now == old {
			return fmt.Errorf("process %d is still the one", old)
		}
		_, _, err = Get(ctx, i.url+"/version")
		return err
	})
}

func (i installation) pid() (int, error) {
	data, err := os.ReadFile(filepath.Join(i.folder, webapp.PIDFile))
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(string(data))
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("%s holds no process number", webapp.PIDFile)
	}
	return pid, nil
}

// Get asks a URL on this machine and returns the status code and the first line of the answer.
func Get(ctx context.Context, url string) (code int, line string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := (&http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	line, _, _ = strings.Cut(string(data), "\n")
	return resp.StatusCode, line, err
}
