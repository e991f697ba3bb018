// Package bot is the Slack side of playbot: envelopes of Socket Mode come in and become requests,
// and what the log of events says is drawn into channels and threads. It is the only package that
// imports the Slack client, and nothing that it does changes what a run does: if Slack is away, the
// runs go on, and the bot draws what it missed when Slack is back.
//
// Text that came from outside (inputs, output of nodes, names) is shown letter by letter: in rich
// text leaves and in plain_text objects, never as markup.
package bot
