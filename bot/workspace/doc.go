// Package workspace is a Slack-compatible workspace on this machine: the part of the Web API that
// bots use, Socket Mode, and a page to look at and click in. `playbot dev` and `playbot demo` open
// it for people who have no accounts yet, and every test of the house talks to it with the real
// Slack client.
//
// It is strict where Slack is strict: what the bot sends is checked by package blockkit and refused
// under Slack's own error names, and every refusal is kept in [Server.Violations]. Its state lives in
// memory and outlives the bots that connect to it. It knows nothing of playbot, and it is not Slack.
package workspace
