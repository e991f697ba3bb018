// Package commands is what people can say: a line of text or the press of a button goes in, a
// neutral [Reply] comes out. It knows neither Slack nor the store. Whoever stands at a door (the
// bot, the terminal) turns what arrives there into a [Request] or a [Press] and draws the Reply.
//
// A line is read in three steps, all in this package: [decode] makes the characters that a chat
// client sends into those that the person meant, [split] finds words, flags and assignments, and
// the verb says what they mean. Whatever is not understood is never carried out; the answer names
// the nearest word that would have been.
//
// Only the engine decides. This package asks it, through interfaces that it states itself, and
// turns its errors into sentences. What a person may not view does not exist for them here.
package commands
