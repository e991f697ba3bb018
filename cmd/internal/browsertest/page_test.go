package browsertest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/playbot/playbot/bot/workspace"
)

// desk is a workspace with a small app in it: what the page can do and playbot does not need yet.
type desk struct {
	*tab

	api     *slack.Client
	pressed chan string // action ids, as they arrive
}

const room = "C0DEPLOYS"

// openDesk starts a workspace, an app that is connected to it, and a browser with its page.
func openDesk(t *testing.T) *desk {
	t.Helper()
	w := workspace.New(workspace.Options{})
	if err := w.Listen(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	d := &desk{
		api:     slack.New(w.BotToken(), slack.OptionAppLevelToken(w.AppToken()), slack.OptionAPIURL(w.APIURL())),
		pressed: make(chan string, 16),
	}
	client := socketmode.New(d.api)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- client.RunContext(ctx) }()
	go func() { ended <- d.answer(ctx, client) }()
	t.Cleanup(func() {
		stop()
		for range cap(ended) {
			if err := <-ended; err != nil && ctx.Err() == nil {
				t.Errorf("the app: %v", err)
			}
		}
		for _, v := range w.Violations() {
			t.Errorf("the workspace refused what the app sent: %s %s %v", v.Method, v.Error, v.Details)
		}
	})
	if err := w.Until(t.Context(), func() bool { return w.Connected() > 0 }); err != nil {
		t.Fatal(err)
	}
	d.tab = openTab(t, w.PageURL())
	d.sees(`#app[data-connection="open"]`)
	return d
}

// answer is the app: every command opens the form; what is submitted comes back as a message.
func (d *desk) answer(ctx context.Context, client *socketmode.Client) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case evt := <-client.Events:
			var payload any
			switch data := evt.Data.(type) {
			case slack.SlashCommand:
				if _, err := d.api.OpenViewContext(ctx, data.TriggerID, form()); err != nil {
					return err
				}
			case slack.InteractionCallback:
				if data.Type == slack.InteractionTypeBlockActions {
					d.pressed <- data.ActionCallback.BlockActions[0].ActionID
				} else {
					payload = d.submitted(ctx, data)
				}
			}
			if evt.Request != nil {
				if err := client.AckCtx(ctx, evt.Request.EnvelopeID, payload); err != nil {
					return err
				}
			}
		}
	}
}

func plain(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

func form() slack.ModalViewRequest {
	tier := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plain("Choose a tier"), "tier",
		slack.NewOptionBlockObject("alfa", plain("alfa"), nil), slack.NewOptionBlockObject("bravo", plain("bravo"), nil))
	checks := slack.NewCheckboxGroupsBlockElement("options", slack.NewOptionBlockObject("dry", plain("Dry run"), plain("Change nothing")))
	options := slack.NewInputBlock("options", plain("Options"), nil, checks)
	options.Optional = true
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: plain("Run web_upgrade"), Submit: plain("Run"), Close: plain("Not now"),
		Blocks: slack.Blocks{BlockSet: []slack.Block{
			slack.NewInputBlock("rev", plain("Revision"), plain("What to install"), slack.NewPlainTextInputBlockElement(plain("abc"), "rev")),
			slack.NewInputBlock("tier", plain("Tier"), nil, tier), options,
		}},
	}
}

// submitted refuses revisions with a space in them and posts the rest.
func (d *desk) submitted(ctx context.Context, data slack.InteractionCallback) any {
	values := data.View.State.Values
	rev := values["rev"]["rev"].Value
	if strings.Contains(rev, " ") {
		return slack.NewErrorsViewSubmissionResponse(map[string]string{"rev": "a revision has no spaces"})
	}
	text := fmt.Sprintf("%s wants %s on %s, %d options", data.User.ID, rev, values["tier"]["tier"].SelectedOption.Value, len(values["options"]["options"].SelectedOptions))
	_, _, err := d.api.PostMessageContext(ctx, room, slack.MsgOptionText(text, false))
	if err != nil {
		return slack.NewErrorsViewSubmissionResponse(map[string]string{"rev": err.Error()})
	}
	return nil
}

func TestPage_aFormIsFilledInWithTheKeyboard(t *testing.T) {
	t.Parallel()
	p := openDesk(t)
	p.says("/playbook form")
	p.sees("#modal", "Run web_upgrade", "Revision", "Tier", "(optional)")
	p.hits(enter)
	p.sees("#modal .input-error", "Please complete this required field.")
	p.types("a b")
	p.hits(tabKey)
	p.types("b") // chooses bravo, as in every list of a browser
	p.hits(tabKey)
	p.types(" ")
	p.focusShows()
	p.seesNo("#modal .input-error")
	p.readable()
	p.picture("form")
	p.presses(`#modal [data-role="submit"]`, "Run")
	p.sees("#modal .input-error", "a revision has no spaces")
	do(p.tab, "select all", chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.types("abc")
	p.hits(enter)
	p.seesNo("#modal")
	p.sees("#messages .message", "U0ANA wants abc on bravo, 1 options")

	p.says("/playbook form")
	p.sees("#modal", "Run web_upgrade")
	p.hits(escape)
	p.seesNo("#modal")
	p.says("/playbook form")
	p.sees("#modal", "Run web_upgrade")
	p.presses(`#modal [data-role="close"]`, "Not now")
	p.seesNo("#modal")
}

// posts has the app write a message, or change the one with that ts.
func (d *desk) posts(ts string, blocks ...slack.Block) string {
	d.t.Helper()
	options := []slack.MsgOption{slack.MsgOptionText("words", false), slack.MsgOptionBlocks(blocks...)}
	var err error
	if ts == "" {
		_, ts, err = d.api.PostMessage(room, options...)
	} else {
		_, ts, _, err = d.api.UpdateMessage(room, ts, options...)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return ts
}

func words(text string) slack.Block { return slack.NewSectionBlock(plain(text), nil, nil) }

func button(id, label string) slack.Block {
	return slack.NewActionBlock("", slack.NewButtonBlockElement(id, "v", plain(label)))
}

func TestPage_messagesThatChangeLeaveTheReaderAlone(t *testing.T) {
	t.Parallel()
	p := openDesk(t)
	first := p.posts("", words("the first"), button("first", "First"))
	for i := range 40 {
		p.posts("", words(fmt.Sprintf("message %d\nof many", i)))
	}
	last := p.posts("", words("the last"), button("last", "Last"))
	p.sees("#messages .message", "the last")
	top := func(text string) int {
		t.Helper()
		return eval[int](p.tab, "measure "+text, fmt.Sprintf("Math.round(all('#messages .message', %s)[0].getBoundingClientRect().top - document.querySelector('#messages').getBoundingClientRect().top)", js(text)))
	}

	p.eval("scroll up", `document.querySelector("#messages").scrollTop = 700`)
	before := top("message 12")
	p.posts(first, words(strings.Repeat("the first grows and grows ", 100)), button("first", "First"))
	p.sees("#messages .message", "the first grows")
	if after := top("message 12"); after != before {
		t.Errorf("what is read moved from %d to %d when a message above it grew", before, after)
	}
	newest := p.posts("", words("the newest"))
	p.sees("#jump", "New messages")
	if after := top("message 12"); after != before {
		t.Errorf("what is read moved from %d to %d when a message came", before, after)
	}
	p.size(750, 800)
	p.eval("let the page adapt", "new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame))")
	if after := top("message 12"); after != before {
		t.Errorf("what is read moved from %d to %d when the window changed", before, after)
	}
	p.size(1280, 800)
	p.presses("#jump", "")
	p.seesNo("#jump")
	p.posts(newest, words(strings.Repeat("the newest grows\n", 30)+"its end"))
	p.sees("#messages .message", "its end")
	p.eval("see the end", `until(() => { const box = document.querySelector("#messages"); return box.scrollHeight - box.scrollTop - box.clientHeight < 2 })`)

	p.pressedWhileChanging(last)
	p.focusStays(last)
}

// pressedWhileChanging: a click counts although its message changes between press and release.
func (d *desk) pressedWhileChanging(ts string) {
	d.t.Helper()
	const asked = `performance.getEntriesByType("resource").filter((e) => e.name.includes("/api/messages")).length`
	at := eval[[2]float64](d.tab, "find the button", `spot(() => all("#messages button", "Last").at(-1))`)
	before := eval[int](d.tab, "count the answers", asked)
	do(d.tab, "press", chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, at[0], at[1], chromedp.ButtonLeft, chromedp.ClickCount(1)))
	d.posts(ts, words("changed while pressed"), button("last", "Last"))
	d.eval("wait until the page knows, and two frames more",
		fmt.Sprintf("until(() => %s > %d).then(() => new Promise(requestAnimationFrame)).then(() => new Promise(requestAnimationFrame))", asked, before))
	do(d.tab, "release", chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, at[0], at[1], chromedp.ButtonLeft, chromedp.ClickCount(1)))
	d.arrives("last")
	d.sees("#messages .message", "changed while pressed")
}

// focusStays: a button that has the focus keeps it when its message is drawn anew.
func (d *desk) focusStays(ts string) {
	d.t.Helper()
	d.eval("focus the button", `all("#messages button", "Last").at(-1).focus()`)
	d.posts(ts, words("changed while focused"), button("last", "Last"))
	d.sees("#messages .message", "changed while focused")
	d.hits(enter)
	d.arrives("last")
}

// arrives waits until the app hears of a press.
func (d *desk) arrives(action string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), patient)
	defer cancel()
	select {
	case got := <-d.pressed:
		if got != action {
			d.t.Errorf("the app heard of %q, want %q", got, action)
		}
	case <-ctx.Done():
		d.t.Fatalf("the app never heard of %q", action)
	}
}

func TestPage_longAndForeignTextKeepsToItsPlace(t *testing.T) {
	t.Parallel()
	p := openDesk(t)
	long := strings.Repeat("a line of output that is wider than any pane of the page ", 4) + strings.Repeat("x", 400)
	output := slack.NewRichTextBlock("", &slack.RichTextPreformatted{
		Type: slack.RTEPreformatted, Elements: []slack.RichTextSectionElement{slack.NewRichTextSectionTextElement(strings.Repeat(long+"\n", 3), nil)},
	})
	ts := p.posts("", slack.NewHeaderBlock(plain(strings.Repeat("Wide", 30))), words(strings.Repeat("y", 400)), output,
		slack.NewContextBlock("", plain(strings.Repeat("z", 300))), button("wide", strings.Repeat("Press ", 12)))
	foreign := `<img src=x onerror="alert(1)"> <script>alert(2)</script> *bold* &amp; <b>b</b>`
	p.says(foreign)
	p.sees("#messages .message", "<script>alert(2)</script> bold", `<img src=x`)
	if n := eval[int](p.tab, "count", `document.querySelectorAll("#messages :is(img, script, b:not(.author))").length`); n != 0 {
		t.Errorf("%d elements came out of foreign text", n)
	}
	if _, _, err := p.api.PostMessage(room, slack.MsgOptionText("reply", false), slack.MsgOptionBlocks(output), slack.MsgOptionTS(ts)); err != nil {
		t.Fatal(err)
	}
	p.presses("#messages .reply-link", "1 reply")
	p.sees("#thread-messages .message", "a line of output")
	p.picture("long")
	for _, width := range []int64{1280, 900, 390} {
		p.size(width, 800)
		p.fits()
	}
}
