package playbooks

import "slices"

// habit is a word that people bring along from other tools, and what is written here instead.
type habit struct {
	word   string
	needs  string // told only where this is known, so that the remedy can be followed; "" is everywhere
	remedy string
}

// noLoop is said of every way to repeat a task.
const noLoop = "there are no loops; give a fleet task all of its nodes, or a rolling task what is done to each wave"

// habits are searched in their order. Words near enough to the right one need none: see [Nearest].
func habits() []habit { return slices.Concat(bookHabits(), taskHabits(), typeHabits(), nameHabits()) }

// bookHabits are keys of the file, and lists of hooks.
func bookHabits() []habit {
	return []habit{
		{"hosts", "nodes", `name the servers under nodes:, and hand them to a task with nodes: "{{ nodes.NAME }}"`},
		{"vars", "inputs", "declare them under inputs:, each with a type and a default"},
		{"handlers", "hooks", "write tasks that follow others under hooks:"},
		{"pre_tasks", "hooks", "write them under hooks:, as pre_book:"},
		{"post_tasks", "hooks", "write them under hooks:, as post_book:"},
		{"on_failure", "hooks", "write it under hooks:, as on_fail:"},
		{"always", "hooks", "write it under hooks:"},
		{"on_success", "hooks", "write it under hooks:"},
		{"pre_book", "hooks", "write it under hooks:"},
		{"post_book", "hooks", "write it under hooks:"},
		{"pre_task", "hooks", "write it under hooks:"},
		{"post_task", "hooks", "write it under hooks:"},
		{"on_failure", "on_fail", didYouMean("on_fail")},
		{"on_error", "on_fail", didYouMean("on_fail")},
		{"rescue", "on_fail", didYouMean("on_fail")},
		{"finally", "always", didYouMean("always")},
	}
}

func taskHabits() []habit {
	return []habit{
		{"become", "", "leave it out: agents have the rights of the server on their node, and a shell command may begin with sudo"},
		{"register", "as", didYouMean("as") + " others read the result as tasks.NAME"},
		{"name", "as", didYouMean("description")},
		{"ignore_errors", "fail_ok", didYouMean("fail_ok")},
		{"delay", "try_sleep", didYouMean("try_sleep")},
		{"until", "expect", didYouMean("expect") + " it is held against each reply of each of the tries"},
		{"until", "tries", "write tries:, and let the task fail until all is well"},
		{"failed_when", "expect", "write expect:, a condition that must hold"},
		{"loop", "tries", noLoop},
		{"with_items", "tries", noLoop},
		{"serial", "batch_size", didYouMean("batch_size")},
		{"args", "properties", didYouMean("properties")},
		{"arguments", "properties", didYouMean("properties")},
		{"params", "properties", didYouMean("properties")},
		{"parameters", "properties", didYouMean("properties")},
		{"property", "properties", didYouMean("properties")},
		{"agent", "action", "write action: agent.action, such as puppet.disable"},
		{"cmd", "command", didYouMean("command")},
		{"chdir", "cwd", didYouMean("cwd")},
		{"msg", "message", didYouMean("message")},
	}
}

func typeHabits() []habit {
	return []habit{
		{"debug", "log", didYouMean("log")},
		{"echo", "log", didYouMean("log")},
		{"command", "shell", didYouMean("shell")},
		{"script", "shell", didYouMean("shell")},
		{"exec", "shell", didYouMean("shell")},
		{"wait", "sleep", didYouMean("sleep")},
		{"pause", "sleep", didYouMean("sleep")},
		{"include", "playbook", didYouMean("playbook")},
		{"include_tasks", "playbook", didYouMean("playbook")},
		{"import_tasks", "playbook", didYouMean("playbook")},
		{"import_playbook", "playbook", didYouMean("playbook")},
		{"http", "webhook", didYouMean("webhook")},
		{"uri", "webhook", didYouMean("webhook")},
		{"approve", "shell", "write destructive: true in the task that people are asked about"},
		{"approval", "shell", "write it below the task that people are asked about"},
		{"service", "mcollective", "ask an agent, with a task of type mcollective and action: service.restart"},
		{"package", "mcollective", "ask an agent, with a task of type mcollective and action: package.update"},
		{"puppetdb", "pql", didYouMean("pql")},
		{"discovery", "mcollective", didYouMean("mcollective")},
	}
}

// nameHabits are what templates and expressions name.
func nameHabits() []habit {
	return []habit{
		{"item", "inputs", noLoop},
		{"default", "inputs", `give the input a default:, or write inputs.name ?? "text"`},
		{"hostvars", "inputs", "facts select nodes, under nodes:; the reply of a task is tasks.NAME.data"},
		{"stdout", "data", "write data[0]: what a program printed is the one item of its data"},
		{"rc", "success", didYouMean("success")},
		{"failed", "success", "write !tasks.NAME.success"},
	}
}

// instead is the remedy for an unknown key, type or item: what the word of another tool is called
// here, the nearest known word, or all of them.
func instead(word string, known []string) string {
	for _, h := range habits() {
		if h.word == word && (h.needs == "" || slices.Contains(known, h.needs)) {
			return h.remedy
		}
	}
	return suggest(word, known)
}
