package queues

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// pause is how long the name of a deleted queue stays taken, and the shortest time between two
// purges of a queue.
const pause = time.Minute

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

type newQueue struct {
	QueueName  string
	Attributes map[string]string
	Tags       map[string]string `json:"tags"`
}

type itsURL struct {
	QueueURL string `json:"QueueUrl"`
}

// createQueue creates a queue. A request with the name of an existing queue returns that queue if
// its attributes are equal, and is refused otherwise.
func (s *Service) createQueue(in newQueue) (any, load, error) {
	if strings.HasSuffix(in.QueueName, ".fifo") {
		return nil, load{}, errFIFO
	}
	if !validName.MatchString(in.QueueName) {
		return nil, load{},
			invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	now := s.settings.Now()
	if q, ok := s.queues[in.QueueName]; ok {
		asked, err := s.with(q.Attributes, in.Attributes)
		if err == nil && asked != q.Attributes {
			err = refuse("QueueNameExists",
				"A queue already exists with the same name and a different value for an attribute.")
		}
		return itsURL{s.url(q.Name)}, load{queue: q.Name}, err
	}
	if at, ok := s.dropped[in.QueueName]; ok && now.Sub(at) < pause {
		return nil, load{},
			refuse("QueueDeletedRecently",
				"You must wait 60 seconds after deleting a queue before you can create another with the same name.")
	}
	attributes, err := s.with(defaults, in.Attributes)
	if err != nil {
		return nil, load{}, err
	}
	delete(s.dropped, in.QueueName)
	q := &queue{Name: in.QueueName, ARN: s.arn(in.QueueName), Created: now, Changed: now, Attributes: attributes,
		Tags: in.Tags}
	s.queues[q.Name] = q
	return itsURL{s.url(q.Name)}, load{queue: q.Name}, nil
}

type itsName struct {
	QueueName              string
	QueueOwnerAWSAccountId string
}

func (s *Service) getQueueURL(in itsName) (any, load, error) {
	foreign := in.QueueOwnerAWSAccountId != "" && in.QueueOwnerAWSAccountId != s.settings.Account
	if _, ok := s.queues[in.QueueName]; !ok || foreign {
		return nil, load{}, errNoQueue
	}
	return itsURL{s.url(in.QueueName)}, load{queue: in.QueueName}, nil
}

// page is the part of a list that a request asks for.
type page struct {
	MaxResults int
	NextToken  string
}

// cut returns the page's part of sorted URLs, and the token of the next page; empty: the last page.
func (p page) cut(urls []string) (part []string, next string) {
	begin, found := slices.BinarySearch(urls, p.NextToken)
	if found {
		begin++
	}
	part = urls[begin:]
	if p.MaxResults > 0 && len(part) > p.MaxResults {
		part = part[:p.MaxResults]
		next = part[len(part)-1]
	}
	return part, next
}

type whichQueues struct {
	QueueNamePrefix string
	page
}

func (s *Service) listQueues(in whichQueues) (any, load, error) {
	urls := slices.DeleteFunc(s.URLs(),
		func(url string) bool { return !strings.HasPrefix(url, s.url(in.QueueNamePrefix)) })
	urls, next := in.cut(urls)
	return struct {
		QueueUrls []string `json:",omitempty"`
		NextToken string   `json:",omitempty"`
	}{urls, next}, load{}, nil
}

type whoseSources struct {
	QueueURL string `json:"QueueUrl"`
	page
}

func (s *Service) listDeadLetterSourceQueues(in whoseSources) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	urls := []string{}
	for _, name := range s.sources(q) {
		urls = append(urls, s.url(name))
	}
	urls, next := in.cut(urls)
	return struct {
		QueueURLs []string `json:"queueUrls"`
		NextToken string   `json:",omitempty"`
	}{urls, next}, load{queue: q.Name}, nil
}

// sources returns the names of the queues whose dead-letter queue is q, sorted.
func (s *Service) sources(q *queue) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.queues)),
		func(name string) bool { return s.queues[name].Redrive.Target != q.ARN })
}

func (s *Service) deleteQueue(in itsURL) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	delete(s.queues, q.Name)
	s.dropped[q.Name] = s.settings.Now()
	return struct{}{}, load{queue: q.Name}, nil
}

func (s *Service) purgeQueue(in itsURL) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	now := s.settings.Now()
	if !q.Purged.IsZero() && now.Sub(q.Purged) < pause {
		return nil, load{},
			refuse("PurgeQueueInProgress", "Only one PurgeQueue operation on "+q.Name+" is allowed every 60 seconds.")
	}
	q.Messages, q.Gone, q.Purged = nil, nil, now
	return struct{}{}, load{queue: q.Name}, nil
}

type newTags struct {
	QueueURL string `json:"QueueUrl"`
	Tags     map[string]string
}

func (s *Service) tagQueue(in newTags) (any, load, error) {
	q, err := s.queue(in.QueueURL)
	if err != nil {
		return nil, load{}, err
	}
	if q.Tags == nil {
		q.Tags = map[string]string{}
	}
	maps.Copy(q.Tags, in.Tags)
	return struct{}{}, load{queue: q.Name}, nil
}
