// Package browser tries the API reference in a headless Chromium, as a person would.
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
	timeout = 2 * time.Minute // of a whole visit
	width   = 1280            // of the window, in pixels
	height  = 900
)

// The operations that are tried: a public one, and one that needs a token.
const (
	public     = "#operations-operation-get-health"
	restricted = "#operations-stock-get-stock"
)

// Visit tries the reference of an API.
type Visit struct {
	API          string // its URL; the reference is at /docs below it
	ClientID     string
	ClientSecret string
}

// Seen is the result of a visit.
type Seen struct {
	Public   string   // the status that the page shows for a public operation
	Stranger string   // the status for an operation that needs a token, without one
	Client   string   // the status for the same operation, with a token that the page requested
	Requests []string // the requests that the page made
	Picture  []byte   // of the page as it opens, PNG
}

// Do opens the reference and tries its operations. It returns an error if the page sent a request to
// another origin, violated its content security policy, or had an error in a script.
func (v Visit) Do(ctx context.Context) (seen Seen, err error) {
	home, err := url.Parse(v.API)
	if err != nil {
		return seen, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.WindowSize(width, height))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium will not run as root otherwise
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	defer stop()
	ctx, leave := chromedp.NewContext(ctx)
	defer leave()

	w := &watch{origin: home.Scheme + "://" + home.Host}
	if err := chromedp.Listen(ctx, w.record); err != nil {
		return seen, err
	}
	err = v.use(ctx, &seen)
	var wrong []error
	seen.Requests, wrong = w.recorded()
	return seen, errors.Join(append(wrong, err)...)
}

// use does on the page what a person would do, and fills in seen.
func (v Visit) use(ctx context.Context, seen *Seen) (err error) {
	err = chromedp.Do(ctx, chromedp.Navigate(strings.TrimSuffix(v.API, "/")+"/docs"),
		chromedp.WaitVisible(chromedp.CSS(public)))
	if err != nil {
		return err
	}
	if seen.Picture, err = chromedp.Run(ctx, chromedp.CaptureScreenshot()); err != nil {
		return err
	}
	if seen.Public, err = open(ctx, public); err != nil {
		return err
	}
	if seen.Stranger, err = open(ctx, restricted); err != nil {
		return err
	}
	if err := v.authorize(ctx); err != nil {
		return err
	}
	if err := clearAnswer(ctx, restricted); err != nil {
		return err
	}
	if seen.Client, err = execute(ctx, restricted); err != nil {
		return err
	}
	return checkLinks(ctx)
}

// checkLinks returns an error for broken links of the page. A link may lead to a place on the page, to a
// file of the reference, or to the web.
func checkLinks(ctx context.Context) error {
	links,
		err := chromedp.Run(ctx,
		chromedp.Evaluate[[]string](`[...document.querySelectorAll("a[href]")].map(a => a.getAttribute("href"))`))
	if err == nil &&
		!slices.ContainsFunc(links, func(link string) bool { return strings.Contains(link, "/problems#") }) {
		err = errors.New("no description of an answer links to the problem it may return")
	}
	wrong := []error{err}
	for _, link := range links {
		if !strings.HasPrefix(link, "#") && !strings.HasPrefix(link, "?file=") &&
			!strings.HasPrefix(link, "https://") &&
			!strings.Contains(link, "/problems") {
			wrong = append(wrong, fmt.Errorf("the page has a broken link: %s", link))
		}
	}
	return errors.Join(wrong...)
}

// open unfolds an operation, sends its form with the values of the page, and returns the status that the
// page shows.
func open(ctx context.Context, operation string) (string, error) {
	err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(operation+" .opblock-summary-control")),
		chromedp.Click(chromedp.CSS(operation+" .try-out__btn")))
	if err != nil {
		return "", err
	}
	return execute(ctx, operation)
}

// answer selects where the page shows the status of an operation's last answer.
func answer(operation string) chromedp.CSS {
	return chromedp.CSS(operation + " .live-responses-table tbody .response-col_status")
}

// execute sends the form of an operation and returns the status of the answer. The operation must be
// unfolded and show no answer.
func execute(ctx context.Context, operation string) (string, error) {
	err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(operation+" .btn.execute")),
		chromedp.WaitVisible(answer(operation)))
	if err != nil {
		return "", err
	}
	return chromedp.Run(ctx, chromedp.Text(answer(operation)))
}

// clearAnswer removes an operation's last answer from the page.
func clearAnswer(ctx context.Context, operation string) error {
	return chromedp.Do(ctx, chromedp.Click(chromedp.CSS(operation+" .btn-clear")),
		chromedp.WaitNotPresent(answer(operation)))
}

// authorize requests a token in the page's dialog.
func (v Visit) authorize(ctx context.Context) error {
	const submit = `[aria-label*="Apply given OAuth2 credentials"]`
	return chromedp.Do(ctx,
		chromedp.Click(chromedp.CSS(".auth-wrapper .btn.authorize")),
		chromedp.SendKeys(chromedp.CSS("#client_id_clientCredentials"), v.ClientID),
		chromedp.SendKeys(chromedp.CSS("#client_secret_clientCredentials"), v.ClientSecret),
		chromedp.Click(chromedp.CSS(submit)),
		chromedp.WaitVisible(chromedp.CSS(`[aria-label*="Remove authorization"]`)),
		chromedp.Click(chromedp.CSS(".dialog-ux .close-modal")),
		chromedp.WaitNotPresent(chromedp.CSS(".dialog-ux")),
	)
}

// watch records the requests of a page and its errors.
type watch struct {
	origin string

	mu       sync.Mutex
	requests []string
	wrong    []error
}

func (w *watch) recorded() (requests []string, wrong []error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests, w.wrong
}

// record records an event of the page.
func (w *watch) record(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		w.requests = append(w.requests, e.Request.Method+" "+e.Request.URL)
		if !strings.HasPrefix(e.Request.URL, w.origin+"/") && !strings.HasPrefix(e.Request.URL, "data:") {
			w.wrong = append(w.wrong, fmt.Errorf("the page requested %s, which is not of %s", e.Request.URL, w.origin))
		}
	case *runtime.EventExceptionThrown:
		w.wrong = append(w.wrong, fmt.Errorf("a script of the page failed: %s", e.ExceptionDetails.Text))
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError || e.Entry.Source == log.EntrySourceNetwork {
			return // a warning, or the 401 that the visit provokes
		}
		w.wrong = append(w.wrong,
			fmt.Errorf("the browser reports an error (%s): %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
	}
}
