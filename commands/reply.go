package commands

import (
	"github.com/playbot/playbot/engine"
)

// Reply is an answer. It says what to show and not how; [Reply.Text] draws it for a terminal.
// A Reply of this package is never empty.
type Reply struct {
	Private bool           // only for the person who asked; else for everybody in the channel
	Title   string         // one short line of our own words; may be empty
	Blocks  []Block        // in the order in which they are shown
	Waiting []engine.RunID // runs whose questions it is about: they should be there to answer
	Run     engine.RunID   // the run that this is about, when it is about one: what shows it may be redrawn
	Code    engine.Code    // why nothing was done; empty when it was
	// Form asks for what is missing, where one can be opened; the blocks say it where none can. nil: nothing is asked.
	Form *Form
}

// Block is a part of a reply: [Text], [Fields], [List], [Preformatted], [Buttons] or [Context].
//
//sumtype:decl
type Block interface{ block() }

// Text is a sentence or a paragraph.
type Text struct{ Spans []Span }

// Fields are labels with values.
type Fields struct{ Items []Field }

// Field is one label, in our own words, with its value.
type Field struct {
	Label string
	Value []Span
}

// List is a line for each item.
type List struct {
	Items   [][]Span
	Ordered bool // numbered from one; else with bullets
}

// Preformatted is text in a fixed width, line ends kept. It came from outside: it is never markup.
type Preformatted struct{ Text string }

// Buttons is a row of buttons.
type Buttons struct{ Items []Button }

// Context is small print.
type Context struct{ Spans []Span }

func (Text) block()         {}
func (Fields) block()       {}
func (List) block()         {}
func (Preformatted) block() {}
func (Buttons) block()      {}
func (Context) block()      {}

// SpanKind says what a span is.
type SpanKind string

// The kinds of spans. The text of Plain and Bold is ours. That of Code and Outside may be anything:
// it was cleaned of control characters and is to be shown letter by letter, never as markup.
const (
	Plain   SpanKind = "plain"
	Bold    SpanKind = "bold"
	Code    SpanKind = "code"
	Outside SpanKind = "outside"
	Mention SpanKind = "mention" // of Actor; Text is the name to show where nobody can be mentioned
	RunRef  SpanKind = "run"     // of Run; Text is its short id
)

// Span is a piece of a line.
type Span struct {
	Kind  SpanKind
	Text  string
	Actor engine.Actor // of a Mention
	Run   engine.RunID // of a RunRef
}

// Style is how a button looks.
type Style string

// The styles.
const (
	StyleDefault Style = ""
	StylePrimary Style = "primary"
	StyleDanger  Style = "danger"
)

// Action is what a button does when it is pressed.
type Action string

// The actions. All but suggest, show and those that open a form change something.
const (
	ActionApprove    Action = "approve"
	ActionWithdraw   Action = "withdraw"      // take a yes back
	ActionRest       Action = "approve_rest"  // and the later gates of the run
	ActionFirst      Action = "approve_first" // the first wave alone
	ActionLess       Action = "approve_less"  // opens a form that asks for how much
	ActionDeny       Action = "deny"
	ActionCancel     Action = "cancel"
	ActionPause      Action = "pause"
	ActionResume     Action = "resume"
	ActionNext       Action = "next"        // the wave that the button names starts
	ActionStop       Action = "stop"        // no further wave starts
	ActionRetry      Action = "retry"       // an attempt that was cut off goes again
	ActionMarkDone   Action = "mark_done"   // it counts as done
	ActionMarkFailed Action = "mark_failed" // it counts as failed
	ActionAbort      Action = "abort"       // the run ends there; only its always tasks run
	ActionSuggest    Action = "suggest"     // answers with the line to copy and runs nothing
	ActionShow       Action = "show"        // answers with the run
	ActionForm       Action = "form"        // opens the form of the line that the button carries
	ActionSecrets    Action = "secrets"     // opens the form for secrets that a restart has lost
	ActionLog        Action = "log"         // shows what was said: see [Commands.Log]
)

// Button is a button. Value is opaque to whoever draws it and comes back in the [Press].
type Button struct {
	Label   string
	Style   Style
	Action  Action
	Value   string
	Confirm *Confirm // nil: no question before it counts
	URL     string   // an address that it opens, for a button that does nothing else
}

// Confirm is the question that comes before a press counts.
type Confirm struct {
	Title, Text, Yes, No string
}
