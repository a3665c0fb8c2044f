package sandbox

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	mostEndpoints = 16 // as at Stripe
	longestOutage = time.Hour
)

func (h Handler) register(_ context.Context, c call) (outcome, error) {
	if err := only(c.PostForm, []string{"url", "description"}, "enabled_events", "metadata"); err != nil {
		return outcome{}, err
	}
	e := Endpoint{
		ID: h.id("we_"), URL: c.PostForm.Get("url"), Events: elements(c.PostForm, "enabled_events"),
		Secret: h.id("whsec_"), Created: c.now,
	}
	switch {
	case e.URL == "":
		return outcome{}, missing("url")
	case !strings.HasPrefix(e.URL, "https://") && !strings.HasPrefix(e.URL, "http://") &&
		!strings.HasPrefix(e.URL, "execute-api:"):
		return outcome{}, invalid("url", "url_invalid", "Invalid URL: it must begin with http, https or execute-api.")
	case len(e.Events) == 0:
		return outcome{}, missing("enabled_events")
	case len(c.setup.Endpoints) == mostEndpoints:
		return outcome{},
			invalid("", "", "You have reached the maximum of "+strconv.Itoa(mostEndpoints)+" webhook endpoints.")
	}
	c.setup.Endpoints = append(slices.Clone(c.setup.Endpoints), e)
	d := e.document()
	d.Secret = e.Secret
	return outcome{setup: &c.setup, document: d}, nil
}

func (h Handler) listEndpoints(_ context.Context, c call) (outcome, error) {
	if err := only(c.Form, []string{"limit"}); err != nil {
		return outcome{}, err
	}
	all := listDocument{Object: "list", Data: []any{}, URL: "/v1/webhook_endpoints"}
	for _, e := range slices.Backward(c.setup.Endpoints) {
		all.Data = append(all.Data, e.document())
	}
	return outcome{document: all}, nil
}

func (h Handler) unregister(_ context.Context, c call) (outcome, error) {
	id := c.PathValue("id")
	if _, ok := c.setup.Endpoint(id); !ok {
		return outcome{}, noSuch("webhook endpoint", id, "id")
	}
	c.setup.Endpoints = slices.DeleteFunc(slices.Clone(c.setup.Endpoints), func(e Endpoint) bool { return e.ID == id })
	return outcome{setup: &c.setup, document: map[string]any{"id": id, "object": "webhook_endpoint", "deleted": true}},
		nil
}

// breakDown puts the sandbox out of order for a while, for tests of its clients.
func (h Handler) breakDown(_ context.Context, c call) (outcome, error) {
	if err := only(c.PostForm, []string{"seconds"}); err != nil {
		return outcome{}, err
	}
	n, err := strconv.ParseUint(c.PostForm.Get("seconds"), 10, 16)
	d := time.Duration(n) * time.Second
	if err != nil || d > longestOutage {
		return outcome{}, invalid("seconds", "parameter_invalid_integer", "Invalid seconds: from 0 to 3600")
	}
	c.setup.Outage = c.now.Add(d)
	return outcome{setup: &c.setup,
		document: map[string]any{"object": "sandbox.outage", "until": c.setup.Outage.Unix()}}, nil
}
