package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/playbooks"
)

// playbooks looks at the folder of playbooks: who can change it, and whether they load.
func (s site) playbooks(_ context.Context, n *notes) {
	if s.cfg.Playbooks == "" {
		n.skip("no folder is configured")
		return
	}
	shelf, err := s.library() //nolint:contextcheck // literals are folded, nothing is waited for
	if err != nil {
		n.problem(err, "name the folder in playbooks:")
		return
	}
	writers(s.cfg.Playbooks, s.owners(), n)
	broken := shelf.Broken()
	for _, b := range broken {
		n.broken("playbot check "+filepath.Join(s.cfg.Playbooks, b.File), "%s does not load", b.File)
	}
	switch books := shelf.List(); {
	case len(books) == 0 && len(broken) == 0:
		n.warn("put playbooks there; they end in .yaml", "%s holds no playbook", s.cfg.Playbooks)
	case n.good():
		n.ok("%s, %s, which nobody else can change", s.cfg.Playbooks, counted(len(books), "playbook"))
	}
}

// library loads the playbooks with what the configuration knows of agents, or without where that cannot be read.
func (s site) library() (*playbooks.Library, error) {
	types, err := s.cfg.Vocabulary()
	if err != nil {
		types = app.Vocabulary(s.cfg.DataDir)
	}
	return playbooks.OpenLibrary(s.cfg.Playbooks, types)
}

// owners are whose files may be run: root's, those of who looks, and those of the owner of data_dir, which is
// playbot's user.
func (s site) owners() []uint32 {
	out := []uint32{0, uint32(os.Geteuid())}
	if info, err := os.Stat(s.cfg.DataDir); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			out = append(out, st.Uid)
		}
	}
	return out
}

// writers looks who can change playbooks: whoever can decides what runs on the fleet.
func writers(dir string, owners []uint32, n *notes) {
	files, err := bookFiles(dir)
	if err != nil {
		n.problem(err, "let playbot's user read the folder")
		return
	}
	var everybody, group, others []string
	for _, path := range files {
		info, err := os.Stat(path)
		if err != nil {
			continue // it does not load either
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		switch mode := info.Mode().Perm(); {
		case mode&0o002 != 0 && (!info.IsDir() || info.Mode()&os.ModeSticky == 0):
			everybody = append(everybody, path)
		case mode&0o020 != 0:
			group = append(group, path)
		case ok && !slices.Contains(owners, st.Uid):
			others = append(others, path)
		}
	}
	if len(everybody) > 0 {
		n.broken("chmod o-w "+strings.Join(everybody, " "), "everybody can change %s, and so what runs on the fleet", some(everybody))
	}
	if len(group) > 0 {
		n.warn("chmod g-w "+strings.Join(group, " ")+", unless that group is meant", "a group can change %s", some(group))
	}
	if len(others) > 0 {
		n.warn("chown root "+strings.Join(others, " ")+", unless that user is meant", "somebody who is neither root nor playbot's user owns %s, and can change it", some(others))
	}
}

// bookFiles are the folder itself and its playbooks.
func bookFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	out := []string{dir}
	for _, e := range entries {
		if playbooks.IsBookFile(e.Name()) {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out, nil
}

// some names the first of a list, and how many there are besides.
func some(list []string) string {
	const shown = 3
	if len(list) <= shown {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:shown], ", "), len(list)-shown)
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
