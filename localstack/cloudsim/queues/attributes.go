package queues

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Attributes are the attributes of a queue: durations in seconds, sizes in bytes.
type Attributes struct {
	Visibility, Delay, Retention, Wait, Size int
	Encrypted                                bool
	Redrive                                  redrive
}

// redrive is a redrive policy. Without a target, no message moves to a dead-letter queue.
type redrive struct {
	Target string `json:"deadLetterTargetArn"`
	Limit  int    `json:"maxReceiveCount"`
}

// defaults are the attributes of a queue that is created without any.
var defaults = Attributes{Visibility: 30, Retention: 4 * 24 * 3600, Size: 1 << 20, Encrypted: true}

// numeric are the attributes that are numbers, with their limits.
var numeric = map[string]struct {
	least, most int
	of          func(*Attributes) *int
}{
	"VisibilityTimeout":             {0, 12 * 3600, func(a *Attributes) *int { return &a.Visibility }},
	"DelaySeconds":                  {0, 900, func(a *Attributes) *int { return &a.Delay }},
	"MessageRetentionPeriod":        {60, 14 * 24 * 3600, func(a *Attributes) *int { return &a.Retention }},
	"ReceiveMessageWaitTimeSeconds": {0, 20, func(a *Attributes) *int { return &a.Wait }},
	"MaximumMessageSize":            {1024, 1 << 20, func(a *Attributes) *int { return &a.Size }},
}

// with returns the attributes changed by those of a request.
func (s *Service) with(a Attributes, asked map[string]string) (Attributes, error) {
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		value := asked[name]
		if n, ok := numeric[name]; ok {
			number, err := strconv.Atoi(value)
			if err != nil || number < n.least || number > n.most {
				return a, refuse("InvalidAttributeValue", "Invalid value for the parameter "+name+".")
			}
			*n.of(&a) = number
			continue
		}
		var err error
		switch name {
		case "SqsManagedSseEnabled":
			if a.Encrypted, err = strconv.ParseBool(value); err != nil {
				err = refuse("InvalidAttributeValue", "Invalid value for the parameter "+name+".")
			}
		case "RedrivePolicy":
			a.Redrive, err = s.policy(value)
		case "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit":
			err = errFIFO
		case "Policy", "RedriveAllowPolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds":
			err = refuse("UnsupportedOperation", "cloudsim does not know the attribute "+name+".")
		default:
			err = refuse("InvalidAttributeName", "Unknown Attribute "+name+".")
		}
		if err != nil {
			return a, err
		}
	}
	return a, nil
}

var errFIFO = refuse("UnsupportedOperation", "cloudsim has standard queues only, no FIFO queues.")

// policy reads a redrive policy. Its target must exist. An empty text is the policy without a
// target.
func (s *Service) policy(text string) (redrive, error) {
	if text == "" {
		return redrive{}, nil
	}
	wrong := func(reason string) (redrive, error) {
		return redrive{}, invalid("Value %s for parameter RedrivePolicy is invalid. Reason: %s", text, reason)
	}
	var asked struct {
		Target string `json:"deadLetterTargetArn"`
		Limit  any    `json:"maxReceiveCount"` // a number, or a string with a number
	}
	if json.Unmarshal([]byte(text), &asked) != nil {
		return wrong("Redrive policy is not a valid JSON map.")
	}
	if asked.Target == "" || asked.Limit == nil {
		return wrong("Redrive policy does not contain mandatory attribute: deadLetterTargetArn and maxReceiveCount.")
	}
	limit, err := strconv.Atoi(fmt.Sprint(asked.Limit))
	if err != nil || limit < 1 || limit > 1000 {
		return wrong(
			fmt.Sprintf("Invalid value for maxReceiveCount: %v, valid values are from 1 to 1000 both inclusive.",
				asked.Limit))
	}
	if _, ok := s.named(asked.Target); !ok {
		return wrong("Dead letter target does not exist.")
	}
	return redrive{asked.Target, limit}, nil
}

// described are the names that GetQueueAttributes accepts although its answer may lack them.
var described = regexp.MustCompile(
	`^(All|RedrivePolicy|Policy|RedriveAllowPolicy|KmsMasterKeyId|KmsDataKeyReusePeriodSeconds|FifoQueue|ContentBasedDeduplication|DeduplicationScope|FifoThroughputLimit)$`)

// describe returns all attributes of a queue, as GetQueueAttributes formats them.
func (q *queue) describe(now time.Time) map[string]string {
	visible, inFlight, delayed := q.count(now)
	all := map[string]string{
		"QueueArn": q.ARN, "SqsManagedSseEnabled": strconv.FormatBool(q.Encrypted),
		"CreatedTimestamp":                      strconv.FormatInt(q.Created.Unix(), 10),
		"LastModifiedTimestamp":                 strconv.FormatInt(q.Changed.Unix(), 10),
		"ApproximateNumberOfMessages":           strconv.Itoa(visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(inFlight),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(delayed),
	}
	for name, n := range numeric {
		all[name] = strconv.Itoa(*n.of(&q.Attributes))
	}
	if q.Redrive.Target != "" {
		policy, err := json.Marshal(q.Redrive)
		if err != nil {
			panic(err) // a string and a number
		}
		all["RedrivePolicy"] = string(policy)
	}
	return all
}

type aboutAttributes struct {
	QueueURL       string `json:"QueueUrl"`
	AttributeNames []string
}

func (s *Service) getQueueAttributes(in aboutAttributes) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	all, chosen := q.describe(s.settings.Now()), map[string]string{}
	for _, name := range in.AttributeNames {
		value, ok := all[name]
		switch {
		case name == "All":
			maps.Copy(chosen, all)
		case ok:
			chosen[name] = value
		case !described.MatchString(name):
			return nil, load{}, refuse("InvalidAttributeName", "Unknown Attribute "+name+".")
		}
	}
	return struct {
		Attributes map[string]string `json:",omitempty"`
	}{chosen}, load{queue: q.Name}, nil
}

type newAttributes struct {
	QueueURL   string `json:"QueueUrl"`
	Attributes map[string]string
}

func (s *Service) setQueueAttributes(in newAttributes) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	changed, err := s.with(q.Attributes, in.Attributes)
	if err != nil {
		return nil, load{}, err
	}
	q.Attributes, q.Changed = changed, s.settings.Now()
	return struct{}{}, load{queue: q.Name}, nil
}
