package simulation

import (
	"encoding/json"
	"fmt"
	"time"

	"backroom/localstack/cloudsim"
	"backroom/localstack/cloudsim/dynamo"
)

// shard is the event source mapping of one shard of a table's stream. The function gets the records in their
// order, one batch after the other, and a batch that fails is delivered again before any later record
// (https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html).
type shard struct {
	sim       *Simulation
	function  *deployed
	stream    string // its ARN
	id        string
	seen      string   // the sequence number of the last record that was read; "": none
	waiting   []record // records that were read, passed the filters and are not handled yet
	batch     int
	retries   int           // -1: without limit
	age       time.Duration // older records are given up; 0: without limit
	bisect    bool
	partial   bool   // ReportBatchItemFailures
	onFailure string // the URL of the queue that gets a message about records that were given up; "": none
	filters   []pattern

	behind  bool // there may be unread records
	busy    bool // a batch is under way, or will be retried
	planned bool
	failed  int // how often the next batch has failed
	narrow  int // the size of the next batch after a division; 0: the usual size
}

// record is a stream's record, as filters and functions see it.
type record map[string]any

// readRecord decodes a record of a stream as Lambda does: the API of streams capitalizes the members of
// userIdentity, and Lambda does not.
func readRecord(raw json.RawMessage) (record, error) {
	var read record
	err := json.Unmarshal(raw, &read)
	if user, ok := read["userIdentity"].(map[string]any); ok { // the change was made by a service
		read["userIdentity"] = map[string]any{"type": user["Type"], "principalId": user["PrincipalId"]}
	}
	return read, err
}

// sequence returns the record's place in its shard.
func (r record) sequence() string {
	change, _ := r["dynamodb"].(map[string]any)
	number, _ := change["SequenceNumber"].(string)
	return number
}

// at returns when the change was made, to the second.
func (r record) at() time.Time {
	change, _ := r["dynamodb"].(map[string]any)
	seconds, _ := change["ApproximateCreationDateTime"].(float64)
	return time.Unix(int64(seconds), 0)
}

// wake runs after a write to the table.
func (r *shard) wake() {
	r.behind = true
	if !r.busy && !r.sim.settings.Full {
		r.plan()
	}
	if !r.busy && r.sim.settings.Full && len(r.read()) >= r.batch {
		r.plan()
	}
}

// plan schedules a read within 250 ms: Lambda polls a shard four times a second.
func (r *shard) plan() {
	if r.planned || r.busy {
		return
	}
	r.planned = true
	r.sim.planned++
	r.sim.after(r.sim.between(time.Millisecond, 250*time.Millisecond), func() {
		r.planned = false
		r.sim.planned--
		r.deliver()
	})
}

// read returns the waiting records, at most a batch. It reads more from the stream if there are too few, and
// drops records that the stream no longer keeps.
func (r *shard) read() []record {
	for len(r.waiting) > 0 && time.Since(r.waiting[0].at()) > dynamo.RecordMemory {
		r.waiting = r.waiting[1:]
	}
	wanted := r.batch
	if r.narrow > 0 {
		wanted = r.narrow
	}
	if len(r.waiting) < wanted {
		r.fetch(wanted)
	}
	return r.waiting[:min(wanted, len(r.waiting))]
}

// fetch reads the stream until the wanted number of records waits, or the stream has no more.
func (r *shard) fetch(wanted int) {
	in := map[string]any{"StreamArn": r.stream, "ShardId": r.id, "ShardIteratorType": "TRIM_HORIZON"}
	if r.seen != "" {
		in["ShardIteratorType"], in["SequenceNumber"] = "AFTER_SEQUENCE_NUMBER", r.seen
	}
	var at struct{ ShardIterator string }
	r.ask("GetShardIterator", in, &at)
	for at.ShardIterator != "" && len(r.waiting) < wanted {
		var got struct {
			Records           []json.RawMessage
			NextShardIterator string
		}
		r.ask("GetRecords", map[string]any{"ShardIterator": at.ShardIterator, "Limit": wanted}, &got)
		if len(got.Records) == 0 {
			return
		}
		at.ShardIterator = got.NextShardIterator
		for _, raw := range got.Records {
			read, err := readRecord(raw)
			if err != nil {
				r.sim.t.Errorf("a record of %s: %v", r.stream, err)
				return
			}
			r.seen = read.sequence()
			read["eventSourceARN"] = r.stream // the API of streams omits it
			if passes(r.filters, read) {
				r.waiting = append(r.waiting, read)
			}
		}
	}
}

// done removes the first waiting records. The next batch starts without failures.
func (r *shard) done(records int) { r.waiting, r.failed, r.narrow = r.waiting[records:], 0, 0 }

func (r *shard) ask(operation string, in map[string]any, out any) {
	a := r.sim.Cloud.Answer(
		cloudsim.Request{Service: cloudsim.DynamoDBStreams, Operation: operation, Body: document(in).Body})
	if err := json.Unmarshal(a.Body, out); err != nil || a.Status != 200 {
		r.sim.t.Errorf("%s of %s: %d %s (%v)", operation, r.stream, a.Status, a.Body, err)
	}
}

// deliver reads a batch and invokes the function with it.
func (r *shard) deliver() {
	batch := r.read()
	if len(batch) == 0 {
		r.behind = false
		return
	}
	if r.age > 0 && time.Since(batch[0].at()) > r.age {
		r.giveUp(batch[:1])
		r.next()
		return
	}
	payload, err := json.Marshal(map[string]any{"Records": batch})
	if err != nil {
		r.sim.t.Error(err)
		return
	}
	r.busy = true
	r.function.invoke(payload, 0, func(answer []byte, err error) { r.ended(batch, answer, err) })
}

// ended decides whether a batch is done, retried, divided or given up.
func (r *shard) ended(batch []record, answer []byte, err error) {
	failed := 0 // the index of the first record that failed; len(batch): none failed
	if err == nil {
		failed = r.firstFailed(batch, answer)
	}
	if failed > 0 && r.sim.faults.Batch(r.function.name, r.sim.dice) == Undeleted {
		r.sim.strike(Undeleted)
		r.sim.trace.note(r.sim.Now(), "undeleted", r.function.name)
		r.busy = false // they are delivered again
		r.next()
		return
	}
	if failed > 0 {
		r.done(failed)
	}
	if failed == len(batch) {
		r.busy = false
		r.next()
		return
	}
	r.failed++
	switch rest := batch[failed:]; {
	case failed > 0: // the reported records start without failures
	case r.bisect && len(rest) > 1:
		r.narrow = (len(rest) + 1) / 2 // a division does not count as a retry
		r.failed--
	case r.retries >= 0 && r.failed > r.retries:
		r.giveUp(rest)
	}
	r.sim.after(min(time.Second<<min(r.failed, 6), time.Minute), func() {
		r.busy = false
		r.next()
	})
}

func (r *shard) next() {
	r.behind = true
	if !r.sim.settings.Full || len(r.read()) >= r.batch {
		r.plan()
	}
}

// firstFailed returns the index of the first record that the function reports as failed, or len(batch). It
// returns 0 for an answer that Lambda does not understand, or that names a record that was not in the batch.
func (r *shard) firstFailed(batch []record, answer []byte) int {
	if !r.partial || len(answer) == 0 {
		return len(batch)
	}
	var said struct {
		BatchItemFailures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if json.Unmarshal(answer, &said) != nil {
		return 0
	}
	first := len(batch)
	for _, f := range said.BatchItemFailures {
		at := -1
		for i, b := range batch {
			if b.sequence() == f.ItemIdentifier {
				at = i
			}
		}
		if at < 0 {
			return 0
		}
		first = min(first, at)
	}
	return first
}

// giveUp skips records and sends their position to the queue for failures. The records themselves are only in
// the stream, for as long as that keeps them.
func (r *shard) giveUp(lost []record) {
	first, last := lost[0].sequence(), lost[len(lost)-1].sequence()
	r.done(len(lost))
	r.sim.trace.note(r.sim.Now(), "given-up", r.function.name, first, last)
	if r.onFailure == "" {
		return
	}
	about := map[string]any{
		"version": "1.0", "timestamp": r.sim.Now().Format(time.RFC3339Nano),
		"requestContext": map[string]any{"functionArn": "arn:aws:lambda:" + cloudsim.Region + ":" + cloudsim.Account +
			":function:" + stack + "-" + r.function.name, "condition": "RetryAttemptsExhausted"},
		"DDBStreamBatchInfo": map[string]any{
			"shardId": r.id, "startSequenceNumber": first, "endSequenceNumber": last, "batchSize": len(lost),
			"streamArn": r.stream,
		},
	}
	request := cloudsim.Request{Service: cloudsim.SQS, Operation: "SendMessage",
		Body: document(map[string]any{"QueueUrl": r.onFailure, "MessageBody": string(document(about).Body)}).Body}
	if a := r.sim.Cloud.Answer(request); a.Status != 200 {
		r.sim.t.Error(fmt.Errorf("on failure: %s", a.Body))
	}
}
