package playbooks_test

import "testing"

func TestList_knows_every_task_list_by_its_name(t *testing.T) {
	t.Parallel()
	source := head + "tasks:\n  - any: {description: tasks}\nhooks:\n"
	names := []string{"pre_book", "pre_task", "post_task", "on_fail", "on_success", "post_book", "always"}
	for _, name := range names {
		source += "  " + name + ":\n    - any: {description: " + name + "}\n"
	}
	b := parse(t, source)
	for _, name := range append(names, "tasks") {
		if got := b.List(name); len(got) != 1 || got[0].Description.Source() != name {
			t.Errorf("%s: got %v, want its own task", name, got)
		}
	}
	if got := b.List("nonsense"); got != nil {
		t.Errorf("got %v, want nothing", got)
	}
}

func TestParse_warns_of_what_loads_but_should_be_changed(t *testing.T) {
	t.Parallel()
	b := parse(t, "name: b\nversion: one\nauthor: A\ndescription: D\non_fail: fail\n")
	if len(b.Warnings) != 2 || b.Warnings[0].Pos.Line != 2 || b.Warnings[1].Pos.Line != 5 || !b.Warnings[0].Warning {
		t.Errorf("got %v, want the version and on_fail, in this order", b.Warnings)
	}
}
