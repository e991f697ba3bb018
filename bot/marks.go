package bot

import (
	"regexp"
	"strings"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// runMark is the character that stands for how a run is.
func runMark(s engine.RunStatus) string {
	switch s {
	case engine.RunSuccess:
		return "✅"
	case engine.RunFailed:
		return "❌"
	case engine.RunCancelled:
		return "🚫"
	case engine.RunWaiting:
		return "✋"
	case engine.RunPreparing, engine.RunRunning:
	}
	return "⏳"
}

// taskMark is the character that stands for how a task is.
func taskMark(s engine.TaskStatus) string {
	switch s {
	case engine.TaskOK:
		return "✅"
	case engine.TaskFailed:
		return "❌"
	case engine.TaskTolerated:
		return "⚠️"
	case engine.TaskSkippedOver:
		return "⏭️"
	case engine.TaskDenied:
		return "⛔"
	case engine.TaskCancelled:
		return "🚫"
	case engine.TaskWaiting:
		return "✋"
	case engine.TaskRunning:
		return "⏳"
	case engine.TaskPending:
	}
	return "▫️"
}

// cleanText takes away what a terminal would act on: colours and other escape sequences, and the
// control characters.
func cleanText(text string) string {
	if strings.ContainsRune(text, '\x1b') {
		text = escapes().ReplaceAllString(text, "")
	}
	return commands.Clean(strings.ReplaceAll(text, "\r", ""))
}

// escapes matches ECMA-48 control sequences.
func escapes() *regexp.Regexp {
	return regexp.MustCompile("\x1b(\\[[0-9;?]*[ -/]*[@-~]|\\][^\x07\x1b]*(\x07|\x1b\\\\)?|[@-_])")
}
