package engine

import (
	"encoding/json"
	"fmt"
)

// WordGiven is what a person said about a run, written down before the answer. Who they are is looked up
// after that; until a [WordWeighed] follows, it counts for nothing.
type WordGiven struct {
	Actor Actor
	Fact  Payload // what happens when it counts
}

// WordWeighed says that it was looked up who gave a word. When it counts, its fact follows in the same commit.
type WordWeighed struct {
	Word    Seq    `json:"word"` // of its [WordGiven]
	Actor   Actor  `json:"actor"`
	Said    string `json:"said"`              // the kind of its fact
	Refused string `json:"refused,omitempty"` // why it does not count; empty when it does
}

// Kind implements [Payload].
func (WordGiven) Kind() string { return "word_given" }
func (WordGiven) payload()     {}

// Kind implements [Payload].
func (WordWeighed) Kind() string { return "word_weighed" }
func (WordWeighed) payload()     {}

// writtenWord is a [WordGiven] as it stands in the log.
type writtenWord struct {
	Actor Actor           `json:"actor"`
	Said  string          `json:"said"`
	Fact  json.RawMessage `json:"fact"`
}

// MarshalJSON implements [json.Marshaler].
func (w WordGiven) MarshalJSON() ([]byte, error) {
	if w.Fact == nil {
		return json.Marshal(writtenWord{Actor: w.Actor, Fact: json.RawMessage("null")})
	}
	fact, err := EncodePayload(w.Fact)
	if err != nil {
		return nil, err
	}
	return json.Marshal(writtenWord{Actor: w.Actor, Said: w.Fact.Kind(), Fact: fact})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (w *WordGiven) UnmarshalJSON(data []byte) error {
	var in writtenWord
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*w = WordGiven{Actor: in.Actor}
	if in.Said == "" {
		return nil
	}
	raw, err := json.Marshal(in.Fact) // as it is written again, also when this program does not know it
	if err != nil {
		return err
	}
	fact, err := DecodePayload(in.Said, raw)
	if err != nil {
		return fmt.Errorf("the word of %s: %w", in.Actor.Label(), err)
	}
	w.Fact = fact
	return nil
}
