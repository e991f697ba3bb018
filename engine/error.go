package engine

import (
	"errors"
	"fmt"
)

// Code classifies an error for programs.
type Code string

// The codes.
const (
	CodeInternal Code = "internal"  // our fault: the text is for the log, not for people
	CodeInvalid  Code = "invalid"   // what was asked cannot be understood or does not validate
	CodeNotFound Code = "not_found" // no such playbook, run or gate
	CodeDenied   Code = "denied"    // policy says no
	CodeConflict Code = "conflict"  // somebody was faster, or it is over
	CodeBusy     Code = "busy"      // not now: stopping, store full, too many
	CodeFailed   Code = "failed"    // a task failed
	CodeTimeout  Code = "timeout"   // a task took too long
	CodeCanceled Code = "cancelled" // a person or the end of the process stopped it
	CodeNotSent  Code = "not_sent"  // a task failed before anything left this machine
)

// Error is an error for people: Message is a sentence that says what to do next and is fit for chat.
type Error struct {
	Code    Code
	Message string
	Err     error // for the log; may be nil
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Message, e.Err)
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf builds an [Error] without a cause.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// CodeOf is the code of the first [Error] in err's chain, else CodeInternal.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}
