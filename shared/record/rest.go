package record

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"backroom/shared/saga"
)

// Unmarshal reads an item's image into item, a pointer to a struct, and returns what item has no
// field for.
func Unmarshal(image map[string]types.AttributeValue, item any) (saga.Rest, error) {
	if err := attributevalue.UnmarshalMap(image, item); err != nil {
		return saga.Rest{}, err
	}
	return layoutOf(reflect.TypeOf(item)).rest(image), nil
}

// Marshal returns the image of item, a struct, with the rest that an Unmarshal of its type returned.
// The rest of an element of a list goes to the element with the same natural key, which are the
// fields with the tag record:"key". An element that item no longer has takes its rest with it.
func Marshal(item any, rest saga.Rest) (map[string]types.AttributeValue, error) {
	image, err := attributevalue.MarshalMap(item)
	if err != nil {
		return nil, err
	}
	layoutOf(reflect.TypeOf(item)).add(rest, image)
	return image, nil
}

// Same reports whether two images agree in all that the type of item knows. So a write whose answer
// was lost is recognized, even if another release has added attributes since.
func Same(item any, a, b map[string]types.AttributeValue) bool {
	return layoutOf(reflect.TypeOf(item)).same(a, b)
}

// Set is an update that gives an item the attributes of a struct and changes no others. It is for
// writers that have not read the item.
type Set struct {
	Expression string
	Names      map[string]string
	Values     map[string]types.AttributeValue
}

// SetAll returns the update that sets the attributes of item, except its key, and removes those that
// item leaves empty. Its placeholders begin with #set and :set.
func SetAll(item any) (Set, error) {
	image, err := attributevalue.MarshalMap(item)
	if err != nil {
		return Set{}, err
	}
	s := Set{Names: map[string]string{}, Values: map[string]types.AttributeValue{}}
	var set, remove []string
	for i, name := range slices.Sorted(maps.Keys(layoutOf(reflect.TypeOf(item)).members)) {
		if name == "pk" {
			continue
		}
		placeholder := fmt.Sprintf("#set%d", i)
		s.Names[placeholder] = name
		if value, ok := image[name]; ok {
			s.Values[fmt.Sprintf(":set%d", i)] = value
			set = append(set, fmt.Sprintf("%s = :set%d", placeholder, i))
		} else {
			remove = append(remove, placeholder)
		}
	}
	if len(set) > 0 {
		s.Expression = "SET " + strings.Join(set, ", ")
	}
	if len(remove) > 0 {
		s.Expression = strings.TrimSpace(s.Expression + " REMOVE " + strings.Join(remove, ", "))
	}
	return s, nil
}

// layout is the attributes that a struct, or a list of structs, has fields for.
type layout struct {
	list    bool
	members map[string]*layout // by attribute; nil for a value that its field holds in full
	key     []string           // the attributes of the natural key, sorted
}

// rest is the attributes of a map that its layout lacks, and those of the maps inside it.
type rest struct {
	attributes map[string]types.AttributeValue
	members    map[string]*rest            // of nested maps, by attribute
	elements   map[string]map[string]*rest // of lists of maps, by attribute and natural key
	key        string                      // natural key of the map
}

var layouts sync.Map // of *layout, by type

// rowLayout returns the layout of a row whose own attributes are those of item.
func rowLayout(item any) *layout {
	type row struct{ of reflect.Type } // the key apart from that of the item alone
	t := reflect.TypeOf(item)
	if known, ok := layouts.Load(row{t}); ok {
		return known.(*layout)
	}
	l := &layout{members: maps.Clone(layoutOf(t).members)}
	maps.Copy(l.members, layoutOf(reflect.TypeFor[envelope]()).members)
	layouts.Store(row{t}, l)
	return l
}

// layoutOf returns the layout of a struct, a list of structs, or a pointer to one. It returns nil for
// other types. It panics for a list of structs without a natural key, and for a map of structs: what
// another release adds to their members would be lost.
func layoutOf(t reflect.Type) *layout {
	if known, ok := layouts.Load(t); ok {
		return known.(*layout)
	}
	var l *layout
	switch t.Kind() {
	case reflect.Pointer:
		l = layoutOf(t.Elem())
	case reflect.Slice, reflect.Array:
		if of := layoutOf(t.Elem()); of != nil {
			if len(of.key) == 0 {
				panic(fmt.Sprintf(`record: no field of %s has the tag record:"key"`, t.Elem()))
			}
			l = &layout{list: true, members: of.members, key: of.key}
		}
	case reflect.Map:
		if layoutOf(t.Elem()) != nil {
			panic(fmt.Sprintf("record: %s is a map of structs; use a list with a natural key", t))
		}
	case reflect.Struct:
		l = &layout{members: map[string]*layout{}}
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("dynamodbav"), ",")
			if name == "" || name == "-" {
				continue // no field of a row has an attribute without naming it
			}
			l.members[name] = layoutOf(field.Type)
			if field.Tag.Get("record") == "key" {
				l.key = append(l.key, name)
			}
		}
		slices.Sort(l.key)
	}
	layouts.Store(t, l)
	return l
}

// keyOf returns the natural key of a map.
func (l *layout) keyOf(image map[string]types.AttributeValue) string {
	var key strings.Builder
	for _, name := range l.key {
		switch v := image[name].(type) {
		case *types.AttributeValueMemberS:
			fmt.Fprintf(&key, "%q", v.Value)
		case *types.AttributeValueMemberN:
			fmt.Fprintf(&key, "%q", v.Value)
		default:
			key.WriteString("-") // empty, and so not stored
		}
	}
	return key.String()
}

// each calls do for the maps of a list, with their natural keys. Elements with equal keys are
// numbered.
func (l *layout) each(list *types.AttributeValueMemberL, do func(string, map[string]types.AttributeValue)) {
	seen := make(map[string]int, len(list.Value))
	for _, element := range list.Value {
		if m, ok := element.(*types.AttributeValueMemberM); ok {
			key := l.keyOf(m.Value)
			seen[key]++
			do(fmt.Sprintf("%s#%d", key, seen[key]), m.Value)
		}
	}
}

// rest returns what an image has beyond the layout.
func (l *layout) rest(image map[string]types.AttributeValue) saga.Rest {
	if r := l.beyond(image); r != nil {
		return saga.Rest{Attributes: r}
	}
	return saga.Rest{}
}

// beyond returns nil if the image has nothing beyond the layout.
func (l *layout) beyond(image map[string]types.AttributeValue) *rest {
	r, some := rest{}, false
	for name, value := range image {
		of, known := l.members[name]
		if !known {
			put(&r.attributes, name, value)
			some = true
			continue
		}
		if of == nil {
			continue
		}
		switch v := value.(type) {
		case *types.AttributeValueMemberM:
			if inner := of.beyond(v.Value); inner != nil {
				put(&r.members, name, inner)
				some = true
			}
		case *types.AttributeValueMemberL:
			if !of.listsMore(v) {
				continue
			}
			of.each(v, func(key string, element map[string]types.AttributeValue) {
				if inner := of.beyond(element); inner != nil {
					if r.elements[name] == nil {
						put(&r.elements, name, map[string]*rest{})
					}
					r.elements[name][key] = inner
					some = true
				}
			})
		}
	}
	if !some {
		return nil
	}
	r.key = l.keyOf(image)
	return &r
}

// listsMore reports whether an element of a list has anything beyond the layout. It spares the plain
// row the natural keys.
func (l *layout) listsMore(list *types.AttributeValueMemberL) bool {
	for _, element := range list.Value {
		if m, ok := element.(*types.AttributeValueMemberM); ok && l.beyond(m.Value) != nil {
			return true
		}
	}
	return false
}

func put[V any](m *map[string]V, name string, value V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[name] = value
}

// add adds the rest to an image. What the layout knows is the image's own.
func (l *layout) add(r saga.Rest, image map[string]types.AttributeValue) {
	if r, ok := r.Attributes.(*rest); ok {
		l.merge(r, image)
	}
}

func (l *layout) merge(r *rest, image map[string]types.AttributeValue) {
	if l.keyOf(image) != r.key {
		return // another thing in the same place
	}
	for name, value := range r.attributes {
		if _, known := l.members[name]; !known {
			image[name] = value
		}
	}
	for name, inner := range r.members {
		if m, ok := image[name].(*types.AttributeValueMemberM); ok && l.members[name] != nil {
			l.members[name].merge(inner, m.Value)
		}
	}
	for name, inner := range r.elements {
		of := l.members[name]
		if list, ok := image[name].(*types.AttributeValueMemberL); ok && of != nil {
			of.each(list, func(key string, element map[string]types.AttributeValue) {
				if r := inner[key]; r != nil {
					of.merge(r, element)
				}
			})
		}
	}
}

// same reports whether two images agree in all that the layout knows.
func (l *layout) same(a, b map[string]types.AttributeValue) bool {
	return reflect.DeepEqual(l.known(a), l.known(b))
}

// known returns a copy of an image without what is beyond the layout.
func (l *layout) known(image map[string]types.AttributeValue) map[string]types.AttributeValue {
	own := make(map[string]types.AttributeValue, len(image))
	for name, value := range image {
		of, known := l.members[name]
		switch v := value.(type) {
		case *types.AttributeValueMemberM:
			if of != nil {
				value = &types.AttributeValueMemberM{Value: of.known(v.Value)}
			}
		case *types.AttributeValueMemberL:
			if of != nil {
				list := &types.AttributeValueMemberL{Value: slices.Clone(v.Value)}
				for i, element := range v.Value {
					if m, ok := element.(*types.AttributeValueMemberM); ok {
						list.Value[i] = &types.AttributeValueMemberM{Value: of.known(m.Value)}
					}
				}
				value = list
			}
		}
		if known {
			own[name] = value
		}
	}
	return own
}
