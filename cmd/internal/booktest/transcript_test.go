package booktest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/playbot/playbot/bot/workspace"
)

// transcript is what a person sees in #deploys of a case: the thread of each run in its order, and the card
// as it stands at the end.
func (a *audience) transcript(c *Case) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", c.Name, strings.Repeat("=", len([]rune(c.Name))))
	edits := a.edits()
	for _, card := range a.ws.Everything(room) {
		if card.ThreadTS != "" {
			continue
		}
		fmt.Fprintf(&b, "\n%s  the card is posted, with this thread:\n", a.offset(posted(card.TS)))
		seen := append(a.waves(card, edits), a.entries(a.ws.Thread("", room, card.TS)[1:], edits)...)
		slices.SortStableFunc(seen, func(x, y sight) int { return x.at.Compare(y.at) })
		for _, e := range seen {
			fmt.Fprintf(&b, "\n%s  %s\n%s", a.offset(e.at), e.what, indented(e.text))
		}
		fmt.Fprintf(&b, "\nthe card, at the end:\n%s", indented(a.ws.PlainText(card)))
	}
	return stable(b.String())
}

// sight is something that somebody sees happen in a thread.
type sight struct {
	at         time.Time
	what, text string
}

// entries are the messages of a thread, and what became of those that were edited: their lines that are new.
func (a *audience) entries(thread []workspace.Message, edits map[string][]time.Time) []sight {
	var out []sight
	for _, m := range thread {
		texts := a.texts(m)
		what := a.who(m.User)
		if m.Broadcast {
			what += ", to the channel too"
		}
		out = append(out, sight{posted(m.TS), what, texts[0]})
		for i, when := range edits[m.TS] {
			what := fmt.Sprintf("%s edits what stands at %s", a.who(m.User), a.offset(posted(m.TS)))
			out = append(out, sight{when, what, newLines(texts[i], texts[i+1])})
		}
	}
	return out
}

// waves are what a card says, in the meantime, of how far the waves of a rolling task are.
func (a *audience) waves(card workspace.Message, edits map[string][]time.Time) []sight {
	texts := a.texts(card)
	var out []sight
	for i, when := range edits[card.TS] {
		lines := slices.DeleteFunc(strings.Split(newLines(texts[i], texts[i+1]), "\n"), func(l string) bool { return !strings.Contains(l, " (wave ") })
		if len(lines) > 0 {
			out = append(out, sight{when, "the card says", strings.Join(lines, "\n")})
		}
	}
	return out
}

// texts are a message as it was posted, and as it was after each edit.
func (a *audience) texts(m workspace.Message) []string {
	var out []string
	for _, v := range append(m.Versions, workspace.Version{Text: m.Text, Blocks: m.Blocks}) {
		out = append(out, a.ws.PlainText(workspace.Message{Text: v.Text, Blocks: v.Blocks}))
	}
	return out
}

func (a *audience) who(id string) string {
	u, _ := a.ws.User(id)
	return u.Name
}

// edits are the times at which messages were edited, by ts.
func (a *audience) edits() map[string][]time.Time {
	out := make(map[string][]time.Time)
	for _, call := range a.ws.Traffic() {
		var params struct{ TS string }
		if call.Method != "chat.update" || call.Error != "" || json.Unmarshal([]byte(call.Body), &params) != nil {
			continue
		}
		out[params.TS] = append(out[params.TS], call.At)
	}
	return out
}

// newLines are the lines of a text that an earlier one does not have.
func newLines(before, after string) string {
	old := strings.Split(before, "\n")
	fresh := slices.DeleteFunc(strings.Split(after, "\n"), func(l string) bool { return slices.Contains(old, l) })
	return strings.Join(fresh, "\n")
}

// posted is when a message was posted; its ts counts seconds.
func posted(ts string) time.Time {
	micros, _ := strconv.ParseInt(strings.ReplaceAll(ts, ".", ""), 10, 64)
	return time.UnixMicro(micros)
}

// offset is the virtual time since the case began.
func (a *audience) offset(t time.Time) string {
	s := int(t.Sub(a.began).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("+%dh%02dm%02ds", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("+%dm%02ds", s/60, s%60)
}

func indented(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(strings.TrimRight("    "+line, " ") + "\n")
	}
	return b.String()
}

// stable replaces what is different each time: short ids of runs, each by one of its own, UUIDs and seals.
func stable(text string) string {
	ids := make(map[string]string)
	text = regexp.MustCompile(`\br-[0-9a-z]{6}\b`).ReplaceAllStringFunc(text, func(id string) string {
		if ids[id] == "" {
			ids[id] = fmt.Sprintf("r-run%03d", len(ids)+1)
		}
		return ids[id]
	})
	text = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).ReplaceAllString(text, "00000000-0000-4000-8000-000000000000")
	return regexp.MustCompile(`seal [0-9a-f]{12}`).ReplaceAllString(text, "seal 0123456789ab")
}
