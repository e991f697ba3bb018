package playbooks

import "slices"

// Section is a part of a playbook whose keys the language itself reads. A test holds the keys
// against what is read.
type Section struct {
	Name    string // as in "the keys of a <name>"
	Doc     string // one sentence or two, Markdown
	Keys    []Key
	Written []string // of Keys, those whose value must stand in the file: a template is text there, or refused
}

// templates reports whether a template may stand as the value of a key.
func (s Section) templates(key string) bool { return !slices.Contains(s.Written, key) }

// Sections are the parts of a playbook that are the same whatever types it uses, in the order of a file.
func Sections() []Section {
	return []Section{
		bookSection(), inputSection(), storeSection(), nodeSetSection(), hookSection(), taskSection(),
		approvalSection(), rollingSection(), choicesSection(),
	}
}

func bookSection() Section {
	return Section{
		Name: "playbook", Doc: "The top level of the file.",
		Keys: []Key{
			{Name: "name", Kind: KindText, Required: true, Doc: "What people type to run it: letters, digits, `-` and `_`, at most 64."},
			{Name: "version", Kind: KindText, Required: true, Doc: "Its version, as in `1.0.0`."},
			{Name: "author", Kind: KindText, Required: true, Doc: "Who answers for it."},
			{Name: "description", Kind: KindText, Required: true, Doc: "What it does, in one line; people see it in lists."},
			{Name: "run_as", Kind: KindText, Doc: "The Choria caller id that it was written for, as in `choria=deploy.bot`; kept with each run and in its report."},
			{Name: "tags", Kind: KindTexts, Doc: "Words to find it by."},
			{Name: "loglevel", Kind: KindText, Default: "info", Choices: logLevels(), Doc: "Accepted as in 2017 and readable as `metadata.loglevel`; what playbot logs is set in its configuration."},
			{Name: "uses", Kind: KindTextMap, Doc: "Agents that nodes must have, each with a range of versions, as in `puppet: \">= 1.11.0\"`. That of `rpcutil` is the version of the Choria server, such as 0.29.4. A node set names those that its nodes need."},
			{Name: "inputs", Kind: KindMap, Doc: "What a person gives to a run, by name."},
			{Name: "data_stores", Kind: KindMap, Doc: "Where values and locks live, by name."},
			{Name: "locks", Kind: KindTexts, Doc: "Locks that the run holds from before its first task to its end, each `store/key`, or a bare store name. They are taken in sorted order."},
			{Name: "approval", Kind: KindMap, Doc: "What every gate of the playbook asks for, unless its task says otherwise. It only tightens the policy."},
			{Name: "timeout", Kind: KindDuration, Doc: "How long the run may take, its `always` list excepted; a bare number is seconds."},
			{Name: "nodes", Kind: KindMap, Doc: "Node sets, by name: found once, before the first task, and frozen for the run."},
			{
				Name: "leases", Kind: KindText, Default: LeasesWait, Choices: []string{LeasesWait, LeasesFail, LeasesNone},
				Doc: "Nodes that tasks of a run may change are reserved for it. When another run has one of them: `wait` for it, two minutes at most; or `fail` at once. `none` reserves nothing and asks nobody.",
			},
			{Name: "tasks", Kind: KindTasks, Doc: "The main list: what the run does, one task after the other. The first failure ends it."},
			{Name: "hooks", Kind: KindMap, Doc: "Task lists that run around the main list."},
			{Name: "macros", Kind: KindAny, Doc: "A parking place for YAML anchors; never interpreted."},
			{Name: "on_fail", Kind: KindText, Choices: []string{"fail"}, Doc: "A key of 2017 without any effect; leave it out. Tasks that may fail have `fail_ok: true`."},
			{Name: "$schema", Kind: KindAny, Doc: "The JSON Schema for editors; not read otherwise."},
		},
		Written: []string{
			"name", "version", "author", "description", "run_as", "tags", "loglevel", "inputs", "data_stores",
			"approval", "nodes", "leases", "hooks", "macros", "on_fail", "$schema",
		},
	}
}

func logLevels() []string { return []string{"debug", "info", "warn", "error", "fatal"} }

func inputSection() Section {
	return Section{
		Name: "input", Doc: "One entry of `inputs`. Nothing in it is a template.",
		Keys: []Key{
			{Name: "description", Kind: KindText, Doc: "What it is, for whoever is asked for it."},
			{
				Name: "type", Kind: KindText, Required: true, Choices: typeNames(),
				Doc: "Its type. The value of a `Secret` is used and never stored or shown. The spellings of 2017 are accepted: `Fixnum`, and symbols such as `:string`.",
			},
			{Name: "required", Kind: KindBool, Default: "true", Doc: "Whether a run without it is refused. A default satisfies."},
			{Name: "require", Kind: KindBool, Doc: "The 2017 documentation's spelling of `required`; loads with a warning."},
			{Name: "default", Kind: KindAny, Doc: "The value of a run that is not given one; it must pass the type and the validation."},
			{
				Name: "validation", Kind: KindAny,
				Doc: "What is accepted: a list of the values allowed, a regular expression as in `'/\\A[a-z]+\\z/'`, or one of `:string`, `:integer`, `:float`, `:number`, " +
					"`:boolean`, `:shellsafe`, `:ipv4address`, `:ipv6address`.",
			},
			{Name: "choices", Kind: KindMap, Doc: "Where a form finds the values that it offers. It does not limit what may be given; that is for `validation`."},
			{Name: "data", Kind: KindText, Doc: "Where it is read from when it is not given: `store/key`, with a store of `data_stores`."},
			{Name: "dynamic", Kind: KindBool, Default: "false", Doc: "Always read it from `data`, anew at each use; it cannot be given."},
			{Name: "save", Kind: KindBool, Default: "false", Doc: "Write the value that was given to `data`."},
		},
		Written: []string{"description", "type", "required", "require", "default", "validation", "choices", "data", "dynamic", "save"},
	}
}

func choicesSection() Section {
	return Section{
		Name: "choices", Doc: "The keys of an input's `choices`: exactly one of them.",
		Keys: []Key{
			{Name: "store", Kind: KindText, Doc: "`store/key`, which holds a list."},
			{Name: "nodes", Kind: KindText, Doc: "The name of a node set; its nodes are offered."},
			{Name: "command", Kind: KindTexts, Doc: "A program and its arguments, which prints one choice in each line."},
		},
		Written: []string{"store", "nodes", "command"},
	}
}

// typeNames are the types of inputs, in the spelling that is shown.
func typeNames() []string {
	return []string{"String", "Integer", "Float", "Numeric", "Array", "Boolean", secretType}
}

func storeSection() Section {
	return Section{
		Name: "data store", Doc: "One entry of `data_stores`; its other keys are those of its type.",
		Keys: []Key{{Name: "type", Kind: KindText, Required: true, Doc: "The type of the data store."}}, Written: []string{"type"},
	}
}

func nodeSetSection() Section {
	return Section{
		Name: "node set", Doc: "One entry of `nodes`; its other keys are those of its type. A node set cannot refer to another.",
		Keys: []Key{
			{Name: "type", Kind: KindText, Required: true, Doc: "The type of the node set: where its nodes are found."},
			{Name: "at_least", Kind: KindInt, Default: "1", Doc: "With fewer nodes the run fails before its first task; 0 implies `empty_ok`."},
			{Name: "at_most", Kind: KindInt, Doc: "With more nodes the run fails before its first task."},
			{Name: "limit", Kind: KindInt, Doc: "How many nodes are kept, the first ones; without it, all. The others are left out without a word: `at_most` refuses instead."},
			{Name: "empty_ok", Kind: KindBool, Default: "false", Doc: "Whether the set may be empty."},
			{Name: "when_empty", Kind: KindText, Doc: "What is said when it is empty and must not be."},
			{Name: "test", Kind: KindBool, Default: "false", Doc: "Whether every node must answer on the Choria network before the first task."},
			{Name: "uses", Kind: KindTexts, Doc: "Agents of the top-level `uses` that every node must have, in those versions."},
		},
		Written: []string{"type", "empty_ok", "uses"},
	}
}

func hookSection() Section {
	return Section{
		Name: "list of hooks", Doc: "The keys of `hooks`: task lists, in the order in which they run.",
		Keys: []Key{
			{Name: "pre_book", Kind: KindTasks, Doc: "Before the first task. A failure ends the run, with neither `on_fail` nor `post_book`."},
			{Name: "pre_task", Kind: KindTasks, Doc: "Before each task of the main list."},
			{Name: "post_task", Kind: KindTasks, Doc: "After each task of the main list."},
			{Name: "on_success", Kind: KindTasks, Doc: "After the main list succeeded."},
			{Name: "on_fail", Kind: KindTasks, Doc: "After a task of the main list failed."},
			{Name: "post_book", Kind: KindTasks, Doc: "After `on_success` or `on_fail`."},
			{Name: "always", Kind: KindTasks, Doc: "Last, before locks are released, whenever `pre_book` began: after success, failure, denial, time-out and cancel. Each of its tasks is tried even if an earlier one failed."},
		},
		Written: []string{"pre_book", "pre_task", "post_task", "on_success", "on_fail", "post_book", "always"},
	}
}

func taskSection() Section {
	return Section{
		Name: "task", Doc: "What every task may have, beside the keys of its type.",
		Keys: []Key{
			{Name: "description", Kind: KindText, Doc: "What people see."},
			{Name: "as", Kind: KindText, Doc: "The name under which others see its result, as in `tasks.name.success`: letters, digits and `_`."},
			{Name: "when", Kind: KindExpression, Doc: "A condition, evaluated before the task's hooks and before any asking. Where it does not hold, the task is shown as skipped."},
			{Name: "tries", Kind: KindInt, Default: "1", Doc: "How often the task is tried before it counts as failed."},
			{Name: "try_sleep", Kind: KindDuration, Default: "10", Doc: "The pause between two tries; a bare number is seconds."},
			{Name: "pre_sleep", Kind: KindDuration, Doc: "The pause before the first try; a bare number is seconds."},
			{Name: "timeout", Kind: KindDuration, Doc: "How long one try may take; it is cancelled then and counts as failed. A bare number is seconds."},
			{Name: "fail_ok", Kind: KindBool, Default: "false", Doc: "Tolerate the failure, after all `tries`; it is shown as *tolerated*."},
			{Name: "destructive", Kind: KindBool, Default: "false", Doc: "Stop and ask before this task. The policy may make other tasks ask too."},
			{Name: "idempotent", Kind: KindBool, Doc: "Whether a try that a crash cut off may be repeated without asking; without it, what the task type says."},
			{Name: "approval", Kind: KindMap, Doc: "What the gate of this task asks for. It only tightens the policy; what it leaves open is the playbook's."},
			{Name: "locks", Kind: KindTexts, Doc: "Locks that are held for this task only, each `store/key`, or a bare store name."},
		},
		Written: []string{"as", "fail_ok", "destructive", "idempotent", "approval"},
	}
}

func approvalSection() Section {
	return Section{
		Name: "approval", Doc: "The keys of `approval`, of a task or of the playbook. Nothing in it is a template: what a gate asks for must not depend on what a person typed.",
		Keys: []Key{
			{Name: "from", Kind: KindTexts, Doc: "Roles of the policy, one of which an approver must have. At least one."},
			{Name: "count", Kind: KindInt, Doc: "How many different people must approve, 1 to 10; the larger of this and the policy's wins."},
			{Name: "expires", Kind: KindDuration, Doc: "How long the gate waits; the shorter of this and the policy's wins. A time-out is a denial."},
			{Name: "reason", Kind: KindText, Choices: []string{ReasonOnDeny, ReasonAlways}, Doc: "Who must give a reason: whoever denies, or whoever decides."},
			{
				Name: "scope", Kind: KindText, Choices: []string{ScopeStep, ScopeRun},
				Doc: "`run` lets an approver approve the rest: later gates of this run that need no other roles and no more people. `step` keeps an earlier approval of the rest from covering this gate.",
			},
			{Name: "escalate", Kind: KindTexts, Doc: "Roles of the policy that are asked too, and may approve, when three quarters of the time to answer are over. With `from`, which says who is asked first."},
			{Name: "each_wave", Kind: KindBool, Default: "false", Doc: "Only of a rolling task, which it makes ask: before each wave, for the nodes of that wave, in place of once for all."},
		},
		Written: []string{"from", "count", "expires", "reason", "scope", "escalate", "each_wave"},
	}
}

// rollingSection describes the one task type that the language itself knows.
func rollingSection() Section {
	return Section{
		Name: rollingType, Doc: "runs a list of tasks for one wave of nodes after the other",
		Keys: []Key{
			{Name: "nodes", Kind: KindTexts, Required: true, Doc: "All nodes, which the waves divide."},
			{Name: "waves", Kind: KindList, Doc: "The sizes of the waves, as in `[1, 10%, 50%]`: numbers of nodes, or shares of all. The last one repeats. Either this or `batch_size`."},
			{Name: "batch_size", Kind: KindShare, Doc: "The size of every wave, where all are equal."},
			{Name: "max_failures", Kind: KindShare, Default: "0", Doc: "How many nodes may fail over all waves; with more, no further wave begins."},
			{Name: "tasks", Kind: KindTasks, Required: true, Doc: "What is done to each wave. Its nodes are `{{ wave.nodes }}`; there are `wave.number` and `wave.count` too."},
		},
		Written: []string{"tasks"},
	}
}

// notOfRolling are the common keys that a rolling task does not have.
func notOfRolling() []string { return []string{"tries", "try_sleep", "idempotent"} }
