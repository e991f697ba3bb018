// Package browsertest drives `playbot dev` in a real browser, as its first user would: it types in the
// page, presses its buttons and reads what is on the screen. It is a module of its own, so that the
// library that speaks to Chromium is no part of playbot.
//
// It needs Chromium: on Debian, `apt-get install chromium fonts-noto-color-emoji`. With
// PLAYBOT_PICTURES naming a folder, a picture of every stage is written there; thread.png is the one
// that the README shows (docs/pictures). With the package fonts-inter they look as they do there.
package browsertest
