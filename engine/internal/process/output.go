package process

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

const (
	keep    = 64 << 10 // bytes kept of the beginning, and of the end
	maxLine = 2000     // bytes of a line that becomes a note
)

// Output keeps the beginning and the end of what a program says, 64 KiB each, and passes its lines
// on. The zero value keeps and passes nothing on. It is written by one goroutine.
type Output struct {
	Note func(line string) // called with every line, cut to 2000 bytes; nil: nobody is told

	head, tail []byte
	cut        int // bytes between them
	line       []byte
	last       string
}

// Write implements io.Writer; os/exec calls it from one goroutine, also when both streams share it.
func (o *Output) Write(b []byte) (int, error) {
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
func (o *Output) lines(b []byte) {
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

// Flush passes on a last line that did not end; it is called when the program is gone.
func (o *Output) Flush() {
	if len(o.line) > 0 {
		o.say(o.line)
		o.line = o.line[:0]
	}
}

func (o *Output) say(line []byte) {
	s := strings.ToValidUTF8(strings.TrimRight(string(line), "\r"), "�")
	if strings.TrimSpace(s) != "" {
		o.last = s
	}
	if o.Note != nil {
		o.Note(s)
	}
}

// Text is everything that was kept, and how much was not.
func (o *Output) Text() string {
	if o.cut == 0 {
		return strings.ToValidUTF8(string(o.head)+string(o.tail), "�")
	}
	return strings.ToValidUTF8(fmt.Sprintf("%s\n… %d bytes left out …\n%s", o.head, o.cut, o.tail), "�")
}

// Ending quotes the last line that is not blank, after a colon; empty when there is none.
func (o *Output) Ending() string {
	if o.last == "" {
		return ""
	}
	return ": " + o.last
}

// bounded keeps what a program says and refuses more than a limit: the program then finds its output closed.
type bounded struct {
	limit int
	data  []byte
	over  bool
}

var errTooMuch = errors.New("too much output")

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if len(b.data)+len(p) > b.limit {
		b.over = true
		return 0, errTooMuch
	}
	b.data = append(b.data, p...)
	return len(p), nil
}
