package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"backroom/localstack/cloudtest"
	"backroom/shared/ops/local"
	"backroom/shared/ops/terminal"
	"backroom/shared/order"
	"backroom/shared/order/orderdb"
	"backroom/shared/order/ordertest"
	"backroom/shared/saga"
)

// A deployed is a stack on the test's own cloud, with a CloudFormation that describes it.
type deployed struct {
	*cloudtest.Cloud
	name, endpoint string

	mu        sync.Mutex
	gone      bool // the stack was deleted
	resources []member
	outputs   map[string]string
	asked     []string // the actions of CloudFormation, and the operations of the other services
}

// deploy returns a stack of a stage. A command reaches it at its endpoint.
func deploy(t *testing.T, stage string) *deployed {
	t.Helper()
	d := &deployed{Cloud: cloudtest.New(t), outputs: map[string]string{"Stage": stage}}
	d.name = strings.TrimSuffix(path.Base(d.Environment("relay-facts")["QUEUES"]), "-")
	d.Queue("AdvanceOrderDeadLetters")
	for _, id := range []string{"Orders", "Reservations", "Charges", "Notices", "Mailbox"} {
		d.resources = append(d.resources, member{
			LogicalResourceId: id, PhysicalResourceId: d.Table(id), ResourceType: "AWS::DynamoDB::Table",
			ResourceStatus: "CREATE_COMPLETE", LastUpdatedTimestamp: long,
		})
	}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	d.endpoint = server.URL
	return d
}

// long is when everything was created.
const long = "2026-03-01T12:00:00Z"

// A member is an element of a list in an answer of CloudFormation.
type member struct {
	StackName, StackId, CreationTime, StackStatus string   `xml:",omitempty"`
	LogicalResourceId, PhysicalResourceId         string   `xml:",omitempty"`
	ResourceType, ResourceStatus                  string   `xml:",omitempty"`
	LastUpdatedTimestamp                          string   `xml:",omitempty"`
	OutputKey, OutputValue                        string   `xml:",omitempty"`
	Outputs                                       []member `xml:"Outputs>member,omitempty"`
}

// ServeHTTP answers as CloudFormation does, and hands all else to the cloud.
func (d *deployed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		d.hand(w, r, target, body)
		return
	}
	form, _ := url.ParseQuery(string(body))
	action, named := form.Get("Action"), form.Get("StackName")
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, action)
	if named != d.name || d.gone && action == "DescribeStacks" {
		w.WriteHeader(http.StatusBadRequest)
		const refusal = "<ErrorResponse><Error><Code>ValidationError</Code><Message>%s</Message></Error></ErrorResponse>"
		fmt.Fprintf(w, refusal, "Stack with id "+named+" does not exist")
		return
	}
	var found []member
	list := map[string]string{"DescribeStacks": "Stacks", "ListStackResources": "StackResourceSummaries"}[action]
	switch action {
	case "DescribeStacks":
		stack := member{StackName: d.name, StackId: "arn:" + d.name, CreationTime: long, StackStatus: "CREATE_COMPLETE"}
		for key, value := range d.outputs {
			stack.Outputs = append(stack.Outputs, member{OutputKey: key, OutputValue: value})
		}
		found = append(found, stack)
	case "ListStackResources":
		found = d.resources
	case "DeleteStack":
		d.gone = true
	}
	var members bytes.Buffer
	if list != "" {
		_ = xml.NewEncoder(&members).EncodeElement(struct {
			Members []member `xml:"member"`
		}{found}, xml.StartElement{Name: xml.Name{Local: list}})
	}
	fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, members.String())
}

// hand forwards a request to the test's cloud.
func (d *deployed) hand(w http.ResponseWriter, r *http.Request, operation string, body []byte) {
	d.mu.Lock()
	d.asked = append(d.asked, operation)
	d.mu.Unlock()
	cfg := d.Runtime().AWS
	inside := aws.ToString(cfg.BaseEndpoint) + r.URL.Path
	again, err := http.NewRequestWithContext(r.Context(), r.Method, inside, bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	again.Header = r.Header.Clone()
	answer, err := cfg.HTTPClient.Do(again)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer answer.Body.Close()
	maps.Copy(w.Header(), answer.Header)
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

// order stores an order that is settled.
func (d *deployed) order(t *testing.T) order.Order {
	t.Helper()
	o := ordertest.New("main")
	o.Outcome, o.Awaits, o.Due = order.Confirmed, nil, time.Time{}
	store := orderdb.Store{Table: d.Runtime().Table(d.Table("Orders"))}
	o, err := store.Create(t.Context(), o, saga.Cause{ID: "request", Actor: o.Owner}, saga.OrderPlaced)
	require.NoError(t, err)
	return o
}

// bury puts a message into the dead-letter queue of advance-order.
func (d *deployed) bury(t *testing.T, body string) {
	t.Helper()
	_, err := sqs.NewFromConfig(d.Runtime().AWS).SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: aws.String(d.Queue("AdvanceOrderDeadLetters")), MessageBody: &body,
	})
	require.NoError(t, err)
}

// at returns args with the flags that name the stack.
func (d *deployed) at(args ...string) []string {
	return append(args, "--stack", d.name, "--endpoint", d.endpoint)
}

// session is how a command was used.
type session struct {
	typed  string // on a terminal; empty: without a terminal
	folder string
}

// ran is the result of a command.
type ran struct {
	code       int
	out, notes string
}

// run runs a command.
func (s session) run(t *testing.T, args ...string) ran {
	t.Helper()
	var out, notes bytes.Buffer
	if s.folder == "" {
		s.folder = t.TempDir()
	}
	c := &console{
		Reporter: terminal.New(&out), notes: &notes, in: strings.NewReader(s.typed), interactive: s.typed != "",
		folder: s.folder, now: func() time.Time { return cloudtest.Epoch.Add(time.Hour) },
	}
	code := c.run(t.Context(), args)
	return ran{code, out.String(), notes.String()}
}

// verbs are all verbs with valid arguments, without a stack.
var verbs = map[string][]string{
	"order show": {"order", "show", "ord_1"},
	"redrive":    {"redrive", "advance-order"},
	"replay":     {"replay", "--since", "1h"},
	"erase":      {"erase", "anna"},
	"mail list":  {"mail", "list"},
	"smoke":      {"smoke"},
	"delete":     {"delete"},
}

// destructive are the verbs that change a stack's data.
var destructive = []string{"redrive", "replay", "erase", "delete"}

func TestHelp_OfEveryVerb(t *testing.T) {
	t.Parallel()
	whole := session{}.run(t, "--help")
	assert.Zero(t, whole.code)
	for name := range verbs {
		assert.Contains(t, whole.out, strings.Fields(name)[0])
		help := session{}.run(t, append(strings.Fields(name), "--help")...)
		assert.Zero(t, help.code, name)
		assert.Empty(t, help.notes, name)
		parts := []string{"Usage:\n  backroom " + name, "Examples:\n  backroom " + name, "--stack name",
			"--endpoint URL"}
		for _, part := range parts {
			assert.Contains(t, help.out, part, name)
		}
	}
	assert.Equal(t, whole, session{}.run(t), "no verb at all")
	assert.Contains(t, session{}.run(t, "order").out, "show")
}

func TestMisuse_EndsWith2AndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct {
		args, says, next string
	}{
		"an unknown verb": {
			"relay-again",
			`unknown command "relay-again"`, "backroom --help",
		},
		"an unknown verb of a group": {
			"order undo",
			`unknown command "undo" for "backroom order"`, "backroom order --help",
		},
		"an unknown flag": {
			"order show ord_1 --colour",
			"unknown flag: --colour", "backroom order show --help",
		},
		"no id": {
			"order show",
			"exactly one argument is required: ID", "backroom order show --help",
		},
		"an empty id": {
			"order show ''",
			"exactly one argument is required: ID", "backroom order show --help",
		},
		"two steps": {
			"redrive a b",
			"exactly one argument is required: STEP", "backroom redrive --help",
		},
		"an unknown step": {
			"redrive place-order --stack s",
			`unknown step "place-order"`, "relay-facts",
		},
		"a limit that is not a number": {
			"redrive advance-order --limit all",
			"--limit", "backroom redrive --help",
		},
		"a limit below 0": {
			"redrive advance-order --limit -1",
			"--limit must be at least 0, not -1", "backroom redrive --help",
		},
		"no rate": {
			"replay --since 1h --rate 0",
			"--rate must be at least 1, not 0", "backroom replay --help",
		},
		"no time": {
			"replay",
			"--since is missing", "--since 26h",
		},
		"a time to come": {
			"replay --since -5h",
			"not a time that has passed", "--since 26h",
		},
		"no mails": {
			"mail list --last 0",
			"--last must be at least 1, not 0", "backroom mail list --help",
		},
		"an endpoint without a stack": {
			"smoke --endpoint http://127.0.0.1:1",
			"--endpoint requires --stack", "backroom smoke --help",
		},
	} {
		args := strings.Fields(c.args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "''", "")
		}
		got := session{}.run(t, args...)
		assert.Equal(t, exitMisuse, got.code, sentence)
		assert.Contains(t, got.notes, c.says, sentence)
		_, next, _ := strings.Cut(got.notes, "next: ")
		assert.Contains(t, next, c.next, sentence)
		assert.Empty(t, got.out, sentence)
	}
}

func TestStack_IsReadFromFlagsOnly(t *testing.T) {
	d := deploy(t, "dev")
	o := d.order(t)
	d.bury(t, "unreadable")
	for name, value := range map[string]string{
		"STACK": d.name, "DRY": "0", "LIMIT": "1", "SHOP": "other", "CARD": "pm_1", "RATE": "1", "CONFIRM": d.name,
		"AWS_ENDPOINT_URL": d.endpoint,
	} {
		t.Setenv(name, value)
	}
	before := d.State()
	for name, args := range verbs {
		got := session{typed: "y\n"}.run(t, args...)
		assert.Equal(t, exitMisuse, got.code, name)
		assert.Contains(t, got.notes, "--stack is missing", name)
	}
	assert.Equal(t, before, d.State())
	assert.Empty(t, d.asked)

	got := session{}.run(t, "order", "show", o.ID, "--stack", d.name)
	assert.Zero(t, got.code, "the endpoint comes from AWS_ENDPOINT_URL, the shop not from SHOP: %s", got.notes)
}

func TestRunningStack_IsUsedByVerbsThatChangeNothing(t *testing.T) {
	t.Parallel()
	d := deploy(t, "dev")
	o := d.order(t)
	d.bury(t, "unreadable")
	repo := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(repo, ".backroom"), 0o755))
	claim, err := local.Take(repo)
	require.NoError(t, err)
	t.Cleanup(func() { _ = claim.Release() })
	require.NoError(t, claim.Announce(local.Run{Pid: os.Getpid(), Endpoint: d.endpoint, Stack: d.name}))
	here := session{typed: "y\n", folder: repo}

	for _, args := range [][]string{
		{"order", "show", o.ID}, {"mail", "list"}, {"redrive", "advance-order", "--dry-run"},
		{"replay", "--since", "1h", "--dry-run"}, {"erase", o.Owner, "--dry-run"}, {"delete", "--dry-run"},
	} {
		got := here.run(t, args...)
		assert.Zero(t, got.code, "%s: %s", args, got.notes)
		assert.Contains(t, got.notes, "stack "+d.name+" at "+d.endpoint, "%s", args)
	}
	before := d.State()
	for _, name := range destructive {
		got := here.run(t, verbs[name]...)
		assert.Equal(t, exitMisuse, got.code, name)
		assert.Contains(t, got.notes, "next: --stack "+d.name+" --endpoint "+d.endpoint, name)
	}
	assert.Equal(t, before, d.State())
}

func TestDestructiveVerbs_AskFirst(t *testing.T) {
	t.Parallel()
	d := deploy(t, "staging")
	d.order(t)
	d.bury(t, "unreadable")
	before := d.State()
	for _, name := range destructive {
		unconfirmed := session{}.run(t, d.at(verbs[name]...)...)
		assert.Equal(t, exitMisuse, unconfirmed.code, name)
		assert.Contains(t, unconfirmed.notes, "there is no terminal to ask on; nothing was changed", name)
		flag := map[bool]string{true: "--confirm " + d.name, false: "--yes"}[name == "delete"]
		assert.Contains(t, unconfirmed.notes, "next: run it again with "+flag, name)
		for _, typed := range []string{"n\n", "\n", "no, wait\n", "Y" + d.name + "\n"} {
			refused := session{typed: typed}.run(t, d.at(verbs[name]...)...)
			assert.Equal(t, exitFailed, refused.code, "%s: %q", name, typed)
			assert.Contains(t, refused.out+refused.notes, "the stack "+d.name+" (stage staging, "+d.endpoint+")", name)
		}
	}
	assert.Equal(t, before, d.State())
	assert.Equal(t, []string{"unreadable"}, d.Drain("AdvanceOrderDeadLetters"))
	assert.NotContains(t, d.asked, "DeleteStack")
}

func TestDryRun_ChangesNothing(t *testing.T) {
	t.Parallel()
	d := deploy(t, "dev")
	o := d.order(t)
	d.bury(t, "unreadable")
	before := d.State()
	for says, args := range map[string][]string{
		"1 messages listed of about 1 ":                {"redrive", "advance-order"},
		"OrderPlaced would be sent again":              {"replay", "--since", "2h"},
		"1 orders of " + o.Owner + " in the shop main": {"erase", o.Owner},
		"nothing was deleted":                          {"delete"},
	} {
		got := session{}.run(t, d.at(append(args, "--dry-run")...)...)
		assert.Zero(t, got.code, "%s: %s", args, got.notes)
		assert.Contains(t, got.out, says)
	}
	assert.Equal(t, before, d.State())
	assert.Empty(t, d.Drain("ReserveStockQueue"))
	assert.Equal(t, []string{"unreadable"}, d.Drain("AdvanceOrderDeadLetters"))
	assert.NotContains(t, d.asked, "DeleteStack")
}

func TestVerbs_DoWhatIsConfirmed(t *testing.T) {
	t.Parallel()
	d := deploy(t, "dev")
	o := d.order(t)
	d.bury(t, "unreadable")

	got := session{}.run(t, d.at("order", "show", o.ID)...)
	assert.Zero(t, got.code)
	assert.Contains(t, got.out, "Order "+o.ID+" of "+o.Owner)

	got = session{typed: "y\n"}.run(t, d.at("redrive", "advance-order")...)
	assert.Zero(t, got.code, got.notes)
	assert.Contains(t, got.out, "1 sent")
	assert.Equal(t, []string{"unreadable"}, d.Drain("AdvanceOrderQueue"))

	got = session{}.run(t, d.at("replay", "--since", "2h", "--yes")...)
	assert.Zero(t, got.code, got.notes)
	assert.Len(t, d.Drain("ReserveStockQueue"), 1)

	got = session{typed: "yes\n"}.run(t, d.at("erase", o.Owner)...)
	assert.Zero(t, got.code, got.notes)
	assert.NotContains(t, strings.Join(d.Rows("Orders"), " "), o.Owner)
}

func TestNothingToDo_IsNotASilentSuccess(t *testing.T) {
	t.Parallel()
	d := deploy(t, "dev")
	d.order(t)
	for says, args := range map[string][]string{
		`"anan" has no order in the shop main`:              {"erase", "anan"},
		"no fact was recorded since":                        {"replay", "--since", "1s"},
		"about 1 more messages of advance-order are hidden": {"redrive", "advance-order"},
		`the shop main has no order "ord_1"`:                {"order", "show", "ord_1"},
		"there is no stack no-such":                         {"delete", "no-such"},
		"the shop other has no order":                       {"order", "show", "ord_1", "--shop", "other"},
		`"main-customer" has no order in the shop other`:    {"erase", "main-customer", "--shop", "other"},
	} {
		if args[0] == "redrive" {
			d.bury(t, "held by another reader")
			require.NotEmpty(t, d.receive(t))
		}
		for _, dry := range []bool{true, false} {
			var flags []string
			switch {
			case args[0] == "order" || args[0] == "delete":
			case dry:
				flags = []string{"--dry-run"}
			default:
				flags = []string{"--yes"}
			}
			at := d.at(append(args, flags...)...)
			if args[0] == "delete" {
				at = []string{"delete", "--dry-run", "--stack", args[1], "--endpoint", d.endpoint}
			}
			got := session{}.run(t, at...)
			assert.Equal(t, exitFailed, got.code, "%s: %s", at, got.out)
			assert.Contains(t, got.notes, says)
		}
	}
}

// receive receives a message from the dead-letter queue of advance-order, and hides it from other readers.
func (d *deployed) receive(t *testing.T) []types.Message {
	t.Helper()
	got, err := sqs.NewFromConfig(d.Runtime().AWS).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: aws.String(d.Queue("AdvanceOrderDeadLetters")), VisibilityTimeout: 600,
	})
	require.NoError(t, err)
	return got.Messages
}

// hostile is text of a customer that a terminal would act on.
const hostile = "a\x1b[2J\x00\x7f\u009b31m\u202e\u200b\u2028\r\nnext: rm -rf /"

func TestOutput_EscapesTextOfCustomers(t *testing.T) {
	t.Parallel()
	d := deploy(t, "dev")
	o := ordertest.New("main")
	o.Outcome, o.Reason, o.Awaits, o.Due = order.Canceled, hostile, nil, time.Time{}
	o.Attention = hostile
	store := orderdb.Store{Table: d.Runtime().Table(d.Table("Orders"))}
	o, err := store.Create(t.Context(), o, saga.Cause{ID: hostile, Actor: hostile}, saga.OrderPlaced)
	require.NoError(t, err)
	d.bury(t, "\u009b\u202e\u200b\r\nnext: rm")
	d.bury(t, `{"type":"`+"\u202e\u009b"+`","subject":"`+"\u200b\u202e"+`"}`)
	for name, args := range verbs {
		args = slices.Clone(args)
		switch name {
		case "order show":
			args[2] = o.ID
		case "redrive", "replay", "delete":
			args = append(args, "--dry-run")
		case "erase":
			args = []string{"erase", hostile, "--dry-run"}
		}
		for _, at := range [][]string{d.at(args...), d.at(append(args, "--shop", hostile)...)} {
			got := session{}.run(t, at...)
			for _, printed := range []string{got.out, got.notes} {
				for line := range strings.SplitSeq(printed, "\n") {
					assert.Equal(t, terminal.Sprintf("%s", terminal.Lines(line)), line, "%s", name)
					assert.NotContains(t, line, "\nnext: rm", name)
					assert.False(t, strings.HasPrefix(line, "next: rm"), "%s: a line is forged", name)
				}
			}
		}
	}
	shown := session{}.run(t, d.at("order", "show", o.ID)...)
	assert.Contains(t, shown.out, `a\x1b[2J\x00\x7f\u009b31m\u202e\u200b\u2028\r\nnext: rm`, shown.notes)
	listed := session{}.run(t, d.at("redrive", "advance-order", "--dry-run")...)
	assert.Contains(t, listed.out, "unreadable", "a message that cannot be read is named by its id")
}

func TestFailure_EndsWith1AndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	d := deploy(t, "dev")
	got := session{}.run(t, d.at("order", "show", "ord_1")...)
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.notes, `the shop main has no order "ord_1"`)
	assert.Contains(t, got.notes, "next: GET /orders lists orders; for another shop: --shop NAME")

	got = session{}.run(t, "mail", "list", "--stack", "no-such", "--endpoint", d.endpoint)
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.notes, "stack no-such")
}

func TestInterrupt_WhileAskingEndsWith130(t *testing.T) {
	t.Parallel()
	d := deploy(t, "dev")
	d.bury(t, "unreadable")
	ctx, interrupt := context.WithCancel(t.Context())
	silent, writer := io.Pipe()
	defer writer.Close()
	asked := make(chan struct{})
	var notes bytes.Buffer
	c := &console{
		Reporter: terminal.New(io.Discard), notes: &notes, in: reading{silent, asked}, interactive: true,
		folder: t.TempDir(), now: time.Now,
	}
	go func() { <-asked; interrupt() }()
	assert.Equal(t, exitInterrupted, c.run(ctx, d.at("redrive", "advance-order")))
	assert.Contains(t, notes.String(), "stopped")
	assert.Equal(t, []string{"unreadable"}, d.Drain("AdvanceOrderDeadLetters"))
}

// reading signals the first read.
type reading struct {
	io.Reader
	begun chan struct{}
}

func (r reading) Read(p []byte) (int, error) {
	close(r.begun)
	return r.Reader.Read(p)
}
