// Package bolttest tries the workspace with an app on Slack's own SDK for Node, @slack/bolt: an
// independent judge of what Slack's protocol is. Its test needs npm, and so the build tag integration:
//
//	go test -tags integration ./bot/workspace/bolttest
package bolttest
