package blockkit

// The limits of messages and views. Sources: docs.slack.dev/reference/block-kit (each block's and
// element's page), docs.slack.dev/reference/methods/chat.postMessage and chat.update, views.open.
const (
	maxMessageBlocks   = 50     // blocks of a message
	maxViewBlocks      = 100    // blocks of a modal or Home tab
	maxPostText        = 40000  // chat.postMessage cuts text here; we refuse, since a cut is a loss
	maxUpdateText      = 4000   // chat.update refuses more: msg_too_long
	maxCumulativeText  = 12000  // undocumented; bolt-js issues 2509 and 2867: msg_blocks_too_long
	maxViewBytes       = 250000 // views.open: view_too_large
	maxID              = 255    // block_id, action_id, callback_id
	maxSectionText     = 3000
	maxSectionFields   = 10
	maxFieldText       = 2000
	maxHeaderText      = 150
	maxContextElements = 10
	maxActionElements  = 25
	maxButtonText      = 75
	maxButtonValue     = 2000
	maxURL             = 3000
	maxOptions         = 100
	maxOptionText      = 75
	maxOptionValue     = 150
	maxOverflowOptions = 5
	maxChoiceOptions   = 10 // radio buttons and checkboxes
	maxPlaceholder     = 150
	maxLabel           = 2000
	maxInputLength     = 3000
	maxConfirmTitle    = 100
	maxConfirmText     = 300
	maxConfirmButton   = 30
	maxViewTitle       = 24 // also submit and close
	maxPrivateMetadata = 3000
	maxAltText         = 2000
	maxTableRows       = 100
	maxTableColumns    = 20
)
