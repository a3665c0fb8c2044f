package dynamo

import (
	"strconv"

	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/dynamo/document"
	"backroom/localstack/cloudsim/wire"
)

// answer is a JSON object while it is written.
type answer []byte

func (a *answer) name(name string) {
	if len(*a) == 0 {
		*a = make([]byte, 0, 256)
		*a = append(*a, '{')
	} else {
		*a = append(*a, ',')
	}
	*a = document.AppendName(*a, name)
}

func (a *answer) text(name, text string) {
	a.name(name)
	*a = document.AppendString(*a, text)
}

func (a *answer) number(name string, n float64) {
	a.name(name)
	*a = strconv.AppendFloat(*a, n, 'f', -1, 64)
}

func (a *answer) truth(name string, is bool) {
	a.name(name)
	*a = strconv.AppendBool(*a, is)
}

func (a *answer) item(name string, item attribute.Item) {
	a.name(name)
	*a = item.Append(*a)
}

func (a *answer) raw(name string, json []byte) {
	a.name(name)
	*a = append(*a, json...)
}

func (a *answer) list(name string, elements [][]byte) {
	a.name(name)
	*a = append(*a, '[')
	for i, e := range elements {
		if i > 0 {
			*a = append(*a, ',')
		}
		*a = append(*a, e...)
	}
	*a = append(*a, ']')
}

func (a answer) closed() []byte {
	if len(a) == 0 {
		return []byte("{}")
	}
	return append(a, '}')
}

// consumed writes the ConsumedCapacity of a request on one table, if the request asks for it.
func (a *answer) consumed(r *request) {
	if detail := r.detail(); detail != "" {
		for _, c := range capacities(r.uses, detail, false) {
			a.raw("ConsumedCapacity", c)
		}
	}
}

// consumedEach writes the ConsumedCapacity of a request on several tables, if the request asks for
// it.
func (a *answer) consumedEach(r *request, transaction bool) {
	if detail := r.detail(); detail != "" {
		a.list("ConsumedCapacity", capacities(r.uses, detail, transaction))
	}
}

// detail returns ReturnConsumedCapacity: TOTAL, INDEXES, or empty for none.
func (r *request) detail() string {
	if detail := r.Get("ReturnConsumedCapacity").Text; detail != "NONE" {
		return detail
	}
	return ""
}

// capacities returns the consumed capacity of each table.
func capacities(uses []wire.Use, detail string, transaction bool) [][]byte {
	var each [][]byte
	for len(uses) > 0 {
		of := 1
		for of < len(uses) && uses[of].Resource == uses[0].Resource {
			of++
		}
		each = append(each, capacity(uses[:of], detail, transaction))
		uses = uses[of:]
	}
	return each
}

func capacity(uses []wire.Use, detail string, transaction bool) []byte {
	var total, table wire.Use
	var indexes answer
	for _, u := range uses {
		total.Reads, total.Writes = total.Reads+u.Reads, total.Writes+u.Writes
		if u.Index == "" {
			table = u
			continue
		}
		indexes.raw(u.Index, units(u, transaction).closed())
	}
	a := units(total, transaction)
	a.text("TableName", uses[0].Resource)
	if detail == "INDEXES" {
		a.raw("Table", units(table, transaction).closed())
		if indexes != nil {
			a.raw("GlobalSecondaryIndexes", indexes.closed())
		}
	}
	return a.closed()
}

func units(u wire.Use, transaction bool) answer {
	var a answer
	a.number("CapacityUnits", u.Reads+u.Writes)
	if transaction && u.Reads > 0 {
		a.number("ReadCapacityUnits", u.Reads)
	}
	if transaction && u.Writes > 0 {
		a.number("WriteCapacityUnits", u.Writes)
	}
	return a
}
