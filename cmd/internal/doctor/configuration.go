package doctor

import (
	"context"
	"errors"
	"os"
	"strings"
)

const keysRemedy = "correct it; docs/guide/operate.md describes every key"

// configuration says everything that the file itself shows.
func (s site) configuration(_ context.Context, n *notes) {
	for _, err := range flatten(s.cfg.Validate()) {
		n.problem(err, keysRemedy)
	}
	if info, err := os.Stat(s.path); err == nil && info.Mode().Perm()&0o002 != 0 {
		n.broken("chmod o-w "+s.path, "%s can be written by everybody (mode %04o), and it says who may do what", s.path, info.Mode().Perm())
	}
	if n.good() {
		n.ok("%s", s.path)
	}
}

// flatten takes apart what errors.Join has put together, also below a text that stands before it all.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	var many interface{ Unwrap() []error }
	if !errors.As(err, &many) {
		return []error{err}
	}
	list := many.Unwrap()
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = e.Error()
	}
	if !strings.HasSuffix(err.Error(), strings.Join(texts, "\n")) {
		return []error{err} // one sentence with several causes
	}
	var out []error
	for _, e := range list {
		out = append(out, flatten(e)...)
	}
	return out
}
