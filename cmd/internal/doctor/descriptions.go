package doctor

import "context"

// descriptions looks at the DDLs of agents.
func (s site) descriptions(_ context.Context, n *notes) {
	if s.cfg.Choria.Registry {
		s.kept(n)
	}
	if len(s.cfg.Choria.DDLs) == 0 && s.cfg.Choria.Registry {
		return
	}
	if len(s.cfg.Choria.DDLs) == 0 {
		n.skip("choria.ddls names none; agents are asked as playbooks write it")
		return
	}
	x, err := s.cfg.DDLs()
	for _, e := range flatten(err) {
		n.problem(e, "correct the file, or name another folder in choria.ddls")
	}
	if err != nil {
		return
	}
	for _, text := range x.Warnings() {
		n.warn("nothing, if the nodes' own check is enough; else correct the DDL", "%s", text)
	}
	if n.good() {
		n.ok("%s", counted(len(x.Agents()), "agent"))
	}
}
