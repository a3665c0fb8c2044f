package simulation

import (
	"encoding/json"
	"fmt"
	"time"

	"backroom/localstack/cloudsim"
	"backroom/localstack/cloudsim/dynamo"
)

// shard is the event source mapping of one shard of a table's stream: its records reach the function in their order, batch after
// batch, and a batch that fails comes again before anything else does
// (https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html).
type shard struct {
	sim       *Simulation
	function  *deployed
	stream    string // its ARN
	id        string
	seen      string   // the sequence number of the last record that was read; empty: none
	waiting   []record // what was read, passed the filters and is not done with
	batch     int
	retries   int           // -1: as often as it takes
	age       time.Duration // an older record is given up; 0: none is
	bisect    bool
	partial   bool   // ReportBatchItemFailures
	onFailure string // URL of the queue that hears of what was given up; empty: nobody does
	filters   []pattern

	behind  bool // there may be records that were not read
	busy    bool // a batch is under way, or comes again soon
	planned bool
	failed  int // how often the batch that comes next failed
	narrow  int // how many records it may have, after it was divided; 0: as many as usual
}

// record is a stream's record, as filters and functions see it.
type record map[string]any

// readRecord reads a record of a stream as Lambda does: the streams' API has the members of userIdentity in capitals.
func readRecord(raw json.RawMessage) (record, error) {
	var read record
	err := json.Unmarshal(raw, &read)
	if who, ok := read["userIdentity"].(map[string]any); ok { // somebody other than a caller
		read["userIdentity"] = map[string]any{"type": who["Type"], "principalId": who["PrincipalId"]}
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

// hear is told that something was written.
func (r *shard) hear() {
	r.behind = true
	if !r.busy && !r.sim.settings.Full {
		r.plan()
	}
	if !r.busy && r.sim.settings.Full && len(r.read()) >= r.batch {
		r.plan()
	}
}

// plan has it read shortly: Lambda looks into a shard four times a second.
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

// read returns the records that wait, as many as a batch takes. It looks for more in the stream if those are too few, and forgets
// what the stream has forgotten.
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

// fetch reads on in the stream until as many records wait as are wanted, or there are no more.
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
			read["eventSourceARN"] = r.stream // which the streams' API leaves out
			if passes(r.filters, read) {
				r.waiting = append(r.waiting, read)
			}
		}
	}
}

// done moves past the first records that wait: the next batch begins anew.
func (r *shard) done(records int) { r.waiting, r.failed, r.narrow = r.waiting[records:], 0, 0 }

func (r *shard) ask(operation string, in map[string]any, out any) {
	a := r.sim.Cloud.Answer(cloudsim.Request{Service: cloudsim.DynamoDBStreams, Operation: operation, Body: document(in).Body})
	if err := json.Unmarshal(a.Body, out); err != nil || a.Status != 200 {
		r.sim.t.Errorf("%s of %s: %d %s (%v)", operation, r.stream, a.Status, a.Body, err)
	}
}

// deliver reads a batch and has the function work on it.
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

// ended decides what becomes of a batch.
func (r *shard) ended(batch []record, answer []byte, err error) {
	failed := 0 // index of the first that failed; as many as there are: none
	if err == nil {
		failed = r.firstFailed(batch, answer)
	}
	if failed > 0 && r.sim.faults.Batch(r.function.name, r.sim.dice) == Undeleted {
		r.sim.strike(Undeleted)
		r.sim.trace.note(r.sim.Now(), "undeleted", r.function.name)
		r.busy = false // nobody remembers that they are done with
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
	case failed > 0: // what was reported begins anew
	case r.bisect && len(rest) > 1:
		r.narrow = (len(rest) + 1) / 2 // dividing a batch is no retry
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

// firstFailed returns the index of the first record that the function reports as failed. An answer that names a record which was not
// in the batch means that all failed.
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

// giveUp moves past records and says where they were: who wants to know them must look there before the stream forgets them.
func (r *shard) giveUp(lost []record) {
	first, last := lost[0].sequence(), lost[len(lost)-1].sequence()
	r.done(len(lost))
	r.sim.trace.note(r.sim.Now(), "given-up", r.function.name, first, last)
	if r.onFailure == "" {
		return
	}
	about := map[string]any{
		"version": "1.0", "timestamp": r.sim.Now().Format(time.RFC3339Nano),
		"requestContext": map[string]any{"functionArn": "arn:aws:lambda:" + cloudsim.Region + ":" + cloudsim.Account + ":function:" + stack + "-" + r.function.name, "condition": "RetryAttemptsExhausted"},
		"DDBStreamBatchInfo": map[string]any{
			"shardId": r.id, "startSequenceNumber": first, "endSequenceNumber": last, "batchSize": len(lost), "streamArn": r.stream,
		},
	}
	request := cloudsim.Request{Service: cloudsim.SQS, Operation: "SendMessage", Body: document(map[string]any{"QueueUrl": r.onFailure, "MessageBody": string(document(about).Body)}).Body}
	if a := r.sim.Cloud.Answer(request); a.Status != 200 {
		r.sim.t.Error(fmt.Errorf("on failure: %s", a.Body))
	}
}
