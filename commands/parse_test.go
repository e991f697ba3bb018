package commands

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
)

// spell writes what a line was read as: bare words in quotes, items of a list in brackets, JSON as
// it was decoded, and behind a word the people and places that it names.
func spell(words []word) string {
	out := make([]string, len(words))
	for i, w := range words {
		text := fmt.Sprintf("%q", w.value.text)
		if len(w.value.items) > 1 {
			text = fmt.Sprintf("%q", w.value.items)
		}
		switch {
		case w.kind == assignment && w.value.isJSON:
			data, _ := json.Marshal(w.value.data)
			text = w.name + ":=" + string(data)
		case w.kind == assignment:
			text = w.name + "=" + text
		case w.kind == flagWord && w.given:
			text = "--" + w.name + "=" + text
		case w.kind == flagWord:
			text = "--" + w.name
		}
		for _, r := range w.value.refs {
			text += fmt.Sprintf("<%s %s %s>", r.kind, r.id, r.name)
		}
		out[i] = text
	}
	return strings.Join(out, " ")
}

type vector struct{ line, want string }

// vectors are the lines that the parser must read, and what it reads.
func vectors() map[string]vector {
	return map[string]vector{
		"words":                                       {`run web_upgrade`, `"run" "web_upgrade"`},
		"nothing":                                     {``, ``},
		"only blanks":                                 {"  \t\n ", ``},
		"an assignment":                               {`tier=bravo`, `tier="bravo"`},
		"an empty value":                              {`k=`, `k=""`},
		"an empty value in quotes":                    {`k=""`, `k=""`},
		"a value with an equals sign":                 {`k=a=b`, `k="a=b"`},
		"a dotted name":                               {`a.b-c_1=x`, `a.b-c_1="x"`},
		"a name in another script":                    {`größe=5`, `größe="5"`},
		"no name before the equals sign":              {`=x`, `"=x"`},
		"a bare address is no assignment":             {`https://web1/?a=b`, `"https://web1/?a=b"`},
		"double quotes":                               {`msg="a b"`, `msg="a b"`},
		"single quotes":                               {`msg='a "b" \n c'`, `msg="a \"b\" \\n c"`},
		"escaped double quotes":                       {`msg="a \"b\" c"`, `msg="a \"b\" c"`},
		"an escaped backslash":                        {`msg="a\\"`, `msg="a\\"`},
		"a backslash that escapes nothing":            {`path=C:\temp`, `path="C:\\temp"`},
		"the same in quotes":                          {`path="C:\temp"`, `path="C:\\temp"`},
		"an apostrophe inside a word":                 {`why=don't`, `why="don't"`},
		"a quote inside a word":                       {`size=5"`, `size="5\""`},
		"no comment":                                  {`channel=#ops x`, `channel="#ops" "x"`},
		"no expansion":                                {`a=$HOME b=*.yaml c=~ d={1,2} e=$(id)`, `a="$HOME" b="*.yaml" c="~" d=["{1" "2}"] e="$(id)"`},
		"curly double quotes":                         {`msg=“a b”`, `msg="a b"`},
		"curly single quotes":                         {`msg=‘a b’`, `msg="a b"`},
		"low curly quotes":                            {`msg=„a b“`, `msg="a b"`},
		"a curly quote closed by a straight one":      {`msg=“a b"`, `msg="a b"`},
		"a straight quote closed by a curly one":      {`msg="a b”`, `msg="a b"`},
		"escapes in curly quotes":                     {`msg=“a \“b\” c”`, `msg="a “b” c"`},
		"a curly apostrophe inside a word":            {`why=don’t x=‘it’s on’`, `why="don’t" x="it’s on"`},
		"a curly apostrophe that begins a word":       {`’tis`, `"’tis"`},
		"curly quotes inside straight ones":           {`msg="a “b” c"`, `msg="a “b” c"`},
		"a flag with a value behind it":               {`--limit 5`, `--limit "5"`},
		"a flag with its value":                       {`--limit=5`, `--limit="5"`},
		"an em dash is two hyphens":                   {`—limit 5`, `--limit "5"`},
		"an en dash is two hyphens":                   {`–limit=5`, `--limit="5"`},
		"a dash before a number stays":                {`—5 x—y`, `"—5" "x—y"`},
		"a single hyphen is a word":                   {`-x -`, `"-x" "-"`},
		"a flag in curly quotes is a word":            {`“--limit”`, `"--limit"`},
		"a list":                                      {`nodes=a,b`, `nodes=["a" "b"]`},
		"a list with quotes":                          {`nodes="a, 1",'b',c`, `nodes=["a, 1" "b" "c"]`},
		"a list with an empty item":                   {`nodes=a,,b,`, `nodes=["a" "" "b" ""]`},
		"a comma in quotes":                           {`nodes="a,b"`, `nodes="a,b"`},
		"JSON":                                        {`x:={"a":1}`, `x:={"a":1}`},
		"JSON with blanks, and what follows":          {`x:={"a": [1, 2.5, true, null]} y=1`, `x:={"a":[1,2.5,true,null]} y="1"`},
		"JSON in curly quotes":                        {`x:={“a”: “b c”}`, `x:={"a":"b c"}`},
		"JSON that contains curly quotes":             {`x:={"a": "“b”"}`, `x:={"a":"“b”"}`},
		"JSON of a number":                            {`x:=42`, `x:=42`},
		"JSON as entities":                            {`x:={"a":"&lt;5"}`, `x:={"a":"\u003c5"}`},
		"entities":                                    {`n=&lt;5 &amp;&amp; &gt;`, `n="<5" "&&" ">"`},
		"entities are decoded once":                   {`n=&amp;lt;`, `n="&lt;"`},
		"an ampersand that is no entity":              {`n=a&b&nbsp;`, `n="a&b&nbsp;"`},
		"a person":                                    {`--user <@U1|bob>`, `--user "U1"<user U1 bob>`},
		"a person without a name":                     {`<@W1>`, `"W1"<user W1 >`},
		"a channel":                                   {`to=<#C1|ops>`, `to="C1"<channel C1 ops>`},
		"a group":                                     {`to=<!subteam^S1|@sre>`, `to="S1"<group S1 sre>`},
		"an announcement is its text":                 {`to=<!here> x=<!channel|@channel>`, `to="@here" x="@channel"`},
		"a link is its visible text":                  {`<http://web1.example|web1.example>`, `"web1.example"`},
		"a link without a text is its address":        {`u=<https://web1.example/?a=1&amp;b=2>`, `u="https://web1.example/?a=1&b=2"`},
		"a mail address":                              {`to=<mailto:a@b.example|a@b.example>`, `to="a@b.example"`},
		"a person in quotes":                          {`why="ask <@U1|bob> first"`, `why="ask U1 first"<user U1 bob>`},
		"angle brackets that are no token":            {`a=<b> c<d <`, `a="<b>" "c<d" "<"`},
		"a lower-case id is no person":                {`<@bob>`, `"<@bob>"`},
		"a no-break space":                            {"run\u00a0web\u2003x", `"run" "web" "x"`},
		"a newline in the middle":                     {"run web\ntier=bravo\r\nrev=1", `"run" "web" tier="bravo" rev="1"`},
		"a newline in quotes stays":                   {"msg=\"a\nb\"", `msg="a\nb"`},
		"backticks around a word":                     {"run `web` tier=`bravo`", `"run" "web" tier="bravo"`},
		"backticks around an assignment":              {"run `tier=bravo`", `"run" tier="bravo"`},
		"backticks around the line":                   {"`run web tier=bravo`", `"run" "web" tier="bravo"`},
		"a fence around the line":                     {"```\nrun web\n```", `"run" "web"`},
		"a backtick inside a word":                    {"a`b", "\"a`b\""},
		"backticks around a value with blanks":        {"msg=`a b`", `msg="a b"`},
		"a zero-width character in quotes is a value": {"x=\"a\u200bb\"", "x=\"a\\u200bb\""},
		"a flag with an empty value":                  {`--reason=`, `--reason=""`},
		"a flag with a list":                          {`--waves=1,10%,50%`, `--waves=["1" "10%" "50%"]`},
		"a forced flag":                               {`run --plan=false`, `"run" --plan="false"`},
		"capitals stay":                               {`Run WEB`, `"Run" "WEB"`},
		"the longest line":                            {strings.Repeat("x", maxLine), `"` + strings.Repeat("x", maxLine) + `"`},
	}
}

func TestParse_vectors(t *testing.T) {
	t.Parallel()
	for sentence, row := range vectors() {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			words, err := parse(row.line, engine.OriginTyped)
			if err != nil {
				t.Fatalf("%q: %v", row.line, err)
			}
			if got := spell(words); got != row.want {
				t.Errorf("%q\ngot  %s\nwant %s", row.line, got, row.want)
			}
		})
	}
}

func TestParse_refusesWithTheColumn(t *testing.T) {
	t.Parallel()
	for sentence, row := range map[string]struct {
		line string
		col  int
		want string
	}{
		"a quote that is never closed":           {`run web msg="a b`, 13, "never closed"},
		"a curly quote that is never closed":     {`msg=“a b`, 5, "never closed"},
		"a single quote that is never closed":    {`msg='a b`, 5, "never closed"},
		"text behind a closing quote":            {`msg="a"b`, 8, "behind the closing quote"},
		"a bare dash":                            {`run -- x`, 5, "a flag is"},
		"a flag with odd characters":             {`--a_b=1`, 4, "a flag is"},
		"JSON that is none":                      {`x:={a}`, 4, "not JSON"},
		"no JSON":                                {`x:=`, 4, "not JSON"},
		"text behind JSON":                       {`x:=1a`, 5, "behind the JSON"},
		"a zero-width character in a name":       {"run web ti\u200ber=x", 11, "invisible"},
		"a direction mark in a name":             {"\u202etier=x", 1, "invisible"},
		"a control character":                    {"run \x07web", 5, "control character"},
		"an escape sequence":                     {"a=\x1b[31m", 3, "control character"},
		"a line that is too long":                {strings.Repeat("x", maxLine+1), 0, "4001 characters"},
		"what is not UTF-8":                      {"run \xff", 0, "UTF-8"},
		"columns count what was typed":           {`a=&lt; <@U1|bob> “x`, 18, "never closed"},
		"columns count characters, not bytes":    {`größe=ü “x`, 9, "never closed"},
		"columns count from the line in a fence": {"```x \"y```", 6, "never closed"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			words, err := parse(row.line, engine.OriginTyped)
			var line *lineError
			if !errors.As(err, &line) {
				t.Fatalf("got %v and %s, want a refusal", err, spell(words))
			}
			if line.col != row.col || !strings.Contains(line.message, row.want) {
				t.Errorf("got column %d: %s\nwant column %d: …%s…", line.col, line.message, row.col, row.want)
			}
		})
	}
}

func TestParse_aTerminalSendsWhatItShows(t *testing.T) {
	t.Parallel()
	words, err := parse(`a=&lt; b=<@U1|bob> c=“x y”`, engine.OriginTerminal)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := spell(words), `a="&lt;" b="<@U1|bob>" c="x y"`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
