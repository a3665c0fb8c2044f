package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Example is a request to an operation and its answer, for the document.
type Example struct {
	Operation string // its name
	Name      string // of the example, unique in its operation
	Path      string // as it was sent, below the server
	Query     url.Values
	Header    http.Header // only parameters of the operation are shown
	Body      string      // empty: none
	Status    int
	Media     string // of the answer
	Answer    string // empty: none
}

// maxExamples is how many accepted requests of an operation are shown.
const maxExamples = 2

// illustrate adds the examples to the document. Every refusal is shown once, and of successes the first one; the
// request only if it was accepted. The first accepted request of an operation also shows its parameters.
func illustrate(doc *huma.OpenAPI, examples []Example) error {
	shown := map[string]bool{}
	for _, e := range examples {
		path, op := operation(doc, e.Operation)
		if op == nil {
			return fmt.Errorf("api: the example %s is of %s, which is not an operation", e.Name, e.Operation)
		}
		answer := op.Responses[strconv.Itoa(e.Status)]
		if answer == nil {
			return fmt.Errorf("api: the example %s has the status %d, which %s does not answer", e.Name, e.Status,
				e.Operation)
		}
		if content := answer.Content[e.Media]; content != nil && e.Answer != "" {
			value := body(e.Media, e.Answer)
			document, isObject := value.(map[string]any)
			switch {
			case isObject && e.Status >= http.StatusBadRequest:
				show(content, anyProblem(document), value)
			case len(content.Examples) == 0:
				show(content, e.Name, value)
			}
		}
		if e.Status >= http.StatusBadRequest {
			continue
		}
		for _, p := range op.Parameters {
			if p.Name == keyHeader {
				continue // clients that copy one key from here would get each other's answers
			}
			if value := e.parameter(path, p); value != "" && !shown[e.Operation] {
				p.Example = typed(p.Schema, value)
			}
		}
		shown[e.Operation] = true
		if op.RequestBody != nil && e.Body != "" {
			for media, content := range op.RequestBody.Content {
				if len(content.Examples) < maxExamples {
					show(content, e.Name, body(media, e.Body))
				}
			}
		}
	}
	return nil
}

// exemplify shows an example of each refusal that any request may get, whatever it contains, unless one is recorded.
// Without it, mock servers answer with made-up values, such as another status. Operations with a form of their own show
// what is recorded.
func (r Route) exemplify(op *huma.Operation) error {
	if r.Refusal != nil {
		return nil
	}
	for _, f := range r.faults(op) {
		status := statuses[f.Kind]
		content := op.Responses[strconv.Itoa(status)].Content[r.refusalMedia()]
		if status < 500 && status != http.StatusUnauthorized && status != http.StatusTooManyRequests ||
			len(content.Examples) > 0 {
			continue
		}
		text, err := json.Marshal(Problem{Code: f.Slug, Title: Title(f.Slug), Status: status, Detail: f.Detail})
		if err != nil {
			return err
		}
		document, _ := body(r.refusalMedia(), string(text)).(map[string]any)
		show(content, anyProblem(document), document)
	}
	return nil
}

// anyProblem makes the example of a problem equal for all its operations, and returns its name: the problem's code. The
// example no longer has the id of one request, and the address of one deployment.
func anyProblem(document map[string]any) string {
	code := fmt.Sprint(document["code"])
	document["type"] = "https://api.example.com/v1" + ProblemsPath + "#" + code
	document["request_id"] = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
	return code
}

func operation(doc *huma.OpenAPI, name string) (path string, found *huma.Operation) {
	for path, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch} {
			if op != nil && op.OperationID == name {
				return path, op
			}
		}
	}
	return "", nil
}

// parameter returns a parameter's value in the example's request, and an empty string if it is absent.
func (e Example) parameter(path string, p *huma.Param) string {
	switch p.In {
	case "query":
		return e.Query.Get(p.Name)
	case "header":
		return e.Header.Get(p.Name)
	}
	sent := strings.Split(e.Path, "/")
	if at := slices.Index(strings.Split(path, "/"), "{"+p.Name+"}"); at >= 0 && at < len(sent) {
		return sent[at]
	}
	return ""
}

func typed(s *huma.Schema, value string) any {
	var decoded any
	if s != nil && (s.Type == huma.TypeInteger || s.Type == huma.TypeBoolean) &&
		json.Unmarshal([]byte(value), &decoded) == nil {
		return decoded
	}
	return value
}

// show adds an example to content, unless it has one of this name.
func show(content *huma.MediaType, name string, value any) {
	if content.Examples[name] != nil {
		return
	}
	if content.Examples == nil {
		content.Examples = map[string]*huma.Example{}
	}
	content.Examples[name] = &huma.Example{Value: value}
}

// body returns the value of a body: a decoded JSON document, the fields of a form, or the text as it is.
func body(media, text string) any {
	if media == formMedia {
		fields := map[string]any{}
		form, err := url.ParseQuery(text)
		if err != nil {
			return text
		}
		for name := range form {
			fields[name] = form.Get(name)
		}
		return fields
	}
	var value any
	if decoder := json.NewDecoder(strings.NewReader(text)); strings.HasSuffix(media, "json") {
		decoder.UseNumber() // 12500000 must not become 1.25e+07
		if decoder.Decode(&value) == nil {
			return value
		}
	}
	return text
}
