package shell

import (
	"bytes"
	"fmt"
	"strings"
)

const (
	keep    = 64 << 10 // bytes kept of the beginning, and of the end
	maxLine = 2000     // bytes of a line that becomes a note
)

// output keeps the beginning and the end of what a program says, and passes its lines on.
type output struct {
	note       func(string)
	head, tail []byte
	cut        int // bytes between them
	line       []byte
	last       string
}

// Write implements io.Writer; os/exec calls it from one goroutine, because both streams share it.
func (o *output) Write(b []byte) (int, error) {
	n := min(len(b), keep-len(o.head))
	o.head = append(o.head, b[:n]...)
	o.tail = append(o.tail, b[n:]...)
	if over := len(o.tail) - keep; over > 0 {
		o.cut += over
		o.tail = append(o.tail[:0], o.tail[over:]...)
	}
	o.lines(b)
	return len(b), nil
}

// lines passes on every line that is complete; one that grows too long is passed on in its beginning.
func (o *output) lines(b []byte) {
	for {
		line, rest, ended := bytes.Cut(b, []byte{'\n'})
		if room := maxLine - len(o.line); room > 0 {
			o.line = append(o.line, line[:min(len(line), room)]...)
		}
		if !ended {
			return
		}
		o.say(o.line)
		o.line, b = o.line[:0], rest
	}
}

func (o *output) flush() {
	if len(o.line) > 0 {
		o.say(o.line)
		o.line = o.line[:0]
	}
}

func (o *output) say(line []byte) {
	s := strings.ToValidUTF8(strings.TrimRight(string(line), "\r"), "�")
	if strings.TrimSpace(s) != "" {
		o.last = s
	}
	o.note(s)
}

// text is everything that was kept, and how much was not.
func (o *output) text() string {
	if o.cut == 0 {
		return strings.ToValidUTF8(string(o.head)+string(o.tail), "�")
	}
	return strings.ToValidUTF8(fmt.Sprintf("%s\n… %d bytes left out …\n%s", o.head, o.cut, o.tail), "�")
}

// ending quotes the last line.
func (o *output) ending() string {
	if o.last == "" {
		return ""
	}
	return ": " + o.last
}
