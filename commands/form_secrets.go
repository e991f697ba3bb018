package commands

import (
	"context"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// SecretsButtons is the button that gives the secrets which a restart has lost; none for a run that
// gets them elsewhere.
func SecretsButtons(run *engine.Run) []Button {
	if len(run.SecretsNeeded) == 0 || !givenInChat(run) {
		return nil
	}
	return []Button{{Label: "Give secrets", Style: StylePrimary, Action: ActionSecrets, Value: string(run.ID)}}
}

// givenInChat reports whether a person can give a run its secrets in a form.
func givenInChat(run *engine.Run) bool {
	return run.Requested.Parent == nil && run.Requested.Origin != engine.OriginTerminal
}

// secretsForm asks for secrets that a run waits for.
func secretsForm(run *engine.Run, lacks []string, book *playbooks.Playbook) *Form {
	f := &Form{
		Kind: FormSecrets, State: string(run.ID), Title: "Give secrets", Submit: "Give",
		Above: []Block{paragraph(plain("Run "), runRef(run.ID), plain(" of "), bold(run.Requested.Playbook.Name),
			plain(" waits for these: they were lost when playbot was restarted. Give what it was started with; anything else is refused."))},
		Again: Button{Label: "Give secrets", Style: StylePrimary, Action: ActionSecrets, Value: string(run.ID)},
	}
	for _, name := range lacks {
		in, ok := playbooks.Input{}, false
		if book != nil {
			in, ok = book.Input(name)
		}
		if !ok {
			in = playbooks.Input{Name: name}
		}
		f.Fields = append(f.Fields, FormField{ID: fieldID(name), Label: Clean(short(name, 150)), Kind: FieldPrivate, Required: true, Hint: hintOf(in)})
	}
	return f
}

// pressSecrets opens the form for the secrets that a run has lost.
func (c *Commands) pressSecrets(ctx context.Context, p Press) (Reply, error) {
	run, lacks, err := c.lacking(ctx, p.Actor, engine.RunID(p.Value))
	if err != nil {
		return Reply{Run: runOf(run)}, err
	}
	if !p.Actor.Is(run.Requested.Actor) && !c.engine.May(p.Actor, policy.Run, run.Requested.Playbook.Name).Allowed {
		err := c.engine.GiveSecrets(ctx, engine.Secrets{Run: run.ID, Actor: p.Actor}) // the engine refuses and writes the refusal down
		return Reply{}, &runError{run: run.ID, err: err}
	}
	book, err := c.engine.Book(ctx, run.Requested.Playbook)
	if err != nil {
		return Reply{}, err
	}
	return asking(Reply{Private: true, Run: run.ID, Code: engine.CodeInvalid, Blocks: []Block{
		paragraph(plain("Run "), runRef(run.ID), plain(" waits for secrets, which are given in a form; "), code("/playbook status "+run.ID.Short()), plain(" shows it.")),
	}}, secretsForm(run, lacks, book)), nil
}

// lacking is a run, with the secrets that it waits for.
func (c *Commands) lacking(ctx context.Context, who engine.Actor, id engine.RunID) (*engine.Run, []string, error) {
	run, err := c.loadVisible(ctx, who, id)
	if err != nil {
		return nil, nil, err
	}
	lacks, err := c.engine.Lacks(ctx, id)
	if err == nil && len(lacks) == 0 {
		err = engine.Errorf(engine.CodeConflict, "run %s asks for no secrets now", id.Short())
	}
	if err != nil {
		return run, nil, &runError{run: id, err: err}
	}
	return run, lacks, nil
}

func (c *Commands) submitSecrets(ctx context.Context, s Submission) (Reply, error) {
	run, lacks, err := c.lacking(ctx, s.Actor, engine.RunID(s.State))
	if err != nil {
		return Reply{Run: runOf(run)}, err
	}
	book, _ := c.engine.Book(ctx, run.Requested.Playbook) // without it the form has no descriptions
	f := secretsForm(run, lacks, book)
	values := map[string]string{}
	for i, name := range lacks {
		if v := s.Private[fieldID(name)]; v != "" {
			values[name] = v
		} else {
			f.Fields[i].Error = "It is missing."
		}
	}
	if f.wrong() {
		return asking(Reply{Private: true, Run: run.ID, Code: engine.CodeInvalid, Blocks: []Block{say("Nothing was given; give all of them.")}}, f), nil
	}
	if err := c.engine.GiveSecrets(ctx, engine.Secrets{Run: run.ID, Actor: s.Actor, Values: values}); err != nil {
		return c.wrongSecret(ctx, s, run, f, err)
	}
	return done(run.ID, plain("Given: the run goes on. ")), nil
}

// wrongSecret puts what is wrong beside the secret that it names.
func (c *Commands) wrongSecret(ctx context.Context, s Submission, run *engine.Run, f *Form, err error) (Reply, error) {
	r, err := c.orAskAgain(ctx, s.Key, Reply{}, &runError{run: run.ID, err: err}, f)
	if r.Form == nil || len(f.Fields) > 1 {
		return r, err
	}
	f.Fields[0].Error, f.Problem = short(f.Problem, 300), ""
	return r, err
}
