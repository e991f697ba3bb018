package agents

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/playbot/playbot/engine/choria/realfleet/external"
)

// The files that a puppet agent keeps in its state folder.
const (
	// LockFile is there while it is administratively disabled.
	LockFile = "agent_disabled.lock"
	// RunFile holds the process number of a run that is under way.
	RunFile = "agent_catalog_run.lock"
	// lastRun is written at the end of a run.
	lastRun = "last_run_summary.yaml"
)

// puppet locks and unlocks the puppet agent of a machine, as `puppet agent --disable` and `--enable` do,
// without the seconds that they take. Its setting is statedir.
func puppet() external.Agent {
	return external.Agent{Name: "puppet", Actions: map[string]external.Action{
		"disable": lock, "enable": unlock, "status": puppetStatus,
	}}
}

// lock keeps the message of an agent that is disabled already, as Choria's own agent for puppet does.
func lock(_ context.Context, r *external.Request) (map[string]any, error) {
	var in struct {
		Message string `json:"message"`
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	dir, err := r.Settings.Need("statedir")
	if err != nil {
		return nil, err
	}
	if in.Message == "" {
		in.Message = "Disabled via Choria by " + r.Caller + " at " + r.Time().UTC().Format(time.DateTime)
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(map[string]string{"disabled_message": in.Message}); err != nil {
		return nil, err
	}
	return writeLock(dir, bytes.TrimSpace(text.Bytes()))
}

// writeLock puts a whole file into place: puppet must never read half of one.
func writeLock(dir string, text []byte) (map[string]any, error) {
	file, err := os.CreateTemp(dir, LockFile+".")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(text)
	if err := errors.Join(err, file.Chmod(0o644), file.Close()); err != nil { // as puppet's own
		return nil, err
	}
	switch err := os.Link(file.Name(), filepath.Join(dir, LockFile)); {
	case errors.Is(err, fs.ErrExist):
		return nil, &external.Error{Message: "already disabled", Data: map[string]any{"status": "already disabled", "enabled": false}}
	case err != nil:
		return nil, err
	}
	return map[string]any{"status": "disabled", "enabled": false}, nil
}

func unlock(_ context.Context, r *external.Request) (map[string]any, error) {
	dir, err := r.Settings.Need("statedir")
	if err != nil {
		return nil, err
	}
	switch err := os.Remove(filepath.Join(dir, LockFile)); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &external.Error{Message: "already enabled", Data: map[string]any{"status": "already enabled", "enabled": true}}
	case err != nil:
		return nil, err
	}
	return map[string]any{"status": "enabled", "enabled": true}, nil
}

func puppetStatus(_ context.Context, r *external.Request) (map[string]any, error) {
	dir, err := r.Settings.Need("statedir")
	if err != nil {
		return nil, err
	}
	message, locked, err := Locked(dir)
	if err != nil {
		return nil, err
	}
	applying, err := applying(dir)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"applying": applying, "enabled": !locked, "disable_message": message, "idling": false, "daemon_present": false}
	if info, err := os.Stat(filepath.Join(dir, lastRun)); err == nil {
		out["lastrun"], out["since_lastrun"] = info.ModTime().Unix(), int(time.Since(info.ModTime()).Seconds())
	}
	return out, nil
}

// Locked reads whether the puppet agent of a state folder is disabled, and why.
func Locked(dir string) (message string, locked bool, err error) {
	data, err := os.ReadFile(filepath.Join(dir, LockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	var content struct {
		Message string `json:"disabled_message"`
	}
	if len(data) > 0 { // an empty file locks too
		err = json.Unmarshal(data, &content)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", filepath.Join(dir, LockFile), err)
	}
	return content.Message, true, err
}

// applying looks for a run whose process is there.
func applying(dir string) (bool, error) {
	data, err := os.ReadFile(filepath.Join(dir, RunFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid <= 0 {
		return false, nil //nolint:nilerr // puppet takes such a file for stale too
	}
	err = syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM), nil
}
