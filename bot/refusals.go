package bot

import (
	"errors"
	"slices"

	"github.com/slack-go/slack"
)

// errThreadGone says that the message below which another was to stand is not there any more.
var errThreadGone = errors.New("the thread is gone")

// unreachable reports whether an error says that the bot may not post in a channel.
func unreachable(err error) bool { return closed(refused(err)) }

// closed reports whether the name of an error says that the bot may not post in a channel; chat.update
// calls one that is archived is_inactive.
func closed(name string) bool {
	return slices.Contains([]string{
		"channel_not_found", "not_in_channel", "is_archived", "is_inactive", "restricted_action", "restricted_action_read_only_channel",
		"restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "posting_to_general_channel_denied",
		"cannot_dm_bot", "messages_tab_disabled", "user_disabled", "user_not_found", "team_access_not_granted", "ekm_access_denied",
	}, name)
}

// lostAt reports whether an error says that a message, or a thread, cannot be written to any more, so
// that a new one has to take its place.
func lostAt(err error) bool {
	return errors.Is(err, errThreadGone) || unreachable(err) || slices.Contains([]string{
		"message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed",
		"restricted_action_thread_locked", "cannot_reply_to_message",
	}, refused(err))
}

// unsound reports whether Slack refuses a message for what it looks like: we have drawn it wrong.
func unsound(err error) bool {
	return slices.Contains([]string{
		"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "no_text", "invalid_arguments",
		"invalid_attachments", "too_many_attachments", "metadata_too_large", "invalid_metadata_format", "invalid_metadata_schema",
	}, refused(err))
}

// uncertain reports whether an error leaves open whether a message was posted. Slack says of its own
// internal errors that some of what was asked for may be done.
func uncertain(err error) bool {
	if err == nil || errors.Is(err, errThreadGone) {
		return false
	}
	if _, limited := errors.AsType[*slack.RateLimitedError](err); limited {
		return false
	}
	return slices.Contains([]string{"", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}, refused(err))
}
