package mcollective

import "github.com/playbot/playbot/playbooks"

func keys() []playbooks.Key {
	return []playbooks.Key{
		{
			Name: "nodes", Kind: playbooks.KindTexts, Required: true,
			Doc: "The nodes to ask, such as `\"{{ nodes.web }}\"`. At least one; a name that stands twice is asked once. Without `max_failures` the task succeeds when every one of them answers that it is ok.",
		},
		{Name: "action", Kind: playbooks.KindText, Required: true, Doc: "`agent.action`, such as `puppet.disable`."},
		{Name: "properties", Kind: playbooks.KindMap, Doc: "What the action is given. `:message:` means `message`, as in 2017. Where the agent's DDL is known, it is checked, converted and completed with defaults before anything is sent."},
		{
			Name: "batch_size", Kind: playbooks.KindShare,
			Doc: "How many nodes are asked at a time: a number of at least 1, or a share of `nodes` such as `20%`, rounded up. Without it, all at once.",
		},
		{Name: "batch_sleep_time", Kind: playbooks.KindDuration, Default: "1", Doc: "The pause between two batches; a bare number is seconds."},
		{
			Name: "max_failures", Kind: playbooks.KindShare, Default: "0",
			Doc: "How many nodes may fail or keep silent: a number, or a share of `nodes` such as `10%`, rounded down. Once there are more, no further batch is asked and the task fails.",
		},
		{
			Name: "expect", Kind: playbooks.KindExpression,
			Doc: "A condition that every reply must satisfy, with `data`, `sender` and `statuscode` in scope, such as `data.under_replicated == 0`. A node whose reply does not counts as failed.",
		},
		{
			Name: "assert", Kind: playbooks.KindText,
			Doc: "The same in the JGrep language of 2017, such as `idling=true`: names are those of the reply's data, operators stand without blanks around them. A template may stand for a value; one that may hold blanks goes in quotes: `version=\"{{ inputs.rev }}\"`.",
		},
		{
			Name: "retry", Kind: playbooks.KindText, Default: "all", Choices: []string{"all", "failed"},
			Doc: "Which nodes a further one of the `tries` asks: all of them, or only those that are not ok yet.",
		},
		{Name: "silent", Kind: playbooks.KindBool, Default: "false", Doc: "Whether the replies of nodes that are ok go untold. Those of failing nodes are always told."},
		{Name: "post", Kind: playbooks.KindTexts, Choices: []string{"summarize"}, Doc: "`[summarize]` adds to the message what the nodes that are ok said: as the agent's DDL sums it up, else equal replies together."},
	}
}
