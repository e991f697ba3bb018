package browsertest

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patient bounds every wait for the page; nothing takes so long.
const patient = 60 * time.Second

//go:embed look.js
var look string

// tab is a page in a browser, with a person in front of it.
type tab struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // chromedp's handle on the tab is a context

	mu       sync.Mutex // guards troubles
	troubles []string
}

// findChromium is the path of the browser.
func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("Chromium is not installed; this test drives the page with it: apt-get install chromium fonts-noto-color-emoji")
	return ""
}

// openTab starts a browser of its own and opens an address. What the browser complains about fails the test.
func openTab(t *testing.T, url string) *tab {
	t.Helper()
	flags := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(findChromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 800),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "en-US"),
	}
	allocator, end := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), flags...)
	t.Cleanup(end)
	p := &tab{t: t}
	ctx, closeTab := chromedp.NewContext(allocator, chromedp.WithListener(p.listen))
	t.Cleanup(closeTab)
	p.ctx = ctx
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 800), scheme("light"), chromedp.Navigate(url)); err != nil {
		t.Fatalf("open the page: %v", err)
	}
	t.Cleanup(func() {
		p.untroubled()
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("close the browser: %v", err)
		}
	})
	return p
}

// scheme chooses the colours that the person's system asks for: light or dark.
func scheme(name string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}
		return cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
	}
}

// listen notes what goes wrong in the page: errors, refused loads, violations of its policy.
func (p *tab) listen(event any) {
	var trouble string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		trouble = (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error()
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
			trouble = fmt.Sprintf("console: %s", js(e.Args))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			trouble = fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
	if trouble == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.troubles = append(p.troubles, trouble)
}

func (p *tab) untroubled() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, trouble := range p.troubles {
		p.t.Errorf("the browser complained: %s", trouble)
	}
	p.troubles = nil
}

// do carries out an action within the patience of this test.
func do[T any](p *tab, what string, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patient)
	defer cancel()
	out, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Fatalf("%s: %v; the page reads:\n%s", what, err, p.everything())
	}
	return out
}

// everything is what the whole page reads, for the report of a failure.
func (p *tab) everything() string {
	ctx, cancel := context.WithTimeout(p.ctx, patient)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

// eval evaluates an expression with what look.js offers, and waits for it when it is a promise.
func eval[T any](p *tab, what, expression string) T {
	p.t.Helper()
	code := "(async () => {\n" + look + "\nreturn (" + expression + ");\n})()"
	return do(p, what, chromedp.Evaluate[T](code, chromedp.EvalAwaitPromise))
}

// js is a value as a literal of the page's language.
func js(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only strings and numbers are ever passed
	}
	return string(b)
}

// sees waits until an element that matches the selector can be seen and reads as all the texts say.
func (p *tab) sees(selector string, texts ...string) {
	p.t.Helper()
	p.eval(fmt.Sprintf("wait to see %s that reads %q", selector, texts),
		fmt.Sprintf("until(() => all(%s, ...%s).length > 0)", js(selector), js(append([]string{}, texts...))))
}

// seesNo waits until no element that matches the selector and reads as all the texts say can be seen.
func (p *tab) seesNo(selector string, texts ...string) {
	p.t.Helper()
	p.eval(fmt.Sprintf("wait for %s that reads %q to go", selector, texts),
		fmt.Sprintf("until(() => all(%s, ...%s).length === 0)", js(selector), js(append([]string{}, texts...))))
}

// reads returns the words in the last element that matches the selector and can be seen.
func (p *tab) reads(selector string) string {
	p.t.Helper()
	return eval[string](p, "read "+selector, fmt.Sprintf("all(%s).at(-1)?.innerText ?? ''", js(selector)))
}

// presses clicks, with the mouse, the last element that matches the selector and reads as text says.
func (p *tab) presses(selector, text string) {
	p.t.Helper()
	what := fmt.Sprintf("press %s that reads %q", selector, text)
	at := eval[[2]float64](p, what, fmt.Sprintf("spot(() => all(%s, %s).at(-1))", js(selector), js(text)))
	do(p, what, chromedp.MouseClickXY(at[0], at[1]))
}

// types presses the keys of a text, wherever the focus is.
func (p *tab) types(text string) {
	p.t.Helper()
	do(p, "type "+text, chromedp.KeyEvent(text))
}

// The keys that are no characters.
var (
	enter  = input.DispatchKeyEventParams{Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13}
	escape = input.DispatchKeyEventParams{Key: "Escape", Code: "Escape", WindowsVirtualKeyCode: 27}
	tabKey = input.DispatchKeyEventParams{Key: "Tab", Code: "Tab", WindowsVirtualKeyCode: 9}
)

// hits presses one key. As with a real keyboard, a page that handles it keeps its character out of the text.
func (p *tab) hits(key input.DispatchKeyEventParams) {
	p.t.Helper()
	do(p, "hit "+key.Key, func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		key.Type = input.DispatchKeyEventTypeKeyDown
		if _, err := cdp.Call(ctx, target, input.DispatchKeyEvent, key); err != nil {
			return chromedp.Void{}, err
		}
		key.Type, key.Text = input.DispatchKeyEventTypeKeyUp, ""
		return cdp.Call(ctx, target, input.DispatchKeyEvent, key)
	})
}

// picture writes what is on the screen into the folder that PLAYBOT_PICTURES names, if it does.
func (p *tab) picture(name string) {
	p.t.Helper()
	folder := os.Getenv("PLAYBOT_PICTURES")
	if folder == "" {
		return
	}
	p.eval("wait for "+name+" to settle", "settled()")
	do(p, "take the mouse away", chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 1, 400))
	png := do(p, "take picture "+name, chromedp.CaptureScreenshot())
	if err := os.MkdirAll(folder, 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// size makes the window as large as that.
func (p *tab) size(width, height int64) {
	p.t.Helper()
	do(p, "resize the window", chromedp.EmulateViewport(width, height))
}

// fits checks that nothing sticks out of the window to the side.
func (p *tab) fits() {
	p.t.Helper()
	if out := eval[[]string](p, "measure the page", "tooWide()"); len(out) > 0 {
		p.t.Errorf("these reach out of the window: %q", out)
	}
}

// readable checks that every text stands out well enough from what is behind it.
func (p *tab) readable() {
	p.t.Helper()
	if out := eval[[]string](p, "measure the contrast", "settled().then(pale)"); len(out) > 0 {
		p.t.Errorf("these are hard to read: %q", out)
	}
}

// focusShows checks that one sees what the keyboard acts on.
func (p *tab) focusShows() {
	p.t.Helper()
	p.eval("see where the focus is", `until(() => { const el = document.activeElement;
		return el !== document.body && [el, el.parentElement].some((x) => getComputedStyle(x).outlineStyle !== "none" || getComputedStyle(x).boxShadow !== "none"); })`)
}

// eval is for expressions whose value nobody needs.
func (p *tab) eval(what, expression string) {
	p.t.Helper()
	eval[chromedp.Void](p, what, expression)
}
