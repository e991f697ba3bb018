package bot

import "time"

// Slack's limits, and the margins that we keep to them.
const (
	// Slack refuses about 12,000 characters over all blocks, undocumented (bolt-js issues 2509, 2867).
	maxCharacters = 9000
	// docs.slack.dev/reference/block-kit/blocks: 50 blocks in a message, 100 in a view.
	maxBlocks = 48
	// docs.slack.dev/reference/block-kit/blocks/section-block: 3,000 characters.
	maxSection = 2900
	// docs.slack.dev/reference/block-kit/blocks/header-block: 150 characters.
	maxHeader = 150
	// docs.slack.dev/reference/block-kit/block-elements/button-element: value of 2,000 characters, label of 75.
	maxValue = 2000
	maxLabel = 75
	// docs.slack.dev/reference/views: 100 blocks, 250 KB, title and buttons of 24 characters, private_metadata
	// of 3,000; docs.slack.dev/reference/block-kit/block-elements and composition-objects: text inputs of 3,000
	// characters, menus of 100 options, whose texts have 75; docs.slack.dev/reference/block-kit/blocks/input-block:
	// label and hint of 2,000, of which less is better on a phone.
	maxViewBlocks  = 100
	maxViewBytes   = 240_000
	maxViewTitle   = 24
	maxMetadata    = 3000
	maxInput       = 3000
	maxOptions     = 100
	maxOptionText  = 75
	maxOptionValue = 150
	maxFieldLabel  = 150
	maxHint        = 500
	maxComplaint   = 300
	// chat.update refuses text above 4,000 characters.
	maxFallback = 3000
	// docs.slack.dev/reference/block-kit/blocks/actions-block: 25 elements.
	maxActions = 25

	// A Home tab: docs.slack.dev/reference/views, 100 blocks. Slack names no limit for all characters but the
	// 250 KB of a view.
	maxHomeBlocks     = 96
	maxViewCharacters = 30000
	maxHomeRun        = 1200 // characters of one run

	// Parts of our own messages, chosen so that all of them fit into maxCharacters: what a task will do,
	// and the steps of a card.
	maxSealed = 5500
	// maxDiffers bounds what is said of how a run differs from the last one.
	maxDiffers = 1500
	maxSteps   = 4000

	// Slack drops acks of 20 KB; see docs.slack.dev/apis/events-api/using-socket-mode.
	maxAck = 15 << 10
	// A command or click must be acked within 3 s; what is not in a transaction by then is dropped.
	requestTime = 1500 * time.Millisecond

	// chat.update: 50 a minute and workspace (docs.slack.dev/apis/web-api/rate-limits, tier 3). We use 40:
	// a burst of 10 and then one in two seconds.
	updateBurst  = 10
	updateEvery  = 2 * time.Second
	updateSpared = 3 // what ordinary edits leave for decisions and last edits
	// A card is edited at most so often.
	cardEvery = 3 * time.Second
	// chat.postMessage: one a second and channel, with short bursts.
	postBurst = 3
	postEvery = time.Second

	// maxTries is how often one call is tried when Slack answers with 5xx or not at all.
	maxTries = 8
	// maxGroup is how many steps share one reply when steps end faster than they can be posted.
	maxGroup = 10
	// maxOutput is how many lines of a step's notes its reply shows.
	maxOutput = 15
	// maxAnswerLines is how many lines it shows of what nodes said: two for each answer.
	maxAnswerLines = 24
	// Characters of a step's description, and of its message when it has a reply of its own.
	maxStepName = 200
	maxStepText = 2000
)
