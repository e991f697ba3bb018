// Package log is the task type `log`: a line into the thread and into the program's log.
package log

import (
	"context"
	"log/slog"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Type is the task type. A nil logger keeps the line in the thread alone.
func Type(logger *slog.Logger) engine.TaskType {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return engine.TaskType{
		Name: "log", Summary: "writes a line into the thread and the log", Keys: keys(),
		Decode: func(p *playbooks.Properties) (engine.Task, error) {
			t := &task{logger: logger, message: p.RequireText("message")}
			t.level = levels()[p.Choice("level", "info", "debug", "info", "warn", "error", "fatal")]
			return t, p.Err()
		},
	}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{Name: "message", Kind: playbooks.KindText, Required: true, Doc: "What to say."},
		{
			Name: "level", Kind: playbooks.KindText, Default: "info", Choices: []string{"debug", "info", "warn", "error", "fatal"},
			Doc: "The level of the line in playbot's log; `fatal` is written as `error` and ends nothing.",
		},
	}
}

// levels maps the words of the language; fatal is a word of 2017 and ends nothing here.
func levels() map[string]slog.Level {
	return map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError, "fatal": slog.LevelError,
	}
}

type task struct {
	logger  *slog.Logger
	message string
	level   slog.Level
}

// Effect implements [engine.Task]: a line said twice does no harm.
func (*task) Effect() engine.Effect { return engine.ReadOnly }

// Run implements [engine.Task].
func (t *task) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	t.logger.Log(ctx, t.level, "playbook says", "run", c.Run.ID, "task", c.Path, "message", c.Masked(t.message))
	return engine.Result{Message: t.message}, nil
}
