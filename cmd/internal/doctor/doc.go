// Package doctor looks whether an installation can work, from every side, and says of each thing that
// cannot how to mend it. It changes nothing: no file is made, nothing is posted, no action of an agent
// is called that does more than answer, and no socket is opened to Slack, which would hand it what people
// type for the bot.
package doctor
