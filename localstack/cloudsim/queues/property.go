package queues

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// property is a message attribute.
type property struct {
	DataType    string
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

const mostProperties = 10

var (
	validProperty = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	reserved      = regexp.MustCompile(`(?i)^(aws|amazon)\.`)
	validType     = regexp.MustCompile(`^(String|Number|Binary)(\.[^\x00-\x20]+)?$`)
)

// check refuses message attributes that SQS does not accept.
func check(properties map[string]property) error {
	if len(properties) > mostProperties {
		return invalid("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(properties),
			mostProperties)
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		p := properties[name]
		if !validProperty.MatchString(name) || reserved.MatchString(name) || len(name) > 256 {
			return invalid("The message attribute name '%s' is invalid.", name)
		}
		if !validType.MatchString(p.DataType) || len(p.DataType) > 256 {
			return invalid(
				"The type of message attribute '%s' is invalid. You must use only the following supported type "+
					"prefixes: Binary, Number, String.", name)
		}
		if p.binary() && len(p.BinaryValue) == 0 || !p.binary() && (p.StringValue == nil || *p.StringValue == "") {
			return invalid("The message attribute '%s' must contain a non-empty value of type '%s'.", name, p.DataType)
		}
		if !p.binary() && !validText(*p.StringValue) {
			return refuse("InvalidMessageContents", invalidText)
		}
		if strings.HasPrefix(p.DataType, "Number") && !isNumber(*p.StringValue) {
			return invalid("Can't cast the value of message attribute '%s' to a number.", name)
		}
	}
	return nil
}

func (p property) binary() bool { return strings.HasPrefix(p.DataType, "Binary") }

// value returns the bytes of the value.
func (p property) value() []byte {
	if p.binary() || p.StringValue == nil {
		return p.BinaryValue
	}
	return []byte(*p.StringValue)
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

// sizeOf returns the size of message attributes in bytes: names, types and values.
func sizeOf(properties map[string]property) int {
	size := 0
	for name, p := range properties {
		size += len(name) + len(p.DataType) + len(p.value())
	}
	return size
}

// The bytes that name the kinds of values in the MD5 of attributes.
const (
	stringKind = 1
	binaryKind = 2
)

// sum returns the MD5 of message attributes as clients compute it: sorted by name, each part after
// its length. It is empty without attributes.
func sum(properties map[string]property) string {
	if len(properties) == 0 {
		return ""
	}
	var all []byte
	add := func(part []byte) {
		all = binary.BigEndian.AppendUint32(all, uint32(len(part)))
		all = append(all, part...)
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		p := properties[name]
		add([]byte(name))
		add([]byte(p.DataType))
		kind := byte(stringKind)
		if p.binary() {
			kind = binaryKind
		}
		all = append(all, kind)
		add(p.value())
	}
	return md5Of(all)
}

func md5Of(data []byte) string {
	hash := md5.Sum(data)
	return hex.EncodeToString(hash[:])
}

// choose returns the attributes that a receive asks for by name, by a prefix such as "trace.*", or
// all.
func choose(properties map[string]property, asked []string) map[string]property {
	chosen := map[string]property{}
	for name, p := range properties {
		if slices.ContainsFunc(asked, func(wanted string) bool {
			beginning, many := strings.CutSuffix(wanted, ".*")
			return wanted == name || wanted == "All" || many && strings.HasPrefix(name, beginning)
		}) {
			chosen[name] = p
		}
	}
	return chosen
}

const invalidText = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | " +
	"#xE000 to #xFFFD | #x10000 to #x10FFFF"

// validText reports whether SQS accepts every character of a text.
func validText(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
	})
}
