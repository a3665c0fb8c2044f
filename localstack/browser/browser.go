// Package browser uses the API reference as a person does, in a headless Chromium.
package browser

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const (
	patience = 2 * time.Minute // for all that is done on the page
	width    = 1280            // of the window, in pixels
	height   = 900
)

// The operations that are tried: one for everybody, one that needs a token.
const (
	public = "#operations-operation-get-health"
	closed = "#operations-stock-get-stock"
)

// Visit is what is done with the reference of an API.
type Visit struct {
	API          string // its URL; the reference is at /docs below it
	ClientID     string
	ClientSecret string
}

// Seen is what a visit came to.
type Seen struct {
	Public   string   // the status that the page shows for an operation that is everybody's
	Stranger string   // for one that needs a token, without one
	Client   string   // for the same, with a token that the page asked for
	Requests []string // that the page made
	Picture  []byte   // of the page as it opens, PNG
}

// Do opens the reference and tries its operations. It returns an error if the page asked for anything of another origin, did what
// its policy forbids, or failed in a script.
func (v Visit) Do(ctx context.Context) (seen Seen, err error) {
	home, err := url.Parse(v.API)
	if err != nil {
		return seen, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.WindowSize(width, height))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium will not run as root otherwise
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	defer stop()
	ctx, leave := chromedp.NewContext(ctx)
	defer leave()

	w := &watch{origin: home.Scheme + "://" + home.Host}
	if err := chromedp.Listen(ctx, w.hear); err != nil {
		return seen, err
	}
	err = v.use(ctx, &seen)
	var wrong []error
	seen.Requests, wrong = w.noted()
	return seen, errors.Join(append(wrong, err)...)
}

// use does with the page what a person would.
func (v Visit) use(ctx context.Context, seen *Seen) (err error) {
	err = chromedp.Do(ctx, chromedp.Navigate(strings.TrimSuffix(v.API, "/")+"/docs"), chromedp.WaitVisible(chromedp.CSS(public)))
	if err != nil {
		return err
	}
	if seen.Picture, err = chromedp.Run(ctx, chromedp.CaptureScreenshot()); err != nil {
		return err
	}
	if seen.Public, err = open(ctx, public); err != nil {
		return err
	}
	if seen.Stranger, err = open(ctx, closed); err != nil {
		return err
	}
	if err := v.authorize(ctx); err != nil {
		return err
	}
	if err := clearAnswer(ctx, closed); err != nil {
		return err
	}
	if seen.Client, err = execute(ctx, closed); err != nil {
		return err
	}
	return follow(ctx)
}

// follow returns an error for links of the page that lead nowhere. They may lead to a place on it, to a file of the reference, or
// to the web, where nobody goes but by a click.
func follow(ctx context.Context) error {
	links, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll("a[href]")].map(a => a.getAttribute("href"))`))
	if err == nil && !slices.ContainsFunc(links, func(link string) bool { return strings.HasPrefix(link, "?file=problems.md#") }) {
		err = errors.New("no answer's description leads to the entry of a problem")
	}
	wrong := []error{err}
	for _, link := range links {
		if !strings.HasPrefix(link, "#") && !strings.HasPrefix(link, "?file=") && !strings.HasPrefix(link, "https://") {
			wrong = append(wrong, fmt.Errorf("the page has a link to %s, where nothing is", link))
		}
	}
	return errors.Join(wrong...)
}

// open unfolds an operation, sends its form as it is filled in, and returns the status that the page shows.
func open(ctx context.Context, operation string) (string, error) {
	err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(operation+" .opblock-summary-control")), chromedp.Click(chromedp.CSS(operation+" .try-out__btn")))
	if err != nil {
		return "", err
	}
	return execute(ctx, operation)
}

// answer is where the page shows the status of an operation's last answer: until the next one is there.
func answer(operation string) chromedp.CSS {
	return chromedp.CSS(operation + " .live-responses-table tbody .response-col_status")
}

// execute sends the form of an operation that is unfolded and shows no answer, and returns the status of the one that comes.
func execute(ctx context.Context, operation string) (string, error) {
	err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(operation+" .btn.execute")), chromedp.WaitVisible(answer(operation)))
	if err != nil {
		return "", err
	}
	return chromedp.Run(ctx, chromedp.Text(answer(operation)))
}

// clearAnswer takes an operation's last answer off the page.
func clearAnswer(ctx context.Context, operation string) error {
	return chromedp.Do(ctx, chromedp.Click(chromedp.CSS(operation+" .btn-clear")), chromedp.WaitNotPresent(answer(operation)))
}

// authorize gets a token in the page's dialogue.
func (v Visit) authorize(ctx context.Context) error {
	const submit = `[aria-label="Apply given OAuth2 credentials"]`
	return chromedp.Do(ctx,
		chromedp.Click(chromedp.CSS(".auth-wrapper .btn.authorize")),
		chromedp.SendKeys(chromedp.CSS("#client_id_clientCredentials"), v.ClientID),
		chromedp.SendKeys(chromedp.CSS("#client_secret_clientCredentials"), v.ClientSecret),
		chromedp.Click(chromedp.CSS(submit)),
		chromedp.WaitVisible(chromedp.CSS(`[aria-label="Remove authorization"]`)),
		chromedp.Click(chromedp.CSS(".dialog-ux .close-modal")),
		chromedp.WaitNotPresent(chromedp.CSS(".dialog-ux")),
	)
}

// watch notes what a page asks for and what goes wrong on it.
type watch struct {
	origin string

	mu       sync.Mutex
	requests []string
	wrong    []error
}

func (w *watch) noted() (requests []string, wrong []error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests, w.wrong
}

// hear takes in an event of the page's.
func (w *watch) hear(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		w.requests = append(w.requests, e.Request.Method+" "+e.Request.URL)
		if !strings.HasPrefix(e.Request.URL, w.origin+"/") && !strings.HasPrefix(e.Request.URL, "data:") {
			w.wrong = append(w.wrong, fmt.Errorf("the page asked for %s, which is not of %s", e.Request.URL, w.origin))
		}
	case *runtime.EventExceptionThrown:
		w.wrong = append(w.wrong, fmt.Errorf("a script of the page failed: %s", e.ExceptionDetails.Text))
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError || e.Entry.Source == log.EntrySourceNetwork {
			return // advice, and answers that refuse
		}
		w.wrong = append(w.wrong, fmt.Errorf("the browser complains (%s): %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
	}
}
