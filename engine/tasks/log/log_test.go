package log_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/engine/tasks/log"
	"github.com/playbot/playbot/playbooks"
)

func TestLog_passesTheSuite(t *testing.T) {
	t.Parallel()
	tasktest.Run(t, tasktest.Case{Type: log.Type(nil), Good: map[string]any{"message": "drained", "level": "warn"}})
}

func TestLog_lineGoesToTheThreadAndTheLog(t *testing.T) {
	t.Parallel()
	for word, level := range map[string]string{
		"": "INFO", "debug": "DEBUG", "info": "INFO", "warn": "WARN", "error": "ERROR", "fatal": "ERROR",
	} {
		var out bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		properties := map[string]any{"message": "5 of 6 are back"}
		if word != "" {
			properties["level"] = word
		}
		task, err := log.Type(logger).Decode(playbooks.FromMap(properties))
		if err != nil {
			t.Fatal(err)
		}
		c := tasktest.Call(nil)
		result, err := task.Run(t.Context(), c)
		if err != nil || result.Message != "5 of 6 are back" {
			t.Errorf("%s: got %q, %v", word, result.Message, err)
		}
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line["level"] != level || line["message"] != "5 of 6 are back" || line["run"] != string(c.Run.ID) || line["task"] != "tasks.1" {
			t.Errorf("%s: got %v, want level %s", word, line, level)
		}
	}
}

func TestLog_unknownLevelIsRefused(t *testing.T) {
	t.Parallel()
	_, err := log.Type(nil).Decode(playbooks.FromMap(map[string]any{"message": "x", "level": "warning"}))
	if err == nil || !strings.Contains(err.Error(), `level cannot be "warning"`) {
		t.Errorf("got %v", err)
	}
}

func TestLog_mayBeSaidAgain(t *testing.T) {
	t.Parallel()
	task, err := log.Type(nil).Decode(playbooks.FromMap(map[string]any{"message": "x"}))
	if err != nil || task.Effect() != engine.ReadOnly {
		t.Errorf("got %v, %v", task, err)
	}
}

func TestLog_noSecretIsSaid(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	task, err := log.Type(slog.New(slog.NewJSONHandler(&out, nil))).Decode(playbooks.FromMap(map[string]any{"message": "the key is hunter2"}))
	if err != nil {
		t.Fatal(err)
	}
	c := tasktest.Call(nil)
	c.Mask = func(text string) string { return strings.ReplaceAll(text, "hunter2", "***") }
	if _, err := task.Run(t.Context(), c); err != nil || !strings.Contains(out.String(), "the key is ***") {
		t.Errorf("the log says %s (%v)", out.String(), err)
	}
}
