// Package typestest holds what the bot sends against the official types of Slack's SDK for Node,
// @slack/types: an independent judge of what a message, a view and a Home tab may be. Its test plays the
// tests of the bot and keeps what the workspace received. It needs npm, and so the build tag integration:
//
//	go test -tags integration ./bot/typestest
package typestest
