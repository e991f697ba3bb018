package bot

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/commands"
)

// Block ids of a form, and the action ids of what stands in the blocks, are a letter, which says how the value is
// to be treated, and the field.
const (
	openField    = "f." // what was given may be shown
	privateField = "p." // it may not
	whereBlock   = "where"
	// formCallback is how the callback ids of forms begin; the kind of the form follows.
	formCallback = "form/"
)

// stand is where somebody stood who opened a form, as far as that is known. It travels with the form.
type stand struct {
	Channel string `json:"c,omitempty"`
	Thread  string `json:"t,omitempty"`
	Home    bool   `json:"h,omitempty"` // on their Home tab
}

// formData is what a form carries through Slack beside what people fill in.
type formData struct {
	State string `json:"s"`
	Wrong bool   `json:"w,omitempty"` // it shows what is wrong, which no answer but another view takes away
	stand
}

// modal draws a form; false when Slack would not take it, as with more fields than a view has blocks.
func modal(f *commands.Form, at stand) (slack.ModalViewRequest, bool) {
	for _, lookup := range []bool{false, true} { // menus that are too long for a view can be looked up
		v, ok := drawModal(f, at, lookup)
		if !ok {
			return v, false
		}
		if raw, err := json.Marshal(v); err == nil && len(raw) <= maxViewBytes {
			return v, true
		}
	}
	return slack.ModalViewRequest{}, false
}

func drawModal(f *commands.Form, at stand, lookup bool) (slack.ModalViewRequest, bool) {
	d := newDrawing()
	if f.Problem != "" {
		d.literal("⚠️ "+f.Problem, maxSection)
	}
	d.reply(commands.Reply{Blocks: f.Above})
	blocks := d.done("")
	errors := 0
	for _, one := range f.Fields {
		if one.Error != "" {
			errors++
		}
	}
	beside := len(blocks)+len(f.Fields)+errors < maxViewBlocks // one may ask where
	for _, one := range f.Fields {
		blocks = append(blocks, input(one, lookup))
		if one.Error != "" && beside {
			blocks = append(blocks, slack.NewContextBlock("", plainText(cutTo("⚠️ "+cleanText(oneLine(one.Error)), maxComplaint))))
		}
	}
	if f.Place && at.Channel == "" {
		blocks = append(blocks, whereInput())
	}
	data, err := json.Marshal(formData{State: f.State, Wrong: errors > 0 || f.Problem != "", stand: at})
	v := slack.ModalViewRequest{
		Type: slack.VTModal, Title: plainText(cutTo(cleanText(f.Title), maxViewTitle)), Submit: plainText(cutTo(f.Submit, maxViewTitle)),
		Close: plainText("Cancel"), Blocks: slack.Blocks{BlockSet: blocks}, PrivateMetadata: string(data), CallbackID: formCallback + string(f.Kind),
	}
	return v, err == nil && len(data) <= maxMetadata && len(blocks) <= maxViewBlocks
}

// notice is a view that only says something: the end of a form.
func notice(title string, m message) slack.ModalViewRequest {
	var blocks []slack.Block
	for _, b := range m.blocks {
		if b.BlockType() != slack.MBTAction { // the buttons of a message are of no use here
			blocks = append(blocks, b)
		}
	}
	if len(blocks) == 0 {
		blocks = []slack.Block{slack.NewContextBlock("", plainText(cutTo(m.text, maxSection)))}
	}
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: plainText(cutTo(title, maxViewTitle)), Close: plainText("Close"), Blocks: slack.Blocks{BlockSet: blocks},
	}
}

// whereInput asks in which channel a run is to be shown. Slack fills in the one that the person looks at.
func whereInput() slack.Block {
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeConversations, nil, whereBlock)
	e.DefaultToCurrentConversation, e.ResponseURLEnabled = true, true
	e.Filter = &slack.SelectBlockElementFilter{Include: []string{"public", "private"}, ExcludeBotUsers: true}
	return slack.NewInputBlock(whereBlock, plainText("Channel"), plainText("Where the run shows its card."), e)
}

// input draws a field.
func input(f commands.FormField, lookup bool) slack.Block {
	id := blockOf(f)
	var hint *slack.TextBlockObject
	if f.Hint != "" {
		hint = plainText(cutTo(cleanText(oneLine(f.Hint)), maxHint))
	}
	label := cutTo(cleanText(oneLine(f.Label)), maxFieldLabel)
	if label == "" {
		label = "?"
	}
	b := slack.NewInputBlock(id, plainText(label), hint, element(f, id, lookup))
	b.Optional = !f.Required
	return b
}

// blockOf is the id of the block of a field.
func blockOf(f commands.FormField) string {
	if f.Kind == commands.FieldPrivate {
		return privateField + f.ID
	}
	return openField + f.ID
}

func element(f commands.FormField, id string, lookup bool) slack.BlockElement {
	initial := cutTo(cleanText(f.Initial), maxInput)
	switch f.Kind {
	case commands.FieldLong, commands.FieldText:
		e := slack.NewPlainTextInputBlockElement(nil, id)
		e.Multiline, e.InitialValue = f.Kind == commands.FieldLong, initial
		return e
	case commands.FieldWhole, commands.FieldNumber:
		e := slack.NewNumberInputBlockElement(nil, id, f.Kind == commands.FieldNumber)
		e.InitialValue = initial
		return e
	case commands.FieldPick:
		e := slack.NewRadioButtonsBlockElement(id, optionObjects(f.Options)...)
		if len(f.Chosen) > 0 {
			e.InitialOption = optionObjects(f.Chosen)[0]
		}
		return e
	case commands.FieldOne, commands.FieldMany:
		return menu(f, id, lookup || f.Lookup || len(f.Options) > maxOptions)
	case commands.FieldMoment:
		return slack.NewDateTimePickerBlockElement(id)
	case commands.FieldPrivate:
	}
	return slack.NewPlainTextInputBlockElement(nil, id) // Slack has no field that hides what is typed
}

// menu draws a menu, whose options stand in it or are looked up.
func menu(f commands.FormField, id string, lookup bool) slack.BlockElement {
	none := 0
	chosen := optionObjects(f.Chosen)
	if f.Kind == commands.FieldMany {
		e := slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeStatic, nil, id, optionObjects(f.Options)...)
		if lookup {
			e.Type, e.Options, e.MinQueryLength = slack.MultiOptTypeExternal, nil, &none
		}
		if len(chosen) <= maxOptions {
			e.InitialOptions = chosen
		}
		return e
	}
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, id, optionObjects(f.Options)...)
	if lookup {
		e.Type, e.Options, e.MinQueryLength = slack.OptTypeExternal, nil, &none
	}
	if len(chosen) > 0 {
		e.InitialOption = chosen[0]
	}
	return e
}

func optionObjects(options []commands.Option) []*slack.OptionBlockObject {
	var out []*slack.OptionBlockObject
	for _, o := range options {
		text := cutTo(cleanText(oneLine(o.Text)), maxOptionText)
		if strings.TrimSpace(text) == "" {
			text = "(blank)"
		}
		out = append(out, slack.NewOptionBlockObject(o.Value, plainText(text), nil))
	}
	return out
}

// suggestions are looked up options as Slack takes them. A word on them is the label of their group.
func suggestions(f commands.Found) any {
	if len(f.Options) == 0 {
		return map[string]any{"options": []any{}}
	}
	options := optionObjects(f.Options[:min(len(f.Options), maxOptions)])
	if f.Note == "" {
		return map[string]any{"options": options}
	}
	label := plainText(cutTo(cleanText(oneLine(f.Note)), maxOptionText))
	return map[string]any{"option_groups": []any{map[string]any{"label": label, "options": options}}}
}

// viewPayload is the view of a submission, read by us: what the client library cannot decode would
// never be answered.
type viewPayload struct {
	ID         string `json:"id"`
	CallbackID string `json:"callback_id"`
	Metadata   string `json:"private_metadata"`
	State      struct {
		Values map[string]map[string]fieldState `json:"values"`
	} `json:"state"`
}

// fieldState is what stands in a field.
type fieldState struct {
	Value   *string        `json:"value"`
	Option  *chosenOption  `json:"selected_option"`
	Options []chosenOption `json:"selected_options"`
	Moment  int64          `json:"selected_date_time"`
	Where   string         `json:"selected_conversation"`
}

type chosenOption struct {
	Value string `json:"value"`
}

// given are the values in a field; none when it is empty.
func (s fieldState) given() []string {
	switch {
	case s.Value != nil && *s.Value != "":
		return []string{*s.Value}
	case s.Option != nil:
		return []string{s.Option.Value}
	case s.Moment != 0:
		return []string{time.Unix(s.Moment, 0).UTC().Format(time.RFC3339)}
	case s.Where != "":
		return []string{s.Where}
	}
	var out []string
	for _, o := range s.Options {
		out = append(out, o.Value)
	}
	return out
}

// data is what a form carried; false when the view is no form of ours.
func (v viewPayload) data() (formData, commands.FormKind, bool) {
	var d formData
	kind, ok := strings.CutPrefix(v.CallbackID, formCallback)
	if !ok || json.Unmarshal([]byte(v.Metadata), &d) != nil {
		return d, "", false
	}
	return d, commands.FormKind(kind), true
}

// filled reads what was filled in, and where it is to be shown.
func (v viewPayload) filled() (s commands.Submission, where string) {
	s.Values, s.Private = map[string][]string{}, map[string]string{}
	for block, actions := range v.State.Values {
		var given []string
		for _, state := range actions { // there is one
			given = append(given, state.given()...)
		}
		if len(given) == 0 {
			continue
		}
		if field, ok := strings.CutPrefix(block, openField); ok {
			s.Values[field] = given
		} else if field, ok := strings.CutPrefix(block, privateField); ok {
			s.Private[field] = given[0]
		} else if block == whereBlock {
			where = given[0]
		}
	}
	return s, where
}

// complaints are the errors of a form by block; nil when there is more to say than that, or nothing.
func complaints(f *commands.Form) map[string]string {
	if f.Problem != "" {
		return nil
	}
	out := map[string]string{}
	for _, one := range f.Fields {
		if one.Error == "" {
			continue
		}
		out[blockOf(one)] = cutTo(cleanText(oneLine(one.Error)), maxComplaint)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
