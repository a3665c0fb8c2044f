package dynamo

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"backroom/localstack/cloudsim/dynamo/attribute"
	"backroom/localstack/cloudsim/dynamo/document"
)

// seconds returns a time as DynamoDB writes it: seconds since 1970, with a fraction.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// createTable implements CreateTable. The table is active at once.
func (db *DB) createTable(r *request) ([]byte, error) {
	name := r.Get("TableName").Text
	if err := checkName(name); err != nil {
		return nil, err
	}
	if db.tables[name] != nil {
		return nil, refuse("ResourceInUseException", "Table already exists: "+name)
	}
	if r.Has("LocalSecondaryIndexes") {
		return nil, attribute.Refusal("cloudsim does not simulate local secondary indexes")
	}
	t, err := db.readTable(name, r.Node)
	if err != nil {
		return nil, err
	}
	db.tables[name] = t
	if s := r.Get("StreamSpecification"); s.Get("StreamEnabled").Kind == document.True {
		db.openStream(t, s.Get("StreamViewType").Text)
	}
	return t.described("TableDescription"), nil
}

func (db *DB) readTable(name string, n document.Node) (*table, error) {
	now := db.settings.Now()
	t := &table{name: name, definition: n, created: now}
	t.arn = fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/%s", db.settings.Region, db.settings.Account, name)
	id := sha256.Sum256(fmt.Append(nil, t.arn, now.UnixNano()))
	t.id = fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
	definitions := n.Get("AttributeDefinitions")
	var err error
	if t.keys, err = readSchema(n.Get("KeySchema"), definitions); err != nil {
		return nil, err
	}
	used := t.keys.names()
	for _, e := range n.Get("GlobalSecondaryIndexes").Elements {
		x, err := t.readIndex(e, definitions)
		if err != nil {
			return nil, err
		}
		t.indexes = append(t.indexes, x)
		used = append(used, x.keys.names()...)
	}
	slices.Sort(used)
	if len(slices.Compact(used)) != len(definitions.Elements) {
		return nil,
			attribute.Refusal(
				"The number of attributes in key schema must match the number of attributes defined in attribute " +
					"definitions.")
	}
	slices.SortFunc(t.indexes, func(a, b *index) int { return cmp.Compare(a.name, b.name) })
	return t, nil
}

func (t *table) readIndex(n, definitions document.Node) (*index, error) {
	x := &index{name: n.Get("IndexName").Text}
	if err := checkName(x.name); err != nil {
		return nil, err
	}
	x.arn = t.arn + "/index/" + x.name
	var err error
	if x.keys, err = readSchema(n.Get("KeySchema"), definitions); err != nil {
		return nil, err
	}
	switch projection := n.Get("Projection"); projection.Get("ProjectionType").Text {
	case "ALL":
		return x, nil
	case "INCLUDE":
		for _, e := range projection.Get("NonKeyAttributes").Elements {
			x.names = append(x.names, e.Text)
		}
	case "KEYS_ONLY":
	default:
		return nil,
			attribute.Refusal("One or more parameter values were invalid: Unknown ProjectionType: " +
				projection.Get("ProjectionType").Text)
	}
	x.names = append(x.names, x.keys.union(t.keys)...)
	return x, nil
}

// described returns the schema as a KeySchema.
func (s schema) described() []byte {
	var list answer
	elements := make([][]byte, len(s))
	for i, k := range s {
		var a answer
		a.text("AttributeName", k.name)
		a.text("KeyType", [...]string{"HASH", "RANGE"}[i])
		elements[i] = a.closed()
	}
	list.list("", elements)
	return list[len(`{"":`):]
}

var throughput = []byte(`{"NumberOfDecreasesToday":0,"ReadCapacityUnits":0,"WriteCapacityUnits":0}`)

// described returns an answer with the table's description as the member.
func (t *table) described(member string) []byte {
	var d, a answer
	d.raw("AttributeDefinitions", t.definition.Get("AttributeDefinitions").Append(nil))
	d.text("TableName", t.name)
	d.raw("KeySchema", t.keys.described())
	d.text("TableStatus", "ACTIVE")
	d.number("CreationDateTime", seconds(t.created))
	d.raw("ProvisionedThroughput", throughput)
	d.number("TableSizeBytes", 0)
	d.number("ItemCount", float64(t.rows.size))
	d.text("TableArn", t.arn)
	d.text("TableId", t.id)
	var billing answer
	billing.text("BillingMode", "PAY_PER_REQUEST")
	billing.number("LastUpdateToPayPerRequestDateTime", seconds(t.created))
	d.raw("BillingModeSummary", billing.closed())
	if len(t.indexes) > 0 {
		indexes := make([][]byte, len(t.indexes))
		for i, x := range t.indexes {
			indexes[i] = t.describedIndex(x)
		}
		d.list("GlobalSecondaryIndexes", indexes)
	}
	if t.stream != nil {
		var s answer
		s.truth("StreamEnabled", true)
		s.text("StreamViewType", t.stream.viewType)
		d.raw("StreamSpecification", s.closed())
		d.text("LatestStreamLabel", t.stream.label)
		d.text("LatestStreamArn", t.stream.arn)
	}
	d.truth("DeletionProtectionEnabled", t.protected())
	a.raw(member, d.closed())
	return a.closed()
}

func (t *table) describedIndex(x *index) []byte {
	var a answer
	a.text("IndexName", x.name)
	a.raw("KeySchema", x.keys.described())
	for _, e := range t.definition.Get("GlobalSecondaryIndexes").Elements {
		if e.Get("IndexName").Text == x.name {
			a.raw("Projection", e.Get("Projection").Append(nil))
		}
	}
	a.text("IndexStatus", "ACTIVE")
	a.raw("ProvisionedThroughput", throughput)
	a.number("IndexSizeBytes", 0)
	a.number("ItemCount", float64(x.entries.size))
	a.text("IndexArn", x.arn)
	return a.closed()
}

func (t *table) protected() bool {
	return t.definition.Get("DeletionProtectionEnabled").Kind == document.True
}

// describeTable implements DescribeTable.
func (db *DB) describeTable(r *request) ([]byte, error) {
	t, err := db.table(r.Node)
	if err != nil {
		return nil, err
	}
	return t.described("Table"), nil
}

// deleteTable implements DeleteTable. The table's stream stays readable.
func (db *DB) deleteTable(r *request) ([]byte, error) {
	t, err := db.table(r.Node)
	if err != nil {
		return nil, err
	}
	if t.protected() {
		return nil,
			attribute.Refusal(
				"Resource cannot be deleted as it is currently protected against deletion. Disable deletion " +
					"protection first.")
	}
	description := t.described("TableDescription")
	t.closeStream()
	delete(db.tables, t.name)
	return description, nil
}

// listTables implements ListTables.
func (db *DB) listTables(r *request) ([]byte, error) {
	limit := 100
	if n, err := strconv.Atoi(r.Get("Limit").Text); err == nil && n > 0 {
		limit = min(limit, n)
	}
	names := slices.Sorted(maps.Keys(db.tables))
	if start, found := slices.BinarySearch(names, r.Get("ExclusiveStartTableName").Text); found {
		names = names[start+1:]
	} else {
		names = names[start:]
	}
	var a answer
	if len(names) > limit {
		names = names[:limit]
		a.text("LastEvaluatedTableName", names[limit-1])
	}
	quoted := make([][]byte, len(names))
	for i, name := range names {
		quoted[i] = document.AppendString(nil, name)
	}
	a.list("TableNames", quoted)
	return a.closed(), nil
}

// updateTable implements UpdateTable, for streams and the protection against deletion.
func (db *DB) updateTable(r *request) ([]byte, error) {
	t, err := db.table(r.Node)
	if err != nil {
		return nil, err
	}
	for _, m := range r.Members {
		switch m.Name {
		case "TableName", "StreamSpecification", "DeletionProtectionEnabled", "BillingMode", "OnDemandThroughput",
			"SSESpecification", "TableClass":
		default:
			return nil, attribute.Refusal("cloudsim cannot update " + m.Name)
		}
	}
	if r.Has("DeletionProtectionEnabled") {
		t.definition.Members = append(slices.Clip(t.definition.Members),
			document.Member{Name: "DeletionProtectionEnabled", Value: r.Get("DeletionProtectionEnabled")})
	}
	if s := r.Get("StreamSpecification"); s.Kind == document.Object {
		on := s.Get("StreamEnabled").Kind == document.True
		switch {
		case on && t.stream != nil:
			return nil, attribute.Refusal("Table already has an enabled stream: TableName: " + t.name)
		case on:
			db.openStream(t, s.Get("StreamViewType").Text)
		default:
			t.closeStream()
		}
	}
	return t.described("TableDescription"), nil
}

// timeToLivePause is the shortest time between two changes of a table's time to live.
const timeToLivePause = time.Hour

// updateTimeToLive implements UpdateTimeToLive.
func (db *DB) updateTimeToLive(r *request) ([]byte, error) {
	t, err := db.table(r.Node)
	if err != nil {
		return nil, err
	}
	now := db.settings.Now()
	if !t.expirySet.IsZero() && now.Sub(t.expirySet) < timeToLivePause {
		return nil, attribute.Refusal("Time to live has been modified multiple times within a fixed interval")
	}
	specification := r.Get("TimeToLiveSpecification")
	t.expiry, t.expirySet = "", now
	if specification.Get("Enabled").Kind == document.True {
		t.expiry = specification.Get("AttributeName").Text
	}
	var a answer
	a.raw("TimeToLiveSpecification", specification.Append(nil))
	return a.closed(), nil
}

// describeTimeToLive implements DescribeTimeToLive.
func (db *DB) describeTimeToLive(r *request) ([]byte, error) {
	t, err := db.table(r.Node)
	if err != nil {
		return nil, err
	}
	var d, a answer
	if t.expiry == "" {
		d.text("TimeToLiveStatus", "DISABLED")
	} else {
		d.text("AttributeName", t.expiry)
		d.text("TimeToLiveStatus", "ENABLED")
	}
	a.raw("TimeToLiveDescription", d.closed())
	return a.closed(), nil
}

// updateBackups implements UpdateContinuousBackups.
func (db *DB) updateBackups(r *request) ([]byte, error) {
	t, err := db.table(r.Node)
	if err != nil {
		return nil, err
	}
	t.backups = r.Get("PointInTimeRecoverySpecification").Get("PointInTimeRecoveryEnabled").Kind == document.True
	return t.describedBackups(), nil
}

// describeBackups implements DescribeContinuousBackups.
func (db *DB) describeBackups(r *request) ([]byte, error) {
	t, err := db.table(r.Node)
	if err != nil {
		return nil, err
	}
	return t.describedBackups(), nil
}

func (t *table) describedBackups() []byte {
	status := "DISABLED"
	if t.backups {
		status = "ENABLED"
	}
	return fmt.Appendf(nil,
		`{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED","PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":%q}}}`, status)
}

// tagResource implements TagResource. Tags are accepted but not stored.
func (db *DB) tagResource(*request) ([]byte, error) { return []byte("{}"), nil }
